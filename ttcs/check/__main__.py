"""`python -m ttcs.check`: the arguments of `python -m ttcs`, and a verdict on models and engines instead of a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ttcs.check import memory, probes, reference
from ttcs.check.probes import Finding
from ttcs.config import quoting, ranges
from ttcs.config.components import complete, share
from ttcs.config.explain import answering
from ttcs.config.home import typed
from ttcs.config.identity import plain, register_resolvers
from ttcs.config.options import CONF
from ttcs.config.streams import forgiving
from ttcs.config.usage import parser
from ttcs.core import PRM, Policy
from ttcs.errors import UserError
from ttcs.running.memory import divided
from ttcs.running.progress import console

register_resolvers()


def main(arguments: Sequence[str]) -> None:
    """Exit codes: 0 all is well, 1 a bug, 2 something is not as it should be, or bad input."""
    forgiving()
    overrides = _arguments().parse_args(arguments).overrides
    with answering():
        config = _config(overrides)
        failed = []
        for finding in check(config):
            failed += [] if finding.good else [finding.name]
            console.print(f"{'ok' if finding.good else 'NO':<4}{finding.name:<14}{finding.said}", markup=False)
        for line in memory.told(share(config, "policy"), share(config, "prm"), plain(config)):
            console.print(f"    {line}", markup=False)
        if failed:
            raise UserError(f"not as it should be: {', '.join(failed)}; docs/vllm.md says what to try")
        console.print("all is well")


def check(config: DictConfig) -> Iterator[Finding]:
    """One finding after the other. config: of a run whose shares of memory are filled in."""
    judge = plain(config)["prm"]
    expected = reference.judged(judge) if (alone := reference.missing(judge)) is None else None
    policy: Policy = share(config, "policy")
    prm: PRM = share(config, "prm")
    yield probes.scores(prm, expected, alone or "")
    yield probes.repeated(policy)
    if "model" in config.policy:
        yield from probes.reading(share(config, "policy"))
    else:
        yield probes.continued(policy, exact=True)
    yield probes.speed(policy)


def _arguments() -> argparse.ArgumentParser:
    made = parser(
        "ttcs.check",
        "[KEY=VALUE ...]",
        """
        python -m ttcs.check policy=llama_3_2_1b prm=rlhflow_deepseek policy/engine=vllm prm/engine=vllm
        python -m ttcs.check                 the zoo's pair on transformers
        """,
    )
    made.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="as python -m ttcs takes: policy, prm, engines")
    return made


def _config(given: Sequence[str]) -> DictConfig:
    overrides = list(typed(given))
    quoting.checked(overrides)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides)
    for group in ("policy", "prm"):
        complete(config, group)
    ranges.check(config)
    return divided(config, both=True)


if __name__ == "__main__":
    main(sys.argv[1:])
