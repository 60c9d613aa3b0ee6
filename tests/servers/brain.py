"""What fake servers write: a tiny real model over token ids, or a given text."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from tests import tiny
from ttcs.models.load import load_tokenizer
from ttcs.models.sampling import draw, uniforms

LOCK = threading.Lock()


@cache
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()


@cache
def tokenizer() -> Any:
    return load_tokenizer(tiny.folder())


@cache
@torch.inference_mode()
def logits(prefix: tuple[int, ...]) -> torch.Tensor:
    return model()(torch.tensor([prefix])).logits[0, -1:]


def completions(body: dict[str, Any]) -> dict[str, Any]:
    """As vLLM's /v1/completions over the tiny model, drawing as the transformers policy does."""
    with LOCK:
        tokens, finish, reason = _sample(body)
    count, cached = len(body["prompt"]), len(body["prompt"]) // 16 * 16
    said = {"token_ids": tokens, "text": tokenizer().decode(tokens), "finish_reason": finish, "stop_reason": reason}
    return {
        "choices": [{"index": 0, **said}],
        "usage": {"prompt_tokens": count, "prompt_tokens_details": {"cached_tokens": cached}},
    }


def _sample(body: dict[str, Any]) -> tuple[list[int], str, str | None]:
    chances = uniforms(body["seed"], body["max_tokens"])
    temperature = torch.tensor([float(body["temperature"])])
    tokens: list[int] = []
    for chance in chances:
        row = logits((*body["prompt"], *tokens)).clone()
        for token, bias in body.get("logit_bias", {}).items():
            row[0, int(token)] += bias
        tokens.append(int(draw(row, temperature, body["top_p"], torch.tensor(np.array([chance])))))
        if tokens[-1] == tokenizer().eos_token_id:
            return tokens, "stop", None
        if reason := next((stop for stop in body.get("stop", []) if stop in tokenizer().decode(tokens)), None):
            return tokens, "stop", reason
    return tokens, "length", None


def pieces(text: str, most: int) -> tuple[list[str], str]:
    """The tokens of a text as a server writes them, and why it stops."""
    ids = tokenizer()(text, add_special_tokens=False).input_ids
    return [tokenizer().decode([i]) for i in ids[:most]], "stop" if len(ids) < most else "length"
