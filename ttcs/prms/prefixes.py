"""Which prefixes of which solutions have to be read for a batch of requests, and what is known already."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice, pairwise

from ttcs.core import Judge, Judged
from ttcs.models.pieces import Prefix
from ttcs.prms.format import Reader

MEMO = 20_000  # scores kept for prefixes that come again
WORTH = 16  # tokens that sequences of a batch have in common when these are read first, once, in a pass of their own
PADDING = 32  # tokens of padding in a row that cost less than a pass more


@dataclass(frozen=True, slots=True)
class Reading:
    """What one request comes to: for each of its steps the prefix that is read for it (None: no score, or has one).

    limit: tokens that the PRM reads at most, where the solution has more: then nothing is read.
    """

    judge: Judge
    prefixes: tuple[Prefix | None, ...]
    limit: int | None = None

    @property
    def tokens(self) -> int:
        """Tokens read, each once however many of the prefixes it is in."""
        return tree_size(prefix for prefix in self.prefixes if prefix)

    def judged(self, scores: Mapping[Prefix, float], cached_tokens: int) -> Judged:
        steps = self.judge.trajectory.steps
        found = (
            step.score if prefix is None else scores[prefix] for step, prefix in zip(steps, self.prefixes, strict=True)
        )
        return Judged(tuple(found), self.tokens, cached_tokens, self.limit)


def reading(judge: Judge, reader: Reader, context: int) -> Reading:
    """context: the longest sequence the PRM can read."""
    steps = judge.trajectory.steps
    spoken = [place for place, step in enumerate(steps) if not step.blank]
    prefixes: list[Prefix | None] = [None] * len(steps)
    attempts = [turn.attempt.text for turn in judge.trajectory.history]
    found = reader(judge.trajectory.problem, [steps[i].text for i in spoken], attempts)
    for place, prefix in zip(spoken, found, strict=True):
        prefixes[place] = prefix if steps[place].score is None else None
    longest = max((len(prefix) for prefix in prefixes if prefix), default=0)
    return unread(judge, context) if longest > context else Reading(judge, tuple(prefixes))


def unread(judge: Judge, limit: int) -> Reading:
    """Of a solution that is too long."""
    return Reading(judge, (None,) * len(judge.trajectory.steps), limit)


@dataclass(slots=True)
class Memo:
    """Scores by prefix: what was computed once is never computed again, whichever request asks.

    Keeps the latest `MEMO` of them, by a hash of the prefix, which is many times smaller.
    """

    _scores: dict[bytes, float] = field(init=False, default_factory=dict)

    def known(self, readings: Sequence[Reading]) -> dict[Prefix, float]:
        asked = {prefix: _key(prefix) for reading in readings for prefix in reading.prefixes if prefix}
        return {prefix: self._scores[key] for prefix, key in asked.items() if key in self._scores}

    def learn(self, scores: Mapping[Prefix, float]) -> None:
        for prefix, score in scores.items():
            key = _key(prefix)
            self._scores.pop(key, None)  # what is learnt or used again is the latest
            self._scores[key] = score
        for key in list(islice(self._scores, max(0, len(self._scores) - MEMO))):
            del self._scores[key]

    def clear(self) -> None:
        self._scores.clear()


def sequences(prefixes: Sequence[Prefix]) -> dict[Prefix, list[int]]:
    """The fewest sequences that hold all prefixes: each with the lengths of those it begins with, rising.

    In the order in which the sequences first appear among the prefixes.
    """
    holders: dict[Prefix, list[int]] = {}
    holder: Prefix = ()
    for prefix in sorted(set(prefixes), reverse=True):  # a sequence, then at once all of its prefixes
        if holder[: len(prefix)] != prefix:
            holder = prefix
        holders.setdefault(holder, []).append(len(prefix))
    first = {prefix: place for place, prefix in reversed(list(enumerate(prefixes)))}
    for lengths in holders.values():
        lengths.sort()
    rank = {holder: min(first[holder[:end]] for end in ends) for holder, ends in holders.items()}
    return {holder: holders[holder] for holder in sorted(holders, key=rank.__getitem__)}


def stems(sequences: Iterable[Prefix], held: Callable[[Prefix], int], worth: int) -> list[Prefix]:
    """The shortest beginnings that at least two sequences share, with `worth` tokens or more to be read.

    held: how many leading tokens of a sequence need not be read. No stem is the beginning of another, so that all of
    them can be read side by side; what their sequences share beyond them are the stems of the next round.
    """
    found: list[Prefix] = []
    for stem in sorted({first[: shared(first, second)] for first, second in pairwise(sorted(set(sequences)))}):
        inside = bool(found) and stem[: len(found[-1])] == found[-1]
        if not inside and len(stem) - held(stem) >= worth:
            found.append(stem)
    return found


def side_by_side(left: Mapping[Prefix, int], rows: int) -> Iterator[list[Prefix]]:
    """What is read in one pass: as long as it is not much shorter, for all are padded to the longest.

    left: tokens to be read of each sequence. rows: sequences in a pass at most.
    """
    batch: list[Prefix] = []
    for tokens in sorted(left, key=left.__getitem__, reverse=True):
        if batch and (len(batch) == rows or left[batch[0]] > 2 * left[tokens] + PADDING):
            yield batch
            batch = []
        batch.append(tokens)
    if batch:
        yield batch


def tree_size(prefixes: Iterable[Prefix]) -> int:
    """Nodes of the tree of all prefixes: tokens to be read when none is read twice."""
    total = 0
    before: Prefix = ()
    for prefix in sorted(prefixes):
        total += len(prefix) - shared(before, prefix)
        before = prefix
    return total


def shared(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two sequences have in common."""
    for place, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return place
    return min(len(first), len(second))


def _key(prefix: Prefix) -> bytes:
    return blake2b(array("q", prefix).tobytes(), digest_size=16).digest()
