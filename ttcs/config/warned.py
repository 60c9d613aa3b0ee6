"""Warnings as a person reads them: a line each, without the place in the code that they come from."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Plain:
    """Shows warnings to the user, each once. others: what shows those to developers, about deprecation and the like."""

    others: Callable[..., None]
    said: set[str] = field(default_factory=set)

    def __call__(self, message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if not issubclass(category, UserWarning):
            self.others(message, category, *where, **more)
        elif (line := " ".join(str(message).split())) not in self.said:
            self.said.add(line)
            print(f"warning: {line}", file=sys.stderr)


@contextmanager
def plainly() -> Iterator[None]:
    """While it lasts, a UserWarning is one line on stderr. Nested in another, it knows what that has said."""
    with warnings.catch_warnings():
        if not isinstance(warnings.showwarning, Plain):
            warnings.showwarning = Plain(warnings.showwarning)
        yield
