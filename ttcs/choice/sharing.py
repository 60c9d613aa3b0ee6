"""How the samples of a whole problem set are shared out: the next ones go where the vote is least settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ttcs.choice.part import part
from ttcs.choice.stopping.beta import probability
from ttcs.choice.stopping.votes import leaders, votes
from ttcs.core import Candidate

Draw = tuple[int, int]  # a problem, and the place of one of its samples


@dataclass(frozen=True, slots=True)
class Sharing:
    """In rounds, `block` samples each for the `part` of the problems whose votes are least settled.

    Our own rule, after the question that Damani et al. (2024) have a model answer: what is gained by more samples here?
    Instead of learning that it takes the chance that the answer in front is not the likelier of the two leading ones
    (`Beta`), which the next samples may show. Ties go to the problem with fewer samples, then to the one named first,
    so that the order depends on the round and the problem, and on nothing that arrives sooner or later. In this order
    samples are paid for; the one in which the tokens run out has no answer, and is the last.

    tokens: for all problems together (None, of a replay: what n samples of each would take).
    """

    tokens: int | None
    block: int
    part: float

    def share_out(self, problems: int, most: int, draw: Callable[[Sequence[Draw]], Sequence[Candidate]]) -> int:
        """Rounds until each of so many problems has `most` samples, or the tokens are spent; how many it took.

        draw: what has come of these samples, in this order, as far as the tokens last.
        """
        drawn: list[list[Candidate]] = [[] for _ in range(problems)]
        rounds = 0
        while asked := self.round(drawn, most):
            wanted = [(i, k) for i in asked for k in range(len(drawn[i]), min(len(drawn[i]) + self.block, most))]
            found = draw(wanted)
            for (i, _), sample in zip(wanted, found, strict=False):
                drawn[i].append(sample)
            rounds += bool(found)
            if len(found) < len(wanted):
                break
        return rounds

    def round(self, drawn: Sequence[Sequence[Candidate]], most: int) -> list[int]:
        """The problems that get samples next, the least settled first; empty once all have `most`.

        drawn: of each problem so far.
        """
        open_ = [i for i, own in enumerate(drawn) if len(own) < most]
        ranked = sorted(open_, key=lambda i: (-unsettled(drawn[i]), len(drawn[i]), i))
        return ranked[: max(1, int(part(self.part, len(drawn))))]


def unsettled(drawn: Sequence[Candidate]) -> float:
    """The chance that the answer in front is not the likelier of the two leading ones: 0.5 without a vote."""
    return 1.0 - probability(*leaders(votes(drawn)))
