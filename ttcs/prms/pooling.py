"""What a vLLM server is asked so that it gives the logits of prefixes, and where in its answer they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from ttcs.errors import UserError
from ttcs.models.pieces import Prefix
from ttcs.prms.prefixes import sequences

Logits = list[float | None]  # None is JSON's NaN


class Pooling(Protocol):
    """A pooling task of vLLM's; the server must have been started for it."""

    task: ClassVar[str]

    def inputs(self, prefixes: Sequence[Prefix]) -> list[Prefix]:
        """What the server has to read."""
        ...

    def logits(self, prefixes: Sequence[Prefix], data: Sequence[Any]) -> dict[Prefix, Logits]:
        """data: what the server gives for each of the inputs. UserError when it is not what this task gives."""
        ...


class LastToken:
    """The logits of each input's last token, so every prefix is an input; what they share the server has cached."""

    task: ClassVar[str] = "classify"

    def inputs(self, prefixes: Sequence[Prefix]) -> list[Prefix]:
        return list(prefixes)

    def logits(self, prefixes: Sequence[Prefix], data: Sequence[Any]) -> dict[Prefix, Logits]:
        _check(len(prefixes), data)
        return dict(zip(prefixes, data, strict=True))


class EveryToken:
    """The logits of all tokens, so a solution is one input. All of it is read: cached tokens would have no rows."""

    task: ClassVar[str] = "token_classify"

    def inputs(self, prefixes: Sequence[Prefix]) -> list[Prefix]:
        return list(sequences(prefixes))

    def logits(self, prefixes: Sequence[Prefix], data: Sequence[Any]) -> dict[Prefix, Logits]:
        holders = sequences(prefixes)
        _check(len(holders), data)
        found: dict[Prefix, Logits] = {}
        for (tokens, ends), rows in zip(holders.items(), data, strict=True):
            if len(rows) != len(tokens):
                raise UserError(
                    f"the PRM's server gives {len(rows)} rows for {len(tokens)} tokens: it has to be started with "
                    """--pooler-config '{"task": "token_classify", "tok_pooling_type": "ALL"}'"""
                )
            found |= {tokens[:end]: rows[end - 1] for end in ends}
        return found


def _check(asked: int, data: Sequence[Any]) -> None:
    if len(data) != asked:
        raise UserError(f"the PRM's server gives {len(data)} results for {asked} inputs")
