"""How the solutions of a run ended: by themselves, or cut off where there was no more room for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from ttcs.core import Stop
from ttcs.records.record import NodeRecord, Record

NO_END = (
    "no solution has ended by itself: max_tokens is too small, or the model does not know where its turn ends "
    "(eos_token of its tokenizer, or eos_token_id of its generation_config.json, is none or another than its chat "
    "template writes)"
)


@dataclass(frozen=True, slots=True)
class Endings:
    """Counts, over the whole search trees.

    solutions: all that have ended, however they have. ended: by themselves. cut: at the policy's token limit or the end
    of its context; at_context: those that were shorter than the limit. too_long: problems that leave no room for a
    single token; they are not among the solutions.
    """

    solutions: int = 0
    ended: int = 0
    cut: int = 0
    at_context: int = 0
    too_long: int = 0

    @classmethod
    def of(cls, record: Record, max_tokens: int | None) -> Endings:
        """max_tokens: the policy's limit; None: not known."""
        roots = [node for node in record.tree if node.parent is None]
        if roots and all(node.stop == Stop.LENGTH and node.tokens == 0 for node in roots):
            return cls(too_long=1)
        lengths = _lengths(record.tree)
        last = [node for node in record.tree if _ends(node)]
        cut = [lengths[node.node] for node in last if node.stop == Stop.LENGTH]
        shorter = sum(length is not None and max_tokens is not None and length < max_tokens for length in cut)
        return cls(len(last), sum(node.stop == Stop.END for node in last), len(cut), shorter)

    @classmethod
    def total(cls, each: Sequence[Endings]) -> Endings:
        return cls(*(sum(getattr(one, field.name) for one in each) for field in fields(cls)))

    def notes(self, max_tokens: int | None) -> list[str]:
        """What a person has to know of it, in sentences; none where all solutions have ended by themselves."""
        found = []
        if self.too_long:
            found.append(f"{self.too_long} problem{' does' if self.too_long == 1 else 's do'} not fit the context")
        if at_limit := self.cut - self.at_context:
            found.append(
                f"{self._of_all(at_limit)} cut off{'' if max_tokens is None else f' at max_tokens={max_tokens}'}"
            )
        if self.at_context:
            found.append(
                f"{self._of_all(self.at_context)} cut off where the context ends, before max_tokens={max_tokens}"
            )
        if self.solutions and self.cut == self.solutions:
            found.append(NO_END)
        return found

    def _of_all(self, count: int) -> str:
        were = "was" if count == 1 else "were"
        return f"{count:,} of {self.solutions:,} solution{'s' * (self.solutions != 1)} {were}"


def _ends(node: NodeRecord) -> bool:
    cut = node.stop == Stop.CUT and not node.thinking
    return cut or node.stop in (Stop.END, Stop.LENGTH, Stop.BUDGET, Stop.DOUBT)


def _lengths(tree: Iterable[NodeRecord]) -> dict[int, int | None]:
    """Node -> tokens of the solution up to its end; None: not known. A step stands behind the one before it."""
    lengths: dict[int, int | None] = {}
    for node in tree:
        before = 0 if node.parent is None else lengths[node.parent]
        lengths[node.node] = None if before is None or node.tokens is None else before + node.tokens
    return lengths
