"""A request of a client, checked: what cannot be honoured is refused, never ignored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ttcs.config.bounds import HUGE
from ttcs.config.unicode import mended
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.serve.conversation import conversation
from ttcs.serve.refusals import RefusedError
from ttcs.serve.settings import Settings

OPTIONS = "strategy", "selection", "reduction"
OWN = "strategy", "selection", "reduction", "n", "tokens", "generations", "flops", "seconds"  # of a request's `ttcs`
# Keys that change nothing, and values that say what is so anyway.
IDLE = frozenset({"user", "metadata", "store", "stream_options", "service_tier", "safety_identifier"})
USUAL: Mapping[str, Sequence[Any]] = {
    "top_p": (None, 1),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "logit_bias": (None, {}),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "response_format": (None, {"type": "text"}),
    "modalities": (None, ["text"]),
}
LONGEST = "max_tokens", "max_completion_tokens"  # two names of one limit
STOPS = 4  # texts that may end an answer, as there


@dataclass(frozen=True, slots=True)
class Asked:
    """problem: the last turn, with those before. choices: distinct answers that are wanted at most.

    stop: the text of a solution ends before the first of these. usage: whether a stream ends with what it cost.
    settings: of a `Solver`'s call.
    """

    model: str
    problem: Problem
    choices: int
    stop: tuple[str, ...]
    stream: bool
    usage: bool
    candidates: bool
    settings: Mapping[str, Any]


def asked(content: bytes, settings: Settings, option: Callable[[str, object], str]) -> Asked:
    """RefusedError for what cannot be honoured. option: as a `Solver`'s."""
    body = _object(content)
    model = body.get("model")
    if not isinstance(model, str) or model not in settings.methods:
        names = ", ".join(settings.methods)
        raise RefusedError(404, f"there is no model {model}; there are {names}", "model", "model_not_found")
    own = _own(body.get("ttcs"), settings.most_n)
    for key in OPTIONS:
        _check_option(own, key, option)
    for key, value in body.items():
        _check_key(key, value)
    options = body.get("stream_options") or {}
    return Asked(
        model=model,
        problem=conversation(body.get("messages")),
        choices=_whole(body, "n", 1, settings.most_n) or 1,
        stop=_stops(body.get("stop")),
        stream=_flag(body, "stream"),
        usage=isinstance(options, dict) and options.get("include_usage") is True,
        candidates=_flag(own, "candidates"),
        settings={
            **{key: own[key] for key in OWN if own.get(key) is not None},
            "seed": _whole(own, "seed", 0, 2**32 - 1) if "seed" in own else _whole(body, "seed", 0, 2**32 - 1),
            "temperature": _temperature(body.get("temperature")),
            "max_tokens": _longest(body),
        },
    )


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = mended(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is not an object of JSON")
    return body


def _own(given: Any, most: int) -> dict[str, Any]:
    own = {} if given is None else given
    if not isinstance(own, dict):
        raise RefusedError(400, "ttcs is not an object", "ttcs")
    if unknown := [key for key in own if key not in (*OWN, "seed", "candidates")]:
        names = ", ".join((*OWN, "seed", "candidates"))
        raise RefusedError(400, f"ttcs has no {unknown[0]}; it has {names}", f"ttcs.{unknown[0]}")
    for key in ("n", "tokens", "generations", "flops"):
        _whole(own, key, 1, most if key == "n" else HUGE)
    return own


def _check_option(own: Mapping[str, Any], key: str, option: Callable[[str, object], str]) -> None:
    """Before anything else reads it: what is none could be any file, function or variable of this machine."""
    if own.get(key) is None:
        return
    try:
        option(key, own[key])
    except UserError as error:
        raise RefusedError(400, str(error), f"ttcs.{key}") from error


def _check_key(key: str, value: Any) -> None:
    known = {"model", "messages", "ttcs", "n", "stop", "stream", "seed", "temperature"}
    if key in known or key in IDLE or key in LONGEST:
        return
    if key not in USUAL:
        raise RefusedError(400, f"{key} is not known here", key)
    if value not in USUAL[key]:
        raise RefusedError(400, f"{key}={json.dumps(value)} cannot be honoured", key)


def _longest(body: Mapping[str, Any]) -> int | None:
    """Tokens that a solution may have, by either name."""
    given = [_whole(body, key, 1, HUGE) for key in LONGEST]
    return min((value for value in given if value is not None), default=None)


def _temperature(value: Any) -> float | None:
    if value is not None and (type(value) not in (int, float) or not 0 <= value <= 2):
        raise RefusedError(400, f"temperature={json.dumps(value)} is not a number in [0, 2]", "temperature")
    return None if value is None else float(value)


def _whole(body: Mapping[str, Any], key: str, least: int, most: int) -> int | None:
    value = body.get(key)
    if value is not None and (type(value) is not int or not least <= value <= most):
        limit = f"a whole number of at least {least} and at most {most}"
        raise RefusedError(400, f"{key}={json.dumps(value)} is not {limit}", key)
    return value


def _flag(body: Mapping[str, Any], key: str) -> bool:
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise RefusedError(400, f"{key}={json.dumps(value)} is neither true nor false", key)
    return bool(value)


def _stops(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(stops, list) or len(stops) > STOPS or not all(isinstance(one, str) and one for one in stops):
        raise RefusedError(400, f"stop is neither a text nor a list of at most {STOPS}", "stop")
    return tuple(stops)
