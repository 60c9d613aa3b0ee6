"""The exceptions a user is meant to read."""

from __future__ import annotations

import sys
from collections.abc import Iterator


class UserError(Exception):
    """Bad input: printed as one line, exit code 2, no traceback."""


class EngineError(UserError):
    """A policy, a PRM or a worker gave out in the middle of a run, which can go on from its records."""


def told(error: BaseException) -> UserError | None:
    """What a person is told of an exception: what it is or was caused by; None: it is a bug, with a traceback."""
    for cause in _causes(error):
        if isinstance(cause, UserError):
            return cause
        if _out_of_memory(cause):
            first = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
            return EngineError(f"out of memory (a smaller batch_size or cache_gb takes less): {first}")
        if isinstance(cause, UnicodeEncodeError) and cause.reason == "surrogates not allowed":
            half, before = cause.object[cause.start], cause.object[max(0, cause.start - 40) : cause.start]
            return UserError(f"half a surrogate pair (\\u{ord(half):04x}), which is no character, after {before!r}")
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _out_of_memory(error: BaseException) -> bool:
    torch = sys.modules.get("torch")  # whoever ran out of its memory has imported it
    full = (MemoryError,) if torch is None else (MemoryError, torch.OutOfMemoryError)
    # On the CPU torch has no class for it.
    return isinstance(error, full) or (type(error) is RuntimeError and "DefaultCPUAllocator: " in str(error))
