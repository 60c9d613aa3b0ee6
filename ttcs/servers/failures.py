"""What is told of a server that does not do what it was asked."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from ttcs.errors import UserError

LATER = frozenset({408, 409, 425, 429})  # and 5xx: the same request may succeed in a while
FULL = re.compile(r"context.?(length|size|window)|maximum model length|prompt is too long", re.IGNORECASE)


class NotThereError(UserError):
    """The server does not have what was asked for under this path."""


class ContextExceededError(Exception):
    """The prompt, or what it asks for, is longer than what the server can read."""


@dataclass
class BusyError(Exception):
    """The server says that it cannot do it now. retry_after: seconds, where it says."""

    reason: str
    retry_after: float | None

    def __str__(self) -> str:
        return self.reason


def failure(response: httpx2.Response, name: str) -> Exception:
    """What an answer of 400 or more means. name: of the component, whose settings may be what is wrong."""
    retry_after = _retry_after(response.headers.get("retry-after"))
    return _meant(str(response.request.url), response.status_code, _message(response), name, retry_after)


def refusal(answer: Any, url: str, name: str) -> Exception | None:
    """What an answer of 200 says went wrong; None: nothing. Where it does not say what, the server is busy."""
    error = _error(answer)
    if error is None:
        return None
    code = str(error.get("code")) if isinstance(error, dict) else ""
    said = _first_line(error)
    if not code.isdigit() or not 400 <= int(code) < 600:
        return ContextExceededError(said) if FULL.search(said) else BusyError(said or "an error", None)
    return _meant(url, int(code), said, name, None)


def _error(answer: Any) -> Any:
    """Of the answer as a whole, or of its one choice."""
    if not isinstance(answer, dict):
        return None
    if answer.get("error") or answer.get("object") == "error":
        return answer.get("error") or answer
    for choice in answer.get("choices") or ():
        if not isinstance(choice, dict):
            continue
        if choice.get("error") or choice.get("finish_reason") == "error":
            return choice.get("error") or "an answer broke off"
    return None


def _meant(url: str, status: int, said: str, name: str, retry_after: float | None) -> Exception:
    reason = f"HTTP {status}{said and f': {said}'}"
    if status in LATER or (status >= 500 and status != 501):
        return BusyError(reason, retry_after)
    if status in (400, 413, 422) and FULL.search(said):
        return ContextExceededError(said)
    if status in (401, 403):
        return UserError(f"{url} does not accept the key ({reason}): {name}.api_key_env names the variable it is in")
    if status in (404, 405, 501):
        return NotThereError(f"{url} is not there ({reason}): look at {name}.url and {name}.served_model")
    return UserError(f"{url} refuses the request ({reason})")


def _message(response: httpx2.Response) -> str:
    said: object = response.text
    with suppress(ValueError):
        said = response.json()
    return _first_line(said)


def _first_line(said: object) -> str:
    """Of what the server says, wherever in its answer it says it."""
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail") if said.get(key)), "")
    lines = str(said).strip().splitlines()
    return lines[0][:300] if lines else ""


def _retry_after(header: str | None) -> float | None:
    """Seconds, from a number of them or from a date."""
    if header is None:
        return None
    with suppress(ValueError):
        return max(0.0, float(header))
    with suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    return None
