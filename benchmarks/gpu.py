"""`python -m benchmarks gpu`: searches on a simulated GPU, in virtual time (docs/performance.md)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.core import Problem
from ttcs.planning.device import Device
from ttcs.planning.simulation import pair
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

    def __str__(self) -> str:
        return (
            f"{self.seconds:.1f} s a problem, first record after {self.first:.0f} s, PRM tokens computed / decoded "
            f"{self.read:.2f}, policy busy {self.policy:.0%} with {self.rows:.0f} rows, PRM busy {self.prm:.0%}, "
            f"at most {self.open} problems open"
        )


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


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks gpu", description=__doc__)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of the configuration of ttcs.planning")
    parser.add_argument("--strategy", nargs="+", default=["dvts", "beam_search"])
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--problems", type=int, default=60)
    parser.add_argument("--share", type=float, default=0.5, help="speed of each engine while both work; 1: two GPUs")
    asked = parser.parse_args(arguments)
    for name in asked.strategy:
        config = configured(name, asked.n, *asked.overrides)
        print(f"{name}, n = {asked.n}, {asked.problems} problems: {simulate(config, asked.problems, asked.share)}")
