"""A search under way, and the searches that it runs side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

from ttcs.core import Continue, Request, Sample, Score, Search
from ttcs.search.tree import Tree
from ttcs.search.waves import Branching, Reply


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
            )
            for i, trajectory in enumerate(sample.trajectories)
        ]

    def fork(self, searches: Iterable[Search]) -> list[Branch]:
        """Searches side by side, each in a fork of the tree."""
        turn, self.turn = self.turn, self.turn + 1
        return [Branch(search, self.tree.fork(), f"{self.name}\0{turn}\0{i}") for i, search in enumerate(searches)]

    def join(self, forks: Iterable[Branch]) -> None:
        joined = list(forks)
        self.tree.join(fork.tree for fork in joined)
        self.rounds += max((fork.rounds for fork in joined), default=0)


Asked = tuple[Branch, Sample | Score]  # what an engine has to give
# All that a search, and those that advance together with it, ask for at a time.
Rounds = Generator[list[Asked] | Branching, list[Reply], Reply]


def in_step(searches: Sequence[Rounds]) -> Generator[list[Asked], list[Reply], list[Reply]]:
    """What searches side by side ask for, a request of each at a time; the candidates of each."""
    asked: dict[int, list[Asked]] = {}
    found: list[Reply] = [()] * len(searches)

    def advance(place: int, replies: list[Reply] | None) -> None:
        try:
            round_ = next(searches[place]) if replies is None else searches[place].send(replies)
            assert not isinstance(round_, Branching)  # those within advance together too
            asked[place] = round_
        except StopIteration as end:
            asked.pop(place, None)
            found[place] = end.value

    for place in range(len(searches)):
        advance(place, None)
    while asked:
        replies: Iterator[Reply] = iter((yield [one for each in asked.values() for one in each]))
        for place, own in list(asked.items()):
            advance(place, list(islice(replies, len(own))))
    return found


def seed(name: str) -> int:
    """64 bits from what identifies a request, whatever else is running."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
