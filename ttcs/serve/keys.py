"""An object of JSON that a client has sent, read key by key: what nobody reads is known to nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ttcs.config.bounds import Bounds
from ttcs.serve.refusals import RefusedError

SHOWN = 100  # characters of a value that is refused


@dataclass(slots=True)
class Keys:
    """within: the dotted key of the object, and a dot; empty: it is the body. null is as good as a key left out."""

    content: Mapping[str, Any]
    within: str = ""
    _read: set[str] = field(default_factory=set)

    def take(self, key: str) -> Any:
        self._read.add(key)
        return self.content.get(key)

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            raise self.refusal(key, f"{shown(value)} is neither true nor false")
        return bool(value)

    def number(self, key: str, limits: Bounds) -> Any:
        value = self.take(key)
        if value is not None and not limits.hold(value):
            line = limits.refusal(f"{self.within}{key}", value if type(value) is int else shown(value))
            raise RefusedError(400, line, f"{self.within}{key}")
        return value

    def end(self, known: str) -> None:
        """RefusedError for a key that was not read. known: what the line says of it."""
        for key in self.content:
            if key not in self._read:
                raise RefusedError(400, known.format(key=key[:SHOWN]), f"{self.within}{key[:SHOWN]}")

    def refusal(self, key: str, line: str) -> RefusedError:
        """line: what follows `key=`."""
        return RefusedError(400, f"{self.within}{key}={line}", f"{self.within}{key}")


def shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def same(value: Any, usual: Any) -> bool:
    """Whether it is this value of JSON: true is no 1 there."""
    return isinstance(value, bool) == isinstance(usual, bool) and bool(value == usual)
