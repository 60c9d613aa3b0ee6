"""The points of a sweep, each with what it is expected to cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ttcs.config.components import build
from ttcs.config.home import at_home
from ttcs.errors import UserError
from ttcs.planning import pilot, simulation
from ttcs.planning.estimate import Estimate, estimate
from ttcs.planning.machine import Machine
from ttcs.running.runner import Plan, left_out


@dataclass(frozen=True, slots=True)
class Point:
    """One run of the sweep. overrides: what was set for it; source: what the estimate rests on."""

    overrides: dict[str, str]
    strategy: str
    n: int
    seed: int
    problems: int
    source: str
    estimate: Estimate

    def to_row(self) -> dict[str, Any]:
        """As JSON has it, the amounts under their names."""
        named = {key: getattr(self, key) for key in ("overrides", "strategy", "n", "seed", "problems", "source")}
        return named | {name: asdict(amount) for name, amount in self.estimate.amounts().items()}


def points(configs: Iterable[Mapping[str, Any]]) -> list[Point]:
    """An estimate for every configuration that `span` does not leave out; the files of a pilot are listed once."""
    found: dict[Path, Sequence[pilot.Run]] = {}
    return [_point(config, found) for config in configs if not left_out(config, _strategy(config))]


def _point(config: Mapping[str, Any], found: dict[Path, Sequence[pilot.Run]]) -> Point:
    plan = Plan.of(config)
    if plan.shares:
        raise UserError("budget=shared is not planned: budget.tokens is what it decodes, whatever n is")
    problems = len(plan.problems)
    machine: Machine = build(config, "gpu")
    expected = _expected(config, found)
    return Point(
        overrides=_overrides(config["hydra"]["overrides"]["task"]),
        strategy=_strategy(config),
        n=config["n"],
        seed=config["seed"],
        problems=problems,
        source=expected.source,
        estimate=estimate(expected.works, problems, machine),
    )


def _strategy(config: Mapping[str, Any]) -> str:
    """The option that was chosen."""
    name: str = config["hydra"]["runtime"]["choices"]["strategy"]
    return name


def _overrides(task: Sequence[str]) -> dict[str, str]:
    pairs = (str(override).partition("=") for override in task)
    return {key: value for key, _, value in pairs}


def _expected(config: Mapping[str, Any], found: dict[Path, Sequence[pilot.Run]]) -> pilot.Expected:
    plan = config["plan"]
    if plan["pilot"] is None:
        return simulation.expected(config)
    folder = Path(at_home(str(plan["pilot"])))
    if folder not in found:
        found[folder] = pilot.runs(folder)
    return pilot.expected(found[folder], config, plan["policy"]["size"]["parameters"])
