"""The search tree of one problem: every sampled step once, with its parent and its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ttcs.core import Step, Trajectory


@dataclass(frozen=True, slots=True)
class Node:
    """A step and the node of the step before it (None: the problem itself)."""

    parent: int | None
    step: Step


@dataclass(slots=True)
class Tree:
    """Numbers the steps of a search in the order they are handed in, and remembers their scores.

    Steps of lookahead rollouts are numbered and their scores remembered, but they are no part of the tree.
    """

    _steps: list[Step] = field(init=False, default_factory=list)  # by node, as far as known
    _parents: dict[int, int | None] = field(init=False, default_factory=dict)  # of the nodes in the tree

    def grow(self, trajectory: Trajectory, steps: Sequence[Step], lookahead: bool) -> Trajectory:
        """The trajectory with `steps` added, numbered."""
        start = len(self._steps)
        numbered = [replace(step, node=start + i) for i, step in enumerate(steps)]
        self._steps += numbered
        if not lookahead:
            parent = trajectory.steps[-1].node if trajectory.steps else None
            for step in numbered:
                self._parents[step.node], parent = parent, step.node
        return trajectory.extend(numbered)

    def learn(self, trajectory: Trajectory, scores: Sequence[float | None]) -> None:
        """One score per step of the trajectory; a step that has one already keeps it."""
        for step, score in zip(trajectory.steps, scores, strict=True):
            if score is not None and self._steps[step.node].score is None:
                self._steps[step.node] = replace(self._steps[step.node], score=score)

    def scored(self, trajectory: Trajectory) -> Trajectory:
        """The trajectory with every score known so far."""
        steps = tuple([self._steps[step.node] for step in trajectory.steps])
        return Trajectory(trajectory.problem, steps, trajectory.subtree, trajectory.history)

    def holds(self, trajectory: Trajectory) -> bool:
        """Whether every step is a node of the tree."""
        return all(step.node in self._parents for step in trajectory.steps)

    def nodes(self) -> tuple[Node, ...]:
        """All nodes in the order of their numbers."""
        return tuple(Node(parent, self._steps[node]) for node, parent in self._parents.items())
