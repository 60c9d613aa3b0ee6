"""A request of a client, checked: what cannot be honoured is refused, never ignored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ttcs.config.bounds import Bounds
from ttcs.config.ranges import COUNT, SEED
from ttcs.config.unicode import mended
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.serve.conversation import conversation
from ttcs.serve.keys import SHOWN, Keys, same, shown
from ttcs.serve.refusals import RefusedError
from ttcs.serve.settings import OPTIONS, OWN, Settings
from ttcs.solving.method import LIMITS, SECONDS
from ttcs.solving.solver import Solver

IDLE = "user", "safety_identifier"  # texts that change nothing
# Values that say what is so anyway.
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
    "store": (None, False),
    "service_tier": (None, "auto", "default"),
}
LONGEST = "max_tokens", "max_completion_tokens"  # two names of one limit
STOPS = 4  # texts that may end an answer, as there
TEMPERATURE = Bounds(0, 2, whole=False)
WAYS = 256  # in which requests ask for another n, of which it is known whether it changes anything


@dataclass(frozen=True, slots=True)
class Asked:
    """problem: the last turn, with those before. choices: distinct answers that are wanted at most.

    stop: the text of a solution ends before the first of these. usage: whether a stream ends with what it cost.
    progress: whether it begins with how far the search is. settings: of a `Solver`'s call.
    """

    model: str
    problem: Problem
    choices: int
    stop: tuple[str, ...]
    stream: bool
    usage: bool
    candidates: bool
    progress: bool
    settings: Mapping[str, Any]


class Requests:
    """Reads requests as the service allows them, over the methods that it serves."""

    def __init__(self, solver: Solver, settings: Settings) -> None:
        self._solver, self._settings = solver, settings
        self._counts = lru_cache(WAYS)(self._n_counts)
        budgets = {name: solver.composed(*words)["budget"] for name, words in settings.methods.items()}
        self._unlimited = {name for name, each in budgets.items() if all(each.get(key) is None for key in LIMITS)}

    def read(self, content: bytes) -> Asked:
        """RefusedError for what cannot be honoured."""
        body = Keys(_object(content))
        model = body.take("model")
        if not isinstance(model, str) or model not in self._settings.methods:
            names = ", ".join(self._settings.methods)
            told = model[:SHOWN] if isinstance(model, str) else shown(model)
            raise RefusedError(404, f"there is no model {told}; there are {names}", "model", "model_not_found")
        own = self._own(body.take("ttcs"))
        settings = {**self._method(model, own), "seed": _seed(body, own), **_sampling(body)}
        stream = body.flag("stream")
        asked = Asked(
            model=model,
            problem=conversation(body.take("messages")),
            choices=body.number("n", Bounds(1, self._settings.most_n)) or 1,
            stop=_stops(body.take("stop")),
            stream=stream,
            usage=_usage(body),
            candidates=own.flag("candidates"),
            progress=own.flag("progress"),
            settings=settings,
        )
        own.end(f"ttcs has no {{key}}; it has {', '.join(OWN)}")
        _idle(body)
        body.end("{key} is not known here")
        if asked.progress and not stream:
            raise RefusedError(400, "ttcs.progress is of a stream: it goes with stream=true", "ttcs.progress")
        return asked

    def check(self, asked: Asked) -> None:
        """As `read`, of what takes its time: UserError for settings that do not go together. RefusedError as there."""
        self._solver.check(*self._settings.methods[asked.model], **asked.settings)
        if (n := asked.settings.get("n")) is None:
            return
        rest = {key: asked.settings.get(key) for key in (*OPTIONS, *LIMITS) if asked.settings.get(key) is not None}
        if not self._counts(asked.model, n, tuple(rest.items())):
            raise RefusedError(400, f"ttcs.n={n} cannot be honoured: n changes nothing of this method", "ttcs.n")

    def _own(self, given: Any) -> Keys:
        own = {} if given is None else given
        if not isinstance(own, dict):
            raise RefusedError(400, "ttcs is not an object", "ttcs")
        for key in OWN:
            if own.get(key) is not None and key not in self._settings.allow:
                names = ", ".join(self._settings.allow) or "nothing"
                raise RefusedError(400, f"ttcs.{key} may not be set here; what may: {names}", f"ttcs.{key}")
        return Keys(own, "ttcs.")

    def _method(self, model: str, own: Keys) -> dict[str, Any]:
        """Options and numbers of a call, within what the service gives at most."""
        most = self._settings
        options = {key: self._option(key, own.take(key)) for key in OPTIONS}
        tokens = COUNT if most.most_tokens is None else Bounds(1, most.most_tokens)
        found: dict[str, Any] = {
            **options,
            "n": own.number("n", Bounds(1, most.most_n)),
            **{key: own.number(key, tokens if key == "tokens" else COUNT) for key in LIMITS},
            "seconds": own.number("seconds", SECONDS.within(most.most_seconds)),
        }
        # A limit of the method's own is kept, where a request does not put another one in its place.
        if found["tokens"] is None and (model in self._unlimited or any(found[key] is not None for key in LIMITS)):
            found["tokens"] = most.most_tokens
        if found["seconds"] is None:
            found["seconds"] = most.most_seconds
        return {key: value for key, value in found.items() if value is not None}

    def _option(self, key: str, name: Any) -> str | None:
        """Before anything else reads it: what is none could be any file, function or variable of this machine."""
        try:
            return None if name is None else self._solver.option(key, name)
        except UserError as error:
            raise RefusedError(400, str(error), f"ttcs.{key}") from error

    def _n_counts(self, model: str, n: int, rest: tuple[tuple[str, Any], ...]) -> bool:
        """Whether a method with another n is another one."""
        words = self._settings.methods[model]
        return self._solver.differs(({"n": n, **dict(rest)}, {"n": 2 * n, **dict(rest)}), *words)


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = mended(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is not an object of JSON")
    return body


def _seed(body: Keys, own: Keys) -> int | None:
    """By either name."""
    first, second = body.number("seed", SEED), own.number("seed", SEED)
    if first is not None and second is not None and first != second:
        raise RefusedError(400, f"seed={first} and ttcs.seed={second} are two seeds", "seed")
    found: int | None = first if second is None else second
    return found


def _sampling(body: Keys) -> dict[str, Any]:
    temperature = body.number("temperature", TEMPERATURE)
    longest = [value for key in LONGEST if (value := body.number(key, COUNT)) is not None]
    return {
        "temperature": None if temperature is None else float(temperature),
        "max_tokens": min(longest, default=None),
    }


def _usage(body: Keys) -> bool:
    """Of `stream_options`: whether a stream ends with what it cost."""
    given = body.take("stream_options")
    if not isinstance(given, dict | None):
        raise body.refusal("stream_options", f"{shown(given)} is not an object")
    options = Keys(given or {}, "stream_options.")
    if options.flag("include_obfuscation"):
        raise options.refusal("include_obfuscation", "true cannot be honoured")
    usage = options.flag("include_usage")
    options.end("stream_options has no {key}; it has include_usage")
    return usage


def _idle(body: Keys) -> None:
    """What changes nothing, as far as it is what it should be."""
    for key in IDLE:
        if not isinstance(value := body.take(key), str | None):
            raise body.refusal(key, f"{shown(value)} is not a text")
    if not isinstance(value := body.take("metadata"), dict | None):
        raise body.refusal("metadata", f"{shown(value)} is not an object")
    for key, usual in USUAL.items():
        value = body.take(key)
        if not any(same(value, one) for one in usual):
            raise body.refusal(key, f"{shown(value)} cannot be honoured")


def _stops(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(stops, list) or len(stops) > STOPS or not all(isinstance(one, str) and one for one in stops):
        raise RefusedError(400, f"stop is neither a text nor a list of at most {STOPS}", "stop")
    return tuple(stops)
