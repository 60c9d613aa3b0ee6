"""The one exception a user is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """Bad input: printed as one line, exit code 2, no traceback."""
