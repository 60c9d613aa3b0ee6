"""`python -m ttcs.check`: the arguments of `python -m ttcs`, and a verdict on models and engines instead of a run."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ttcs.check import memory, probes, samples
from ttcs.check.probes import Finding
from ttcs.config import quoting, ranges
from ttcs.config.components import build, complete, share
from ttcs.config.explain import answering
from ttcs.config.home import typed
from ttcs.config.identity import plain, register_resolvers
from ttcs.config.options import CONF
from ttcs.config.streams import forgiving
from ttcs.config.usage import parser
from ttcs.core import PRM, Judge, Judged, Policy
from ttcs.errors import UserError
from ttcs.running.memory import divided
from ttcs.running.progress import console

register_resolvers()
REFERENCE = "ttcs.prms.transformers.TransformersPRM"
PLAIN = REFERENCE, "ttcs.prms.two_models.TwoModelsPRM"  # what runs on transformers
READ = 8  # solutions that the reference reads at once


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
    expected = _expected(config)
    policy: Policy = share(config, "policy")
    prm: PRM = share(config, "prm")
    yield probes.scores(prm, expected)
    yield probes.repeated(policy)
    yield probes.continued(policy)
    if hasattr(policy, "rules"):  # a policy of tokens
        yield probes.long_prompt(policy)
    yield probes.speed(policy)


def _expected(config: DictConfig) -> list[Judged] | None:
    """What the verifier says on transformers, which is let go of before an engine measures the memory.

    None where it runs there anyway, or has no model of its own.
    """
    if "model" not in config.prm or config.prm._target_ in PLAIN:
        return None
    kept = {key: config.prm[key] for key in ("model", "model_revision", "format") if key in config.prm}
    reference: PRM | None = build({"prm": {"_target_": REFERENCE, "batch_size": READ, **kept}}, "prm")
    assert reference is not None
    found: list[Judged] = probes.answers(reference, [Judge(solution) for solution in samples.solutions()])
    reference = None
    gc.collect()
    return found


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
    return divided(config)


if __name__ == "__main__":
    main(sys.argv[1:])
