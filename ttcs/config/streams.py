"""What a command says reaches every terminal and pipe, whatever its encoding."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def forgiving() -> None:
    r"""Have this process write \xe4 where its output has no such character, instead of ending with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a test or a notebook may have put something else there
            stream.reconfigure(errors="backslashreplace")


def let_go() -> None:
    """Give up what our output does not take, at which the interpreter would end with an exit code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
