"""The search tree of one problem: every sampled step once, with its parent and its score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

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
    Searches side by side have a fork each, which knows what was there before and nothing of the others. Joined, their
    steps stand fork by fork; as their numbers do not say so, they are numbered anew when all is settled.
    """

    _trunk: Tree | None = None
    _numbers: Iterator[int] = field(default_factory=count)  # shared by all forks
    _steps: dict[int, Step] = field(init=False, default_factory=dict)  # by node, as far as known, in order
    _parents: dict[int, int | None] = field(init=False, default_factory=dict)  # of the nodes in the tree

    def grow(self, trajectory: Trajectory, steps: Sequence[Step], lookahead: bool) -> Trajectory:
        """The trajectory with `steps` added, numbered."""
        numbered = [replace(step, node=next(self._numbers)) for step in steps]
        self._steps |= {step.node: step for step in numbered}
        if not lookahead:
            parent = trajectory.steps[-1].node if trajectory.steps else None
            for step in numbered:
                self._parents[step.node], parent = parent, step.node
        return trajectory.extend(numbered)

    def learn(self, trajectory: Trajectory, scores: Sequence[float | None]) -> None:
        """One score per step of the trajectory; a step that has one already keeps it."""
        for step, score in zip(trajectory.steps, scores, strict=True):
            known = self._step(step.node)
            if score is not None and known.score is None:
                self._steps[step.node] = replace(known, score=score)

    def scored(self, trajectory: Trajectory) -> Trajectory:
        """The trajectory with every score known so far."""
        steps = tuple([self._step(step.node) for step in trajectory.steps])
        return Trajectory(trajectory.problem, steps, trajectory.subtree, trajectory.history)

    def fork(self) -> Tree:
        return Tree(self, self._numbers)

    def join(self, forks: Iterable[Tree]) -> None:
        """Take over what forks have grown and learnt; of two scores of a step the first fork's."""
        for fork in forks:
            self._parents |= fork._parents
            for node, step in fork._steps.items():
                if node not in self._steps or self._steps[node].score is None:
                    self._steps[node] = step

    def holds(self, trajectory: Trajectory) -> bool:
        """Whether every step is a node of the tree."""
        return all(step.node in self._parents for step in trajectory.steps)

    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in order."""
        return tuple(Node(parent, self._steps[node]) for node, parent in self._parents.items())

    def settle(self, trajectories: Iterable[Trajectory]) -> tuple[Trajectory, ...]:
        """Number the steps in their order; the trajectories, and what they revise, as they are now, with all scores."""
        places = {node: place for place, node in enumerate(self._steps)}
        self._steps = {
            place: step if step.node == place else replace(step, node=place)
            for place, step in enumerate(self._steps.values())
        }
        self._parents = {
            places[node]: None if parent is None else places[parent] for node, parent in self._parents.items()
        }
        settled: dict[int, Trajectory] = {}  # attempts share the attempts before them

        def found(trajectory: Trajectory) -> Trajectory:
            if id(trajectory) not in settled:
                steps = tuple([self._steps[places[step.node]] for step in trajectory.steps])
                history = tuple([replace(turn, attempt=found(turn.attempt)) for turn in trajectory.history])
                settled[id(trajectory)] = replace(trajectory, steps=steps, history=history)
            return settled[id(trajectory)]

        return tuple([found(trajectory) for trajectory in trajectories])

    def _step(self, node: int) -> Step:
        return self._steps[node] if node in self._steps or self._trunk is None else self._trunk._step(node)
