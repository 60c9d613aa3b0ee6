"""PRMs of any format on transformers: batched, with the keys and values of every prefix kept."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import torch

from ttcs.core import Judge, Judged, ModelSize
from ttcs.core.queue import Queue
from ttcs.models.cached import CachedModel
from ttcs.models.hub import pinned
from ttcs.models.load import context_length, load_tokenizer, scorer_size
from ttcs.models.pieces import Prefix
from ttcs.prms.format import Format
from ttcs.prms.prefixes import WORTH, Memo, Reading, reading, sequences, side_by_side, stems


class TransformersPRM:
    """A PRM from a folder or the Hub.

    format: how its family writes solutions and says scores. model_revision: of the Hub. batch_size: solutions read at
    once. cache_gb: memory for the keys and values of prefixes, so that a prefix is read once.
    """

    def __init__(
        self,
        format: Format,
        model: str,
        batch_size: int,
        dtype: str = "auto",
        device: str = "auto",
        cache_gb: float = 1.0,
        model_revision: str | None = None,
    ) -> None:
        model = pinned("prm", model, model_revision)
        tokenizer = load_tokenizer(model)
        self._reader = format.reader(tokenizer, model)
        self._head = format.head
        self._scorer = format.head.load(model, tokenizer, dtype, device)
        self.size: ModelSize = scorer_size(model, self._scorer.model, self._scorer.parameters)
        self.capacity = batch_size
        self._context = context_length(self._scorer.model.config)
        self._model = CachedModel(self._scorer.model, batch_size, cache_gb)
        self.cache_tokens: int | None = self._model.prefixes.limit
        self._queue = Queue[Judge]()
        self._memo = Memo()

    def add(self, ticket: int, request: Judge) -> None:
        self._queue.add(ticket, request)

    def cancel(self, ticket: int) -> None:
        self._queue.cancel(ticket)

    def wake(self) -> None:
        """It waits for nobody."""

    def reset(self) -> None:
        self._model.forget()
        self._memo.clear()

    def close(self) -> None:
        """Nothing works for it."""

    @torch.inference_mode()
    def step(self) -> list[tuple[int, Judged]]:
        """Score one batch of the waiting solutions."""
        batch = self._queue.take(self.capacity)
        readings = [reading(judge, self._reader, self._context) for _, judge in batch]
        scores = self._memo.known(readings)
        missing = dict.fromkeys(p for asked in readings for p in asked.prefixes if p and p not in scores)
        computed = self._compute(list(missing), scores)
        self._memo.learn(scores)
        return [
            (ticket, asked.judged(scores, asked.tokens - _charge(asked, computed)))
            for (ticket, _), asked in zip(batch, readings, strict=True)
        ]

    def _compute(self, missing: list[Prefix], scores: dict[Prefix, float]) -> dict[Prefix, int]:
        """Add the scores of prefixes; how many tokens that took, each under the first prefix that needs it."""
        computed: dict[Prefix, int] = {}
        read: set[Prefix] = set()  # a cache too small to keep a stem must not have it read for ever
        while fresh := self._stems(missing, read):
            read |= fresh.keys()
            for stem, count in self._read(fresh, scores).items():
                first = next(prefix for prefix in missing if prefix[: len(stem)] == stem)
                computed[first] = computed.get(first, 0) + count
            missing = [prefix for prefix in missing if prefix not in scores]
        for tokens, count in self._read(sequences(missing), scores).items():
            computed[tokens] = computed.get(tokens, 0) + count
        return computed

    def _stems(self, missing: Sequence[Prefix], read: Container[Prefix]) -> dict[Prefix, list[int]]:
        """What several sequences begin with and none has read: each with the lengths of the prefixes that end in it."""
        found = stems(sequences(missing), self._model.cached, WORTH)
        return {
            stem: sorted(len(prefix) for prefix in missing if stem[: len(prefix)] == prefix)
            for stem in found
            if stem not in read
        }

    def _read(self, todo: Mapping[Prefix, Sequence[int]], scores: dict[Prefix, float]) -> dict[Prefix, int]:
        """Read sequences, and the scores of their beginnings of the lengths named; tokens computed, by sequence."""
        computed: dict[Prefix, int] = {}
        left = {tokens: len(tokens) - self._start(tokens, ends) for tokens, ends in todo.items()}
        for rows in side_by_side(left, self.capacity):
            computed |= self._pass([(tokens, todo[tokens]) for tokens in rows], scores)
        return computed

    def _start(self, tokens: Prefix, ends: Sequence[int]) -> int:
        """Tokens that need not be read. A score needs the last token before it read, whatever is cached."""
        return self._model.cached(tokens[: ends[0] - 1] if ends else tokens)

    def _pass(self, rows: Sequence[tuple[Prefix, Sequence[int]]], scores: dict[Prefix, float]) -> dict[Prefix, int]:
        starts = [
            self._model.load(row, tokens[: ends[0] - 1] if ends else tokens, len(tokens))
            for row, (tokens, ends) in enumerate(rows)
        ]
        hidden = self._model.read(0, [tokens[start:] for (tokens, _), start in zip(rows, starts, strict=True)], starts)
        asked: list[tuple[Prefix, int, int]] = []
        for row, ((tokens, ends), start) in enumerate(zip(rows, starts, strict=True)):
            self._model.store(row, tokens, start)
            asked += [(tokens[:end], row, end - 1 - start) for end in ends]
        if asked:
            prefixes, places, offsets = zip(*asked, strict=True)
            logits = self._scorer.head(hidden[list(places), list(offsets)]).float()
            scores |= zip(prefixes, self._head.scores(logits).tolist(), strict=True)
        return {tokens: len(tokens) - start for (tokens, _), start in zip(rows, starts, strict=True)}


def _charge(asked: Reading, computed: dict[Prefix, int]) -> int:
    """Tokens computed for a request, each charged to the first that asked for it.

    No more than it reads: what a full cache had to drop is computed twice and charged once.
    """
    return min(asked.tokens, sum(computed.pop(prefix, 0) for prefix in asked.prefixes if prefix))
