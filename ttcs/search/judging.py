"""What of a search's solutions the PRM has to read, and whether what it says can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ttcs.core import Problem, Trajectory
from ttcs.errors import UserError
from ttcs.search.tree import Tree


def unread(tree: Tree, trajectories: Iterable[Trajectory]) -> Iterable[Trajectory]:
    """Those that the PRM has to read, each once."""
    return {
        trajectory.steps[-1].node: trajectory
        for trajectory in map(tree.scored, trajectories)
        if not trajectory.scored and not (trajectory.cut_off and tree.holds(trajectory))
    }.values()


def check(problem: Problem, scores: Sequence[float | None]) -> None:
    """UserError for a score that is none: a search would go on with it, and records cannot hold it."""
    for number, score in enumerate(scores, 1):
        if score is not None and not 0 <= score <= 1:
            name = f"step {number} of a solution of problem {problem.id}"
            raise UserError(f"the PRM scored {name} {score}, which is not in [0, 1]")
