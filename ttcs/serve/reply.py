"""What was found, in the form of OpenAI's API."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

from ttcs.serve.request import Asked
from ttcs.solving.found import Found
from ttcs.solving.progress import Progress


def whole(found: Found, asked: Asked) -> dict[str, Any]:
    """A chat.completion."""
    choices = [
        {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": reason, "logprobs": None}
        for i, (text, reason) in enumerate(_texts(found, asked))
    ]
    return {**_head("chat.completion", asked), "choices": choices, "usage": usage(found), "ttcs": _own(found, asked)}


def beginning(asked: Asked) -> dict[str, Any]:
    """What the chunks of one stream have in common."""
    return _head("chat.completion.chunk", asked)


def thought(progress: Progress, head: dict[str, Any]) -> dict[str, Any]:
    """A chunk with how far a search is, where models tell of their thinking."""
    line = f"{progress.ended} solutions have ended, {progress.tokens} tokens so far\n"
    return {**head, "choices": [{"index": 0, "delta": {"reasoning_content": line}, "finish_reason": None}]}


def pieces(found: Found, asked: Asked, head: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The chat.completion.chunks of the same."""
    for i, (text, reason) in enumerate(_texts(found, asked)):
        delta = {"role": "assistant", "content": text}
        yield {**head, "choices": [{"index": i, "delta": delta, "finish_reason": None}]}
        yield {**head, "choices": [{"index": i, "delta": {}, "finish_reason": reason}], "ttcs": _own(found, asked)}
    if asked.usage:
        yield {**head, "choices": [], "usage": usage(found)}


def usage(found: Found) -> dict[str, Any]:
    """The true cost, as in the ledger: tokens of all that was sampled, whatever became of it."""
    ledger = found.ledger
    return {
        "prompt_tokens": ledger.prompt_tokens,
        "completion_tokens": ledger.decoded_tokens,
        "total_tokens": ledger.prompt_tokens + ledger.decoded_tokens,
        "prompt_tokens_details": {"cached_tokens": ledger.cached_tokens},
        "completion_tokens_details": {
            "reasoning_tokens": ledger.thinking_tokens,
            "discarded_tokens": ledger.discarded_tokens,
            "lookahead_tokens": ledger.lookahead_tokens,
        },
        "prm_tokens": ledger.prm_tokens,
        "prm_tokens_details": {"cached_tokens": ledger.prm_cached_tokens},
    }


def _texts(found: Found, asked: Asked) -> list[tuple[str, str]]:
    """Solutions of the best distinct answers, and why they end. Where none has one: the best solution as it is."""
    best = [answer.candidates[0] for answer in found.answers[: asked.choices]] or found.without[:1]
    return [_text(found, number, asked.stop) for number in best] or [("", "length")]


def _text(found: Found, number: int, stops: tuple[str, ...]) -> tuple[str, str]:
    whole = found.solution(number)
    text = _until(whole, stops)
    return text, "stop" if found.candidates[number].finished or text != whole else "length"


def _until(text: str, stops: tuple[str, ...]) -> str:
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _head(kind: str, asked: Asked) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": asked.model}


def _own(found: Found, asked: Asked) -> dict[str, Any]:
    told: dict[str, Any] = {
        "answer": found.answer,
        "confidence": found.confidence,
        "late": found.late,
        "record": found.record.problem_id,
        "ledger": {name: getattr(found.ledger, name) for name in found.ledger.__slots__},
    }
    if asked.candidates:
        told["candidates"] = [
            {"answer": one.answer, "score": one.score, "text": found.solution(i)}
            for i, one in enumerate(found.candidates)
        ]
    return told
