"""What a client is told where it is given no answer, in the form of OpenAI's API."""

from __future__ import annotations

import traceback
from typing import Any

from ttcs.errors import EngineError, UserError

KINDS = {401: "authentication_error", 429: "rate_limit_error"}


class RefusedError(Exception):
    """status: of HTTP. param: the key of the request that is to blame."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    def body(self) -> dict[str, Any]:
        kind = KINDS.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def refused(error: Exception) -> RefusedError:
    """What a search failed with, as a client is told. A bug is told by its kind alone, and to us with its traceback."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, EngineError):
        return RefusedError(503, str(error))
    if isinstance(error, UserError):
        return RefusedError(400, str(error))
    traceback.print_exception(error)
    return RefusedError(500, f"the search failed: {type(error).__name__}")
