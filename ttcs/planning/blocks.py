"""Keys and values in blocks, as vLLM keeps them: which beginnings of which sequences an engine has not lost yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

BLOCK = 16  # tokens of a block, vLLM's default on GPUs


def chain(start: int, steps: Iterable[Sequence[int]]) -> list[int]:
    """A number for each beginning of a sequence that is told by its pieces: start, then start and the first step, ...

    Two sequences have the same number where all their tokens so far are the same.
    """
    found = [start]
    for tokens in steps:
        found.append(hash((found[-1], tuple(tokens))))
    return found


def blocks(beginnings: Sequence[int], lengths: Sequence[int], size: int = BLOCK) -> list[int]:
    """The full blocks of a sequence, each told by all that is in and before it.

    beginnings: of its pieces, as from `chain`; lengths: tokens of each piece.
    """
    found: list[int] = []
    end = 0
    for name, length in zip(beginnings, lengths, strict=True):
        end += length
        found += [hash((name, place)) for place in range(len(found), end // size)]
    return found


class BlockCache:
    """The blocks an engine holds; the least recently used go first, of a sequence its last ones.

    tokens: that fit in it, `size` of them in a block. Blocks of sequences being worked on are those used last.
    """

    def __init__(self, tokens: int, size: int = BLOCK) -> None:
        self.limit = tokens // size
        self.size = size
        self._held: OrderedDict[int, None] = OrderedDict()  # the least recently used first

    def __len__(self) -> int:
        return len(self._held)

    def cached(self, sequence: Sequence[int], tokens: int) -> int:
        """Leading tokens of a sequence that are held; the last of its `tokens` is always computed."""
        held = self._held
        most = (tokens - 1) // self.size
        return self.size * next((place for place, block in enumerate(sequence[:most]) if block not in held), most)

    def use(self, sequence: Sequence[int]) -> None:
        """Hold a sequence's blocks, and drop the oldest of what no longer fits."""
        held = self._held
        for block in reversed(sequence):
            held[block] = None
            held.move_to_end(block)
        while len(held) > self.limit:
            held.popitem(last=False)

    def clear(self) -> None:
        self._held.clear()
