"""What a stopping rule sees of candidates that are drawn until they are enough."""

from __future__ import annotations

from ttcs.core import Candidate, Enough, Reduction, Stopping, Trajectory


def settled(stopping: Stopping, reduction: Reduction, n: int) -> Enough:
    """Whether the vote of the first candidates, of n at most, is settled by the rule.

    reduction: how the step scores of a candidate become the one that the rule sees, if it reads scores at all.
    """

    def enough(drawn: tuple[Trajectory, ...], groups: tuple[int | None, ...]) -> bool:
        votes = [Candidate(group, reduction(one.scores), one.subtree) for one, group in zip(drawn, groups, strict=True)]
        return stopping(votes, n)

    return enough
