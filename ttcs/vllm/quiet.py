"""Keeps what an engine's processes print off the terminal, where a run has its progress bar."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import mkstemp

from ttcs.vllm.orphan import PARENT

LEVEL = "VLLM_LOGGING_LEVEL"  # whoever sets it wants to see what vLLM says


def chosen() -> bool:
    """Whether vLLM is to write to the terminal."""
    return LEVEL in os.environ


def silence() -> None:
    """Of vLLM in our own process; before it is imported."""
    if not chosen():
        logging.getLogger("vllm").addHandler(logging.NullHandler())


def new_log(name: str) -> Path:
    handle, path = mkstemp(prefix=f"ttcs-vllm-{name}-", suffix=".log")
    os.close(handle)
    return Path(path)


@contextmanager
def started_quietly(log: Path | None, environment: Mapping[str, str]) -> Iterator[None]:
    """Processes started meanwhile print to `log` and have `environment`; we print where we did.

    log: None to leave it where it goes. What a process inherits are the descriptors 1 and 2, so those are redirected,
    and sys.stdout and sys.stderr are not.
    """
    kept = dict(os.environ)
    os.environ |= {**environment, PARENT: str(os.getpid())}
    try:
        with nullcontext() if log is None else _redirected(log):
            yield
    finally:
        os.environ.clear()  # vLLM sets variables of its own, which are not for what else we start
        os.environ |= kept


@contextmanager
def _redirected(log: Path) -> Iterator[None]:
    streams = sys.stdout, sys.stderr
    own = os.dup(1), os.dup(2)
    with (
        log.open("ab") as file,
        os.fdopen(own[0], "w", buffering=1, encoding="utf-8", errors="backslashreplace") as out,
        os.fdopen(own[1], "w", buffering=1, encoding="utf-8", errors="backslashreplace") as err,
    ):
        for stream, descriptor in zip(streams, (1, 2), strict=True):
            stream.flush()
            os.dup2(file.fileno(), descriptor)
        sys.stdout, sys.stderr = out, err
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams
            os.dup2(own[0], 1)
            os.dup2(own[1], 2)
