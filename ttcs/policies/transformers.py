"""A policy on transformers: continuous batching over rows of cached keys and values, on CPU or GPU."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import nan

import numpy as np
import torch

from ttcs.core import Continue, Continued, ModelSize, Step
from ttcs.core.queue import Queue
from ttcs.models.cached import CachedModel
from ttcs.models.hub import pinned
from ttcs.models.load import context_length, load_model, load_tokenizer, model_size
from ttcs.models.prompt import Prompt
from ttcs.models.reasoning import ReasoningFormat, Thinking
from ttcs.models.revision import RevisionFormat, revision_format
from ttcs.models.sampling import confidences, draw, logprobs, uniforms
from ttcs.policies.draft import Draft, rules
from ttcs.policies.limits import check_sampling, check_step_tokens


@dataclass(slots=True)
class Row:
    """A request being decoded."""

    ticket: int
    draft: Draft
    prefix: tuple[int, ...]  # prompt and earlier steps
    cached: int
    temperature: float
    chances: np.ndarray

    @property
    def made(self) -> list[int]:
        return self.draft.tokens

    @property
    def last(self) -> int:
        return self.made[-1] if self.made else self.prefix[-1]

    @property
    def length(self) -> int:
        return len(self.prefix) + len(self.made)


class TransformersPolicy:
    """Any causal language model with a chat template, from a folder or the Hub.

    model_revision: of the Hub. temperature, top_p, top_k: sampling defaults, see `draw`. max_tokens: longest solution.
    batch_size: requests decoded at once. system_prompt, chat_template: see `Prompt`. reasoning: how its thinking is
    told from its answer, if it thinks.
    end_at_box: a step with a \\boxed answer is the last one. step_tokens: longest step, see `Rules`.
    cache_gb: memory for keys and values of prefixes.
    """

    def __init__(
        self,
        model: str,
        temperature: float,
        top_p: float,
        max_tokens: int,
        batch_size: int,
        dtype: str = "auto",
        device: str = "auto",
        system_prompt: str | None = None,
        chat_template: str | None = None,
        revision: RevisionFormat | None = None,
        reasoning: ReasoningFormat | None = None,
        end_at_box: bool = True,
        step_tokens: int | None = None,
        top_k: int | None = None,
        model_revision: str | None = None,
        cache_gb: float = 1.0,
    ) -> None:
        check_sampling(temperature, top_p, top_k)
        check_step_tokens(step_tokens)
        model = pinned("policy", model, model_revision)
        self.tokenizer = load_tokenizer(model)
        loaded = load_model(model, dtype, device)
        self.size: ModelSize = model_size(model, loaded)
        self.capacity = batch_size
        self.max_tokens = max_tokens
        self.temperature, self.top_p, self.top_k = temperature, top_p, top_k
        self._vocabulary = len(self.tokenizer)
        thinking = Thinking(reasoning, self.tokenizer) if reasoning else None
        context = context_length(loaded.config)
        generation = loaded.generation_config
        self.rules = rules(self.tokenizer, generation, end_at_box, max_tokens, context, thinking, step_tokens)
        self._model = CachedModel(loaded, batch_size, cache_gb)
        self.cache_tokens: int | None = self._model.prefixes.limit
        self.exact = loaded.dtype == torch.float32
        self.batched_tokens: int | None = None  # a prompt is computed whole
        self._queue = Queue[Continue]()
        self._rows: list[Row] = []
        self._prompt = Prompt(self.tokenizer, system_prompt, chat_template, revision_format(model, revision), thinking)

    def add(self, ticket: int, request: Continue) -> None:
        problem = request.trajectory.problem
        if problem.before:  # a conversation that the template does not take is its asker's affair alone
            self._prompt(problem)
        self._queue.add(ticket, request)

    @torch.inference_mode()
    def cancel(self, ticket: int) -> Continued | None:
        """The row is free at once. What it had written is not kept, as nobody goes on from there; its prefix is."""
        self._queue.cancel(ticket)
        place = next((place for place, row in enumerate(self._rows) if row.ticket == ticket), None)
        return None if place is None else self._result(self._remove(place))

    def wake(self) -> None:
        """It waits for nobody."""

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        return self.rules.append(text, cut)

    def reset(self) -> None:
        self._model.forget()

    def close(self) -> None:
        """Nothing works for it."""

    @torch.inference_mode()
    def step(self) -> list[tuple[int, Continued]]:
        """Take in what waits, decode one token a row, and return what that completed."""
        done = self._admit()
        if self._rows:
            self._decode()
            done += self._retire()
        return done

    def _admit(self) -> list[tuple[int, Continued]]:
        """Fill free rows from the queue and compute the prefixes that no earlier request has left behind."""
        fresh: list[Row] = []
        full: list[tuple[int, Continued]] = []
        while self._queue and len(self._rows) + len(fresh) < self.capacity:
            row = self._open(*self._queue.pop())
            if row.draft.room > 0:
                fresh.append(row)
            else:
                full.append((row.ticket, self._result(row)))
        if fresh:
            self._prefill(fresh)
            for _, same in groupby(fresh, key=lambda row: row.prefix):
                self._load(list(same))
        return full

    def _load(self, same: list[Row]) -> None:
        """Bring a prefix into the next rows; what a small cache has dropped again is computed again."""
        first, prefix = len(self._rows), same[0].prefix
        cached = self._model.load(first, prefix[:-1], len(prefix) + 1, len(same))
        for row in same:
            row.cached = row.cached if row.cached >= 0 else cached
        if cached < len(prefix) - 1:
            missing = prefix[cached:-1]
            self._model.read(first, [missing] * len(same), [cached] * len(same))
        self._rows += same

    def _open(self, ticket: int, request: Continue) -> Row:
        trajectory = request.trajectory
        prefix = (*self._prompt(trajectory.problem, trajectory.history), *trajectory.tokens)
        draft = Draft(self.rules, request, self.rules.room(request, len(prefix)))
        temperature = self.temperature if request.temperature is None else request.temperature
        chances = uniforms(request.seed, draft.room) if temperature > 0 else np.zeros(draft.room)
        return Row(ticket, draft, prefix, -1, temperature, chances)

    def _prefill(self, fresh: list[Row]) -> None:
        """Compute each distinct prefix once (but for its last token, which decoding reads) and cache it."""
        first = len(self._rows)
        distinct = {row.prefix: row for row in reversed(fresh)}
        missing = [row for row in reversed(distinct.values()) if self._model.cached(row.prefix[:-1]) < row.length - 1]
        if not missing:
            return
        for place, row in enumerate(missing, first):
            row.cached = self._model.load(place, row.prefix[:-1], row.length)
        self._model.read(first, [row.prefix[row.cached : -1] for row in missing], [row.cached for row in missing])
        for place, row in enumerate(missing, first):
            self._model.store(place, row.prefix[:-1], row.cached)

    def _decode(self) -> None:
        rows = self._rows
        hidden = self._model.read(0, [[row.last] for row in rows], [row.length - 1 for row in rows])
        # Some checkpoints pad their vocabulary beyond the tokenizer's.
        logits = self._model.logits(hidden[:, -1])[:, : self._vocabulary]
        temperature = torch.tensor([row.temperature for row in rows], device=logits.device)
        chance = torch.tensor([row.chances.item(len(row.made)) for row in rows], device=logits.device)
        drawn = draw(self._allowed(logits), temperature, self.top_p, chance, self.top_k)
        told = (
            logprobs(logits, drawn).tolist() if any(row.draft.request.logprobs for row in rows) else [nan] * len(rows)
        )
        sure = self._confidence(logits)
        for row, token, logprob, confidence in zip(rows, drawn.tolist(), told, sure, strict=True):
            row.draft.append(token, logprob, confidence)

    def _confidence(self, logits: torch.Tensor) -> list[float]:
        """Of each row that asks for it."""
        asked = [row.draft.request.confidence for row in self._rows]
        found = [nan] * len(asked)
        for k in {k for k in asked if k is not None}:
            told = confidences(logits, k).tolist()
            found = [one if k == wanted else known for one, wanted, known in zip(told, asked, found, strict=True)]
        return found

    def _allowed(self, logits: torch.Tensor) -> torch.Tensor:
        """The logits, minus infinity for what a row must not go on with."""
        suppressed = [(place, token) for place, row in enumerate(self._rows) for token in row.draft.suppressed]
        if not suppressed:
            return logits
        allowed = logits.clone()
        allowed[tuple(zip(*suppressed, strict=True))] = -torch.inf
        return allowed

    def _retire(self) -> list[tuple[int, Continued]]:
        """Take finished rows out, keep the keys and values of those that may go on, and close the gaps."""
        done, place = [], 0
        while place < len(self._rows):
            row = self._rows[place]
            if not row.draft.finished:
                place += 1
                continue
            if row.draft.live:
                tokens = [*row.prefix, *row.made]
                self._model.store(place, tokens[:-1], len(row.prefix) - 1)
            done.append((row.ticket, self._result(self._remove(place))))
        return done

    def _remove(self, place: int) -> Row:
        """Take a row out and put the last one in its place."""
        row, last = self._rows[place], self._rows.pop()
        if last is not row:
            self._model.move(len(self._rows), place, last.length)
            self._rows[place] = last
        return row

    def _result(self, row: Row) -> Continued:
        return Continued(row.draft.steps(), len(row.prefix), max(row.cached, 0), row.draft.begun)
