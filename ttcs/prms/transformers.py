"""PRMs of any format on transformers: batched, with the keys and values of every prefix kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch

from ttcs.core import Judge, Judged, ModelSize
from ttcs.models.cached import CachedModel
from ttcs.models.load import context_length, load_tokenizer, scorer_size
from ttcs.prms.format import Format, Prefix
from ttcs.prms.readings import Memo, Reading, reading, sequences, shared

WORTH = 16  # tokens that sequences of a batch must have in common to be read beforehand, in a pass of their own


class TransformersPRM:
    """A PRM from a folder or the Hub.

    format: how its family writes solutions and says scores. batch_size: solutions read at once.
    cache_gb: memory for the keys and values of prefixes, so that a prefix is read once.
    """

    def __init__(
        self,
        format: Format,
        model: str,
        batch_size: int,
        dtype: str = "auto",
        device: str = "auto",
        cache_gb: float = 1.0,
    ) -> None:
        tokenizer = load_tokenizer(model)
        self._reader = format.reader(tokenizer, model)
        self._format = format
        self._scorer = format.load(model, tokenizer, dtype, device)
        self.size: ModelSize = scorer_size(model, self._scorer.model, self._scorer.parameters)
        self.capacity = batch_size
        self._context = context_length(self._scorer.model.config)
        self._model = CachedModel(self._scorer.model, batch_size, cache_gb)
        self._queue: deque[tuple[int, Judge]] = deque()
        self._memo = Memo()

    def add(self, ticket: int, request: Judge) -> None:
        self._queue.append((ticket, request))

    def reset(self) -> None:
        self._model.forget()
        self._memo.clear()

    @torch.inference_mode()
    def step(self) -> list[tuple[int, Judged]]:
        """Score one batch of the waiting solutions."""
        batch = [self._queue.popleft() for _ in range(min(self.capacity, len(self._queue)))]
        readings = [reading(judge, self._reader, self._context) for _, judge in batch]
        scores = self._memo.known(readings)
        missing = [prefix for asked in readings for prefix in asked.prefixes if prefix and prefix not in scores]
        todo = list(sequences(missing).items())
        computed: dict[Prefix, int] = {}
        for first in range(0, len(todo), self.capacity):
            computed |= self._read(todo[first : first + self.capacity], scores)
        self._memo.learn(scores)
        return [
            (ticket, asked.judged(scores, asked.tokens - self._charge(asked, computed)))
            for (ticket, _), asked in zip(batch, readings, strict=True)
        ]

    def _charge(self, asked: Reading, computed: dict[Prefix, int]) -> int:
        """Tokens computed for a request, each charged to the first that asked for it."""
        return min(asked.tokens, sum(computed.pop(prefix, 0) for prefix in asked.prefixes if prefix))

    def _read(self, todo: Sequence[tuple[Prefix, list[int]]], scores: dict[Prefix, float]) -> Mapping[Prefix, int]:
        """Compute the scores of sequences; how many tokens that took, by sequence."""
        extra = self._read_common([tokens for tokens, _ in todo])
        starts = [
            self._model.load(row, tokens[: min(ends) - 1], len(tokens)) for row, (tokens, ends) in enumerate(todo)
        ]
        hidden = self._model.read(0, [tokens[start:] for (tokens, _), start in zip(todo, starts, strict=True)], starts)
        for row, ((tokens, ends), start) in enumerate(zip(todo, starts, strict=True)):
            self._model.store(row, tokens, start)
            logits = self._scorer.head(hidden[row, [end - 1 - start for end in ends]]).float()
            scores |= zip((tokens[:end] for end in ends), self._format.scores(logits).tolist(), strict=True)
        return {
            tokens: len(tokens) - start + extra.get(tokens, 0) for (tokens, _), start in zip(todo, starts, strict=True)
        }

    def _read_common(self, wanted: Sequence[Prefix]) -> dict[Prefix, int]:
        """Read once what neighbours of the batch both begin with; the tokens that took, by the first of them."""
        ordered = sorted(wanted)
        common: dict[Prefix, Prefix] = {}
        for before, after in pairwise(ordered):
            prefix = before[: shared(before, after)]
            if len(prefix) - self._model.cached(prefix) >= WORTH and not any(
                prefix[: len(other)] == other for other in common
            ):
                common[prefix] = before
        if not common:
            return {}
        starts = [self._model.load(row, prefix, len(prefix)) for row, prefix in enumerate(common)]
        self._model.read(0, [prefix[start:] for prefix, start in zip(common, starts, strict=True)], starts)
        for row, (prefix, start) in enumerate(zip(common, starts, strict=True)):
            self._model.store(row, prefix, start)
        return {first: len(prefix) - start for (prefix, first), start in zip(common.items(), starts, strict=True)}
