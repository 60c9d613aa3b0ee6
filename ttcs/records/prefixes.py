"""The beginnings of solutions, numbered, so that those that several of them share are told."""

from __future__ import annotations

from collections.abc import Sequence

Prefixes = tuple[
    tuple[int, int], ...
]  # of a solution, the shortest first: its number, and tokens beyond the one before
Numbers = dict[tuple[int | None, str], int]  # by the number of the prefix before, and the text of the step


def numbered(steps: Sequence[tuple[str, int]], numbers: Numbers) -> Prefixes:
    """steps: text and tokens of each. numbers: of the prefixes of the problem's other solutions; added to."""
    found: list[tuple[int, int]] = []
    before: int | None = None
    for text, tokens in steps:
        before = numbers.setdefault((before, text), len(numbers))
        found.append((before, tokens))
    return tuple(found)
