"""`python -m benchmarks gpu`: searches on a simulated GPU, in virtual time (docs/performance.md)."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from benchmarks import report
from benchmarks.harness import Limit, Result, Spread
from ttcs.config.components import build
from ttcs.config.explain import answering, fail
from ttcs.config.options import CONF
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.planning.device import Device
from ttcs.planning.simulation import pair
from ttcs.running.runner import Plan, whole
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.search.scheduler import run

# A 1B policy of 256 rows, which takes 4.5 ms for a token of each where they are 600 tokens long, and an 8B PRM that
# takes 27 us for a token and has room for 152k of them; solutions of 6 to 14 steps of 61 tokens on average, the longest
# of 256 about 340.
ASSUMED = (
    *("gpu.prefill_share=0.6", "plan.prm.size.parameters=8030000000"),
    *("plan.policy.min_depth=6", "plan.policy.max_depth=14", "plan.policy.tokens_per_step=61", "plan.policy.tail=0.9"),
)
WIDTH = 4
ROWS = {
    "seconds": ("a problem", " s"),
    "first": ("until the first record", " s"),
    "read": ("PRM tokens computed / decoded", ""),
    "policy": ("time with a pass of the policy under way", ""),
    "prm": ("time with a pass of the PRM under way", ""),
    "rows": ("rows of a pass of the policy", ""),
    "open": ("most problems open", ""),
}
N, PROBLEMS, SHARE = 256, 60, 0.5
SOON = {"first": Limit(90.0), "read": Limit(1.4)}
WANTED = {"dvts": {"seconds": Limit(10.5), **SOON}, "beam_search": {"seconds": Limit(11.0), **SOON}}
EXAMPLES = """
    python -m benchmarks gpu                                    DVTS and beam search, n = 256, 60 problems
    python -m benchmarks gpu gpu=h200 --problems 20 --share 1   other costs; a GPU for each engine
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run on a simulated machine came to.

    seconds: of a problem; first: until the first record; read: tokens that the PRM computed for each that was decoded;
    policy, prm: share of the time with a pass under way; rows: of a pass of the policy; open: most problems at a time.
    """

    seconds: float
    first: float
    read: float
    policy: float
    prm: float
    rows: float
    open: int

    def results(self, limits: Mapping[str, Limit]) -> Iterator[Result]:
        """limits: of the fields that are to be held."""
        for name, (what, unit) in ROWS.items():
            yield Result("GPU", what, Spread.exact(getattr(self, name)), limits.get(name), unit=unit)


def simulate(config: DictConfig, problems: int, share: float) -> Run:
    """share: see `Device`."""
    device = Device(share)
    policy, prm = pair(config, device)
    opened: list[int] = []
    ends: list[float] = []

    def arrivals() -> Iterator[Problem]:
        question = " ".join(["token"] * config.plan.prompt_tokens)
        for i in range(problems):
            opened.append(i + 1 - len(ends))
            yield Problem(f"simulated-{i}", question, "0", level=i % 5 + 1)

    strategy, selection = build(config, "strategy"), build(config, "selection")
    outcomes: Iterator[Outcome] = run(
        strategy, selection, arrivals(), policy, lambda: prm, Budget(), config.seed, config.open, config.ahead
    )
    ends.extend(device.now for _ in outcomes)
    return Run(
        seconds=device.now / problems,
        first=ends[0],
        read=prm.computed / policy.decoded,
        policy=device.busy["policy"] / device.now,
        prm=device.busy["prm"] / device.now,
        rows=policy.decoded / policy.passes,
        open=max(opened),
    )


def configured(strategy: str, n: int, *overrides: str) -> DictConfig:
    """A strategy at width 4, if it has one, on the machine assumed."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        given = [f"strategy={strategy}", f"n={n}", *ASSUMED]
        config = compose("planning", [*given, *overrides])
        if "width" in config.strategy:
            config.strategy.width = WIDTH
        return config


def wanted(strategy: str, n: int, problems: int, share: float, overrides: Sequence[str]) -> Mapping[str, Limit]:
    """What is to be held: by the run that the goals are of, and by no other."""
    goal = (n, problems, share) == (N, PROBLEMS, SHARE) and not overrides
    return WANTED.get(strategy, {}) if goal else {}


def table(title: str, rows: Iterable[Result]) -> str:
    lines = [(title, "measured", "wanted", "met"), ("---", "---:", "---:", "---")]
    for row in rows:
        _, what, measured, _, limit, met, _ = report.cells(row)
        lines.append((what, measured, limit, met))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Exit codes: 0 done, whether met or not, 1 a bug, 2 bad input."""
    asked = _arguments().parse_args(arguments)
    with answering("planning"):
        whole(vars(asked), "problems", 1)
        if not 0 < asked.share <= 1:
            raise UserError(f"--share {asked.share:g} is not above 0 and at most 1")
        configs = {name: configured(name, asked.n, *asked.overrides) for name in asked.strategy}
        for config in configs.values():
            Plan.of(config)
            pair(config, Device())
        for name, config in configs.items():
            run = simulate(config, asked.problems, asked.share)
            limits = wanted(name, asked.n, asked.problems, asked.share, asked.overrides)
            print(table(f"{name}, n = {config.n}, {asked.problems} problems", run.results(limits)))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks gpu",
        description=f"{__doc__}\n\nExamples:\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of the configuration of ttcs.planning")
    parser.add_argument("--strategy", nargs="+", default=list(WANTED))
    parser.add_argument("--n", type=int, default=N)
    parser.add_argument("--problems", type=int, default=PROBLEMS)
    parser.add_argument("--share", type=float, default=SHARE, help="speed of each engine while both work; 1: two GPUs")
    parser.error = fail  # type: ignore[method-assign, assignment]
    return parser
