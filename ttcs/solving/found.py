"""What a search has found, read from its record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ttcs.core import Problem
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.search.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the different answers: how much of the weight it has, and its candidates by number, the best one first."""

    text: str
    share: float
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a search.

    record: what a run writes of the same problem (docs/records.md). by_scores: candidates weigh as much as their score;
    else one as much as another. late: its time was up, and this is the best of what had ended by then.

        found = solver.solve("What is $7 \\cdot 13$?")
        found.answer, found.confidence, found.ledger.decoded_tokens
    """

    problem: Problem
    record: Record
    by_scores: bool
    late: bool = False

    @property
    def answer(self) -> str | None:
        """None: no candidate has one that can be chosen."""
        return self.record.answer

    @property
    def text(self) -> str | None:
        """The solution that was chosen, without its thinking."""
        return None if self.record.chosen is None else self.solution(self.record.chosen)

    @property
    def confidence(self) -> float:
        """The share that the answer has of the weight of all candidates with an answer; 0: there is no answer."""
        chosen = self.record.chosen
        group = None if chosen is None else self.candidates[chosen].group
        return 0.0 if group is None else self._shares().get(group, 0.0)

    @property
    def candidates(self) -> tuple[CandidateRecord, ...]:
        """In the order of the search."""
        return self.record.candidates

    @property
    def tree(self) -> tuple[NodeRecord, ...]:
        """Every step that was sampled, once."""
        return self.record.tree

    @property
    def ledger(self) -> Ledger:
        """What it cost."""
        return self.record.ledger

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The different answers, the chosen one first, then the heaviest."""
        groups: dict[int, list[int]] = {}
        for number, candidate in enumerate(self.candidates):
            if candidate.group is not None:
                groups.setdefault(candidate.group, []).append(number)
        shares = self._shares()
        found = [Answer(*self._best(numbers, shares[group])) for group, numbers in groups.items()]
        chosen = self.record.chosen
        return tuple(sorted(found, key=lambda answer: (chosen not in answer.candidates, -answer.share)))

    @property
    def without(self) -> tuple[int, ...]:
        """Candidates without an answer: those that came to their end first, of these and the others the best first."""
        numbers = [number for number, candidate in enumerate(self.candidates) if candidate.group is None]
        return tuple(sorted(numbers, key=lambda i: (not self.candidates[i].finished, -self._score(i))))

    def solution(self, candidate: int) -> str:
        """The text of a candidate, by its number, without its thinking."""
        return "".join(node.text for node in self.steps(candidate) if not node.thinking)

    def steps(self, candidate: int) -> tuple[NodeRecord, ...]:
        """Those of a candidate, by its number, the first one first."""
        found: list[NodeRecord] = []
        node = self.candidates[candidate].leaf
        while node is not None:
            found.append(self.tree[node])
            node = self.tree[node].parent
        return tuple(reversed(found))

    def _best(self, numbers: Sequence[int], share: float) -> tuple[str, float, tuple[int, ...]]:
        order = tuple(sorted(numbers, key=lambda i: (i != self.record.chosen, -self._score(i))))
        return str(self.candidates[order[0]].answer), share, order

    def _score(self, number: int) -> float:
        score = self.candidates[number].score
        return -math.inf if score is None else score

    def _shares(self) -> dict[int, float]:
        """By group. Where nobody has a score, as of a lone answer, all weigh the same."""
        voters = [candidate for candidate in self.candidates if candidate.group is not None]
        scored = self.by_scores and any(candidate.score for candidate in voters)
        weights: dict[int, float] = {}
        for candidate in voters:
            assert candidate.group is not None
            weight = (candidate.score or 0.0) if scored else 1.0
            weights[candidate.group] = weights.get(candidate.group, 0.0) + weight
        total = math.fsum(weights.values())
        return {group: weight / total for group, weight in weights.items()}

    def _repr_html_(self) -> str:
        """For notebooks."""
        from ttcs.solving.page import page

        return page(self)
