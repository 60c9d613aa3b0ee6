"""Draws tokens so that a request's randomness is its own, whatever it is batched with."""

from __future__ import annotations

import numpy as np
import torch


def uniforms(seed: int, count: int) -> np.ndarray:
    """`count` numbers in [0, 1): the random stream of one request, one number a token."""
    stream: np.ndarray = np.random.Generator(np.random.Philox(key=seed)).random(count)
    return stream


def draw(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: float, chance: torch.Tensor, top_k: int | None = None
) -> torch.Tensor:
    """A token id per row: the likeliest where the temperature is 0, else by inverting the distribution at `chance`.

    logits [rows, vocabulary]; temperature, chance [rows]. top_p: nucleus sampling (Holtzman et al., 2020), of what
    top_k leaves: the likeliest so many tokens (Fan et al., 2018; None: all), and those that are as likely as the last.
    """
    greedy = logits.argmax(-1)
    if bool((temperature == 0).all()):
        return greedy
    if top_k is not None and top_k < logits.shape[-1]:
        logits = logits.masked_fill(logits < logits.topk(top_k).values[:, -1:], -torch.inf)
    scale = torch.where(temperature > 0, temperature, torch.ones_like(temperature))
    probabilities = torch.softmax(logits / scale[:, None], -1)
    if top_p < 1:
        probabilities = _nucleus(probabilities, top_p)
    cumulative = probabilities.cumsum(-1)
    total = cumulative[:, -1:]
    # Rounding must not carry a chance just under 1 past the last token that has any probability.
    target = torch.minimum(chance[:, None].to(total.dtype) * total, torch.nextafter(total, torch.zeros_like(total)))
    sampled = torch.searchsorted(cumulative, target, right=True)[:, 0]
    return torch.where(temperature > 0, sampled, greedy)


def logprobs(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Natural logarithm of the probability of a token per row, at temperature 1. logits [rows, vocabulary]."""
    return torch.log_softmax(logits.float(), -1).gather(-1, tokens[:, None])[:, 0]


def confidences(logits: torch.Tensor, k: int) -> torch.Tensor:
    """Per row minus the mean log-probability of the k likeliest tokens, at temperature 1. logits [rows, vocabulary]."""
    told = torch.log_softmax(logits.float(), -1)
    return -told.topk(min(k, told.shape[-1])).values.mean(-1)


def _nucleus(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """Zero all but the smallest set of tokens whose mass reaches top_p."""
    ordered, order = probabilities.sort(-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    kept = torch.where(before < top_p, ordered, torch.zeros_like(ordered))
    return torch.zeros_like(probabilities).scatter(-1, order, kept)
