"""The exceptions a user is meant to read."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator

# What a file system refuses, for reasons that lie in it and not in the code. That there is no such file may be a bug.
REFUSALS = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE),
        *(errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.ELOOP, errno.ENAMETOOLONG, errno.ENFILE),
    }
)
# Libraries that save models have exceptions of their own for it.
UNSAVED = "Error while serializing: ", "PytorchStreamWriter failed writing", "fail at inline_container.cc"


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
        if (refused := _refused(cause)) is not None:
            return UserError(refused)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _refused(error: BaseException) -> str | None:
    """What the file system says; None: it is not that."""
    if isinstance(error, OSError) and error.errno in REFUSALS:
        return f"{error.filename or 'a file cannot be written'}: {error.strerror}"
    unsaved = [text for text in str(error).splitlines() if any(mark in text for mark in UNSAVED)]
    return f"a file cannot be written: {unsaved[0].strip()}" if unsaved else None


def _out_of_memory(error: BaseException) -> bool:
    torch = sys.modules.get("torch")  # whoever ran out of its memory has imported it
    full = (MemoryError,) if torch is None else (MemoryError, torch.OutOfMemoryError)
    # On the CPU torch has no class for it.
    return isinstance(error, full) or (type(error) is RuntimeError and "DefaultCPUAllocator: " in str(error))
