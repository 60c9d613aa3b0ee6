"""PRMs in RLHFlow's chat format (Llama3.1-8B-PRM-Deepseek-Data and -Mistral-Data), on transformers."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

import torch

from ttcs.core import Judge, Judged, ModelSize, Problem
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
        cached = self._read(asked)
        done = []
        for (ticket, judge), (tokens, new) in zip(batch, asked, strict=True):
            known = iter(self._memo[tokens[:end]] for end in new)
            fresh = [step.score is None and not step.blank for step in judge.trajectory.steps]
            scores = tuple(next(known) if f else s.score for f, s in zip(fresh, judge.trajectory.steps, strict=True))
            done.append((ticket, Judged(scores, len(tokens), cached[tokens])))
        return done

    def _positions(self, judge: Judge) -> tuple[Prefix, list[int]]:
        """Tokens of the conversation, and where the answers to the steps without a score are predicted."""
        steps = [step for step in judge.trajectory.steps if not step.blank]
        tokens, ends = self.conversation.encode(judge.trajectory.problem, [step.text for step in steps])
        return tokens, [end for end, step in zip(ends, steps, strict=True) if step.score is None]

    def _read(self, wanted: list[tuple[Prefix, list[int]]]) -> dict[Prefix, int]:
        """Compute the scores nobody has asked for before; how many tokens of each sequence came from the cache."""
        cached = {tokens: len(tokens) for tokens, _ in wanted}
        missing = {tokens: [e for e in ends if tokens[:e] not in self._memo] for tokens, ends in wanted}
        todo = [(tokens, ends) for tokens, ends in missing.items() if ends]
        if not todo:
            return cached
        starts = []
        for row, (tokens, ends) in enumerate(todo):
            starts.append(self._model.load(row, tokens[: ends[0] - 1], len(tokens)))
            cached[tokens] = starts[-1]
        hidden = self._model.read(0, [tokens[start:] for (tokens, _), start in zip(todo, starts, strict=True)], starts)
        for row, ((tokens, ends), start) in enumerate(zip(todo, starts, strict=True)):
            self._model.store(row, tokens, start)
            for end, score in zip(ends, self._scores(hidden[row, [end - 1 - start for end in ends]]), strict=True):
                self._memo[tokens[:end]] = score
        while len(self._memo) > MEMO + 64 * self.capacity:
            self._memo.popitem(last=False)
        return cached

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
        if len(ids) != 1:
            raise UserError(f"PRM {model}: {sign!r} is not one token of its tokenizer")
        found.append(ids[0])
    return found


def example(tokenizer: Any, problem: Problem, steps: list[str]) -> tuple[Prefix, list[int]]:
    """Tokens of a whole solution and the positions that predict its steps' answers: what training reads."""
    return Conversation(tokenizer).encode(problem, steps)
