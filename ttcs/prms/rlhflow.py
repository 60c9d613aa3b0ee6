"""PRMs in RLHFlow's chat format (Llama3.1-8B-PRM-Deepseek-Data and -Mistral-Data), on transformers."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

import torch

from ttcs.core import Judge, Judged, ModelSize
from ttcs.errors import UserError
from ttcs.models.cached import CachedModel
from ttcs.models.load import load_model, load_tokenizer, model_size
from ttcs.prms.conversation import Conversation

Prefix = tuple[int, ...]


class RLHFlowPRM:
    """The score of a step is P("+") against P("-") where the model would answer it.

    Each step is a user turn (the first one with the question in front), each answer an assistant turn "+"; the score is
    the two-way softmax at the position that predicts the answer. batch_size: trajectories read at once.
    cache_tokens: prefix tokens whose keys and values are kept, so that a prefix is read once.
    """

    def __init__(
        self, model: str, batch_size: int, dtype: str = "auto", device: str = "auto", cache_tokens: int = 400_000
    ) -> None:
        tokenizer = load_tokenizer(model)
        self.conversation = Conversation(tokenizer)
        self._verdicts = verdict_ids(tokenizer, model)
        loaded = load_model(model, dtype, device)
        self.size: ModelSize = model_size(model, loaded)
        self.capacity = batch_size
        self._context = getattr(loaded.config.get_text_config(), "max_position_embeddings", None) or 1 << 30
        self._model = CachedModel(loaded, batch_size, cache_tokens)
        self._queue: deque[tuple[int, Judge]] = deque()
        self._memo: OrderedDict[Prefix, float] = OrderedDict()

    def add(self, ticket: int, request: Judge) -> None:
        self._queue.append((ticket, request))

    def reset(self) -> None:
        self._model.forget()
        self._memo.clear()

    @torch.inference_mode()
    def step(self) -> list[tuple[int, Judged]]:
        """Score one batch of the waiting trajectories."""
        batch = [self._queue.popleft() for _ in range(min(self.capacity, len(self._queue)))]
        asked = [self._positions(judge) for _, judge in batch]
        scores, cached = self._read(asked)
        done = []
        for (ticket, judge), (tokens, new) in zip(batch, asked, strict=True):
            known = iter(scores[tokens[:end]] for end in new)
            steps = judge.trajectory.steps
            judged = tuple(next(known) if s.score is None and not s.blank else s.score for s in steps)
            done.append((ticket, Judged(judged, len(tokens), cached[tokens])))
        self._memo.update(scores)
        while len(self._memo) > MEMO:
            self._memo.popitem(last=False)
        return done

    def _positions(self, judge: Judge) -> tuple[Prefix, list[int]]:
        """Tokens of the conversation, and where the answers to the steps without a score are predicted."""
        steps = [step for step in judge.trajectory.steps if not step.blank]
        tokens, ends = self.conversation.encode(judge.trajectory.problem, [step.text for step in steps])
        if len(tokens) > self._context:
            raise UserError(f"a solution takes {len(tokens)} tokens of the PRM's context of {self._context}")
        return tokens, [end for end, step in zip(ends, steps, strict=True) if step.score is None]

    def _read(self, wanted: list[tuple[Prefix, list[int]]]) -> tuple[dict[Prefix, float], dict[Prefix, int]]:
        """(prefix -> score, sequence -> how many tokens came from the cache); what was asked before is not computed."""
        cached = {tokens: len(tokens) for tokens, _ in wanted}
        asked = {(tokens, end): tokens[:end] for tokens, ends in wanted for end in ends}
        scores = {prefix: self._memo[prefix] for prefix in asked.values() if prefix in self._memo}
        missing: dict[Prefix, list[int]] = {}
        for (tokens, end), prefix in sorted(asked.items(), key=lambda item: item[0][1]):
            if prefix not in scores:
                missing.setdefault(tokens, []).append(end)
        todo = list(missing.items())
        if not todo:
            return scores, cached
        starts = []
        for row, (tokens, ends) in enumerate(todo):
            starts.append(self._model.load(row, tokens[: ends[0] - 1], len(tokens)))
            cached[tokens] = starts[-1]
        hidden = self._model.read(0, [tokens[start:] for (tokens, _), start in zip(todo, starts, strict=True)], starts)
        for row, ((tokens, ends), start) in enumerate(zip(todo, starts, strict=True)):
            self._model.store(row, tokens, start)
            for end, score in zip(ends, self._scores(hidden[row, [end - 1 - start for end in ends]]), strict=True):
                scores[tokens[:end]] = score
        return scores, cached

    def _scores(self, hidden: torch.Tensor) -> list[float]:
        pair = self._model.logits(hidden)[:, self._verdicts]
        scores: list[float] = torch.softmax(pair, -1)[:, 0].tolist()
        return scores


MEMO = 20_000  # scores kept for sequences that come again


def verdict_ids(tokenizer: Any, model: str) -> list[int]:
    """Ids of the tokens "+" and "-"."""
    found = []
    for sign in "+-":
        ids = tokenizer(sign, add_special_tokens=False).input_ids
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            raise UserError(f"PRM {model}: {sign!r} is not one token of its tokenizer")
        found.append(ids[0])
    return found
