"""How likely a language model takes texts to be, token by token, with no token read twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ttcs.models.cached import CachedModel
from ttcs.models.pieces import Prefix
from ttcs.models.radix import RadixCache
from ttcs.models.sampling import logprobs
from ttcs.prms.prefixes import WORTH, sequences, side_by_side, stems

POSITIONS = 1024  # whose logits over the whole vocabulary are in memory at once

Computed = dict[Prefix, int]  # tokens computed, by the first text that needed them


class Likelihood:
    """The natural logarithms of the probabilities of tokens, each given those before it.

    Keys and values of what was read are kept, and what was found of each token. A text's own last token is not read:
    nothing hangs on it until something comes behind it.
    model: a causal language model. rows: texts read at once. cache_gb: memory for keys and values.
    """

    def __init__(self, model: Any, rows: int, cache_gb: float) -> None:
        self._model = CachedModel(model, rows, cache_gb)
        self._rows = rows
        self.limit = self._model.prefixes.limit  # tokens that are kept at most
        self._found = RadixCache(self.limit)  # logarithms in the place of keys and values: [1, 1, 1, tokens, 1]

    def forget(self) -> None:
        self._model.forget()
        self._found = RadixCache(self.limit)

    @torch.inference_mode()
    def of(self, texts: Sequence[Prefix]) -> tuple[dict[Prefix, list[float]], Computed]:
        """For each text (two tokens or more) a number a token, 0 for the first; and what was computed for it."""
        computed: Computed = {}
        read: set[Prefix] = set()  # a cache too small to keep a stem must not have it read for ever
        longest = list(sequences(texts))
        while fresh := [stem for stem in stems(longest, self._held, WORTH) if stem not in read]:
            read |= set(fresh)
            self._read(fresh, texts, computed)
        found = self._read(longest, texts, computed)
        whole = {
            text: next(tokens for tokens in longest if tokens[: len(text)] == text) for text in dict.fromkeys(texts)
        }
        return {text: found[tokens][: len(text)] for text, tokens in whole.items()}, computed

    def _read(self, todo: Sequence[Prefix], texts: Sequence[Prefix], computed: Computed) -> dict[Prefix, list[float]]:
        found: dict[Prefix, list[float]] = {}
        left = {tokens: len(tokens) - self._held(tokens) for tokens in todo}
        found |= {tokens: _joined(self._found.match(tokens)[1]) for tokens in todo if not left[tokens]}
        for rows in side_by_side({tokens: count for tokens, count in left.items() if count}, self._rows):
            for tokens, (values, count) in zip(rows, self._pass(rows), strict=True):
                payer = next(text for text in texts if text[: len(tokens)] == tokens)
                computed[payer] = computed.get(payer, 0) + count
                found[tokens] = values
        return found

    def _held(self, tokens: Prefix) -> int:
        """How many tokens need not be read, the last one included, which never is."""
        found = self._found.length(tokens)
        return found if found == len(tokens) else self._model.cached(tokens[: max(0, found - 1)]) + 1

    def _pass(self, rows: Sequence[Prefix]) -> list[tuple[list[float], int]]:
        """Read texts side by side: the logarithms of all of their tokens, and how many were computed."""
        matches = [self._found.match(tokens) for tokens in rows]
        ends = [max(1, length) for length, _ in matches]  # the first token for which one is missing
        starts = [
            self._model.load(row, tokens[: end - 1], len(tokens))
            for row, (tokens, end) in enumerate(zip(rows, ends, strict=True))
        ]
        hidden = self._model.read(0, [tokens[start:-1] for tokens, start in zip(rows, starts, strict=True)], starts)
        results = []
        for row, (tokens, start, end, (length, pieces)) in enumerate(zip(rows, starts, ends, matches, strict=True)):
            self._model.store(row, tokens[:-1], start)
            fresh = self._logprobs(hidden[row, end - 1 - start : len(tokens) - 1 - start], tokens[end:])
            fresh = torch.cat([fresh.new_zeros(end - length), fresh]).view(1, 1, 1, -1, 1)
            self._found.insert(tokens, fresh)
            results.append((_joined([*pieces, fresh]), len(tokens) - 1 - start))
        return results

    def _logprobs(self, hidden: torch.Tensor, tokens: Prefix) -> torch.Tensor:
        """Those of tokens [count], each predicted by the hidden state [count, hidden] before it."""
        wanted = torch.tensor(tokens, device=hidden.device)
        parts = zip(torch.split(hidden, POSITIONS), torch.split(wanted, POSITIONS), strict=True)
        return torch.cat([logprobs(self._model.logits(part), told) for part, told in parts]).cpu()


def _joined(pieces: Sequence[torch.Tensor]) -> list[float]:
    values: list[float] = torch.cat([piece.flatten() for piece in pieces]).tolist()
    return values
