"""A search under way, and the searches that it runs side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

from ttcs.core import Continue, Request, Sample, Score, Search
from ttcs.search.tree import Tree
from ttcs.search.waves import Branching, Reading, Reply


@dataclass(slots=True)
class Branch:
    """name: what its seeds are made of: the seed of the run, the problem, and of a search within another one the turn
    of that and the number in this turn. turn: how often it has asked for samples, or for searches. rounds: how often it
    has waited for samples, one after another; for searches side by side as often as the one that did the most.
    """

    search: Search
    tree: Tree
    name: str
    turn: int = 0
    rounds: int = 0

    def resume(self, reply: Reply | None) -> Request | Reply:
        """The next request, or the candidates when the search returns."""
        try:
            return next(self.search) if reply is None else self.search.send(reply)
        except StopIteration as end:
            candidates: Reply = end.value
            return candidates

    def requests(self, sample: Sample) -> list[Continue]:
        turn, self.turn = self.turn, self.turn + 1
        return [
            Continue(
                trajectory,
                sample.max_steps,
                None,
                sample.temperature,
                seed(f"{self.name}\0{turn}\0{i}"),
                logprobs=sample.logprobs,
                thinking=sample.thinking,
                answer=sample.answer,
                total=sample.total,
                suppress=sample.suppress,
                confidence=sample.confidence,
                least=sample.least,
                lookahead=sample.lookahead,
            )
            for i, trajectory in enumerate(sample.trajectories)
        ]

    def fork(self, searches: Iterable[Search]) -> list[Branch]:
        """Searches side by side, each in a fork of the tree."""
        turn, self.turn = self.turn, self.turn + 1
        return [Branch(search, self.tree.fork(), f"{self.name}\0{turn}\0{i}") for i, search in enumerate(searches)]

    def join(self, forks: Iterable[Branch], in_turn: bool = False) -> None:
        """in_turn: they ran one after another."""
        joined = list(forks)
        self.tree.join(fork.tree for fork in joined)
        rounds = [fork.rounds for fork in joined]
        self.rounds += sum(rounds) if in_turn else max(rounds, default=0)


Asked = tuple[Branch, Sample | Score]  # what an engine has to give
# All that a search, and those that advance together with it, ask for at a time; of answers that are read the groups.
Rounds = Generator[list[Asked] | Branching | Reading, list[Any], Reply]


def in_step(searches: Sequence[Rounds]) -> Generator[list[Asked] | Reading, list[Any], list[Reply]]:
    """What searches side by side ask for, a request of each at a time; the candidates of each."""
    asked: dict[int, list[Asked]] = {}
    reading: dict[int, Reading] = {}
    found: list[Reply] = [()] * len(searches)

    def advance(place: int, replies: list[Any] | None) -> None:
        try:
            round_ = next(searches[place]) if replies is None else searches[place].send(replies)
        except StopIteration as end:
            found[place] = end.value
            return
        assert not isinstance(round_, Branching)  # those within advance together too
        if isinstance(round_, Reading):
            reading[place] = round_
        else:
            asked[place] = round_

    for place in range(len(searches)):
        advance(place, None)
    while asked or reading:
        while reading:
            place, read = reading.popitem()
            advance(place, (yield read))
        waiting, asked = dict(sorted(asked.items())), {}
        replies: Iterator[Reply] = iter((yield [one for each in waiting.values() for one in each]) if waiting else ())
        for place, own in waiting.items():
            advance(place, list(islice(replies, len(own))))
    return found


def seed(name: str) -> int:
    """64 bits from what identifies a request, whatever else is running."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
