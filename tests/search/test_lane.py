from __future__ import annotations

from dataclasses import dataclass, field

from ttcs.search.lane import Lane


@dataclass
class Doubling:
    """Doubles numbers, last in first out, two at a time."""

    stack: list[tuple[int, int]] = field(default_factory=list)

    def add(self, ticket: int, request: int) -> None:
        self.stack.append((ticket, 2 * request))

    def step(self) -> list[tuple[int, int]]:
        return [self.stack.pop() for _ in range(min(2, len(self.stack)))]


def test_waves_come_back_whole_and_in_order() -> None:
    engine = Doubling()
    lane: Lane[str, int, int] = Lane(lambda: engine)
    lane.add("a", [1, 2, 3])
    lane.add("b", [4, 5])
    assert len(lane) == 5
    assert lane.step() == [("b", [8, 10])]
    assert lane.step() == []
    assert len(lane) == 1
    assert lane.step() == [("a", [2, 4, 6])]
    assert not lane


def test_the_engine_is_loaded_by_the_first_request() -> None:
    loaded: list[Doubling] = []

    def load() -> Doubling:
        loaded.append(Doubling())
        return loaded[0]

    lane: Lane[str, int, int] = Lane(load)
    assert not lane and not loaded
    lane.add("a", [1])
    assert loaded
