"""A policy behind any OpenAI-compatible server: vLLM, SGLang, llama.cpp, hosted APIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import nan

from ttcs.core import Continue, Continued, ModelSize, Problem, Step
from ttcs.models.hub import pinned
from ttcs.models.load import context_length, load_config, load_tokenizer
from ttcs.models.outline import generation_config, policy_size
from ttcs.models.prompt import Prompt
from ttcs.models.reasoning import ReasoningFormat, Thinking
from ttcs.models.revision import RevisionFormat, revision_format
from ttcs.policies.draft import Draft, rules
from ttcs.policies.limits import check_sampling, check_step_tokens
from ttcs.servers.api import Api, Ask
from ttcs.servers.client import Client
from ttcs.servers.failures import ContextExceededError
from ttcs.servers.served import served


class ServerPolicy:
    """A model that a server at `url` has loaded.

    model: folder or Hub id of its tokenizer and config, of which prompts, counts and FLOPs are made. served_model: what
    the server calls it (None: it serves one). api: how it is talked to. batch_size: requests at once.
    temperature, top_p, top_k, max_tokens, step_tokens, system_prompt, chat_template, reasoning, end_at_box,
    model_revision: as the other policies'.
    timeout, retries, api_key_env: see `Client`.
    """

    def __init__(
        self,
        model: str,
        url: str,
        api: Api,
        temperature: float,
        top_p: float,
        max_tokens: int,
        batch_size: int,
        served_model: str | None = None,
        api_key_env: str | None = None,
        timeout: float = 600.0,
        retries: int = 6,
        system_prompt: str | None = None,
        chat_template: str | None = None,
        revision: RevisionFormat | None = None,
        reasoning: ReasoningFormat | None = None,
        end_at_box: bool = True,
        step_tokens: int | None = None,
        top_k: int | None = None,
        model_revision: str | None = None,
    ) -> None:
        check_sampling(temperature, top_p, top_k)
        check_step_tokens(step_tokens)
        model = pinned("policy", model, model_revision, weights=False)
        self._client = Client[Continued]("policy", url, batch_size, timeout, retries, api_key_env)
        found = served(self._client, served_model)
        self._name, self._api = found.name, api
        self.tokenizer, config = load_tokenizer(model), load_config(model)
        self.size: ModelSize = policy_size(model, config)
        self.capacity = batch_size
        self.cache_tokens: int | None = None  # a server does not say, nor what follows
        self.exact = False
        self.batched_tokens: int | None = None
        self.max_tokens = max_tokens
        self.temperature, self.top_p, self.top_k = temperature, top_p, top_k
        thinking = Thinking(reasoning, self.tokenizer) if reasoning else None
        plain = Prompt(self.tokenizer, system_prompt, chat_template)(Problem("?", "?"))
        self._lead = thinking.opened(self.tokenizer.decode(plain)) if thinking else ""  # not the template's
        self._prompt = Prompt(self.tokenizer, system_prompt, chat_template, revision_format(model, revision), thinking)
        context = context_length(config) if found.context is None else min(context_length(config), found.context)
        generation = generation_config(model, config)
        self.rules = rules(self.tokenizer, generation, end_at_box, max_tokens, context, thinking, step_tokens)

    def add(self, ticket: int, request: Continue) -> None:
        self._api.check(request)
        problem = request.trajectory.problem
        if problem.before:  # a conversation that the template does not take is its asker's affair alone
            self._prompt(problem)
        self._client.submit(ticket, request.order, partial(self._continued, request))

    def cancel(self, ticket: int) -> Continued | None:
        """The connection is closed, on which a server stops. What it had written by then it does not say: only what was
        done already is known.
        """
        return self._client.give_up(ticket)

    def wake(self) -> None:
        self._client.wake()

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        return self.rules.append(text, cut)

    def reset(self) -> None:
        """Requests that are left are forgotten; what the server has cached stays with the server."""
        self._client.cancel()

    def close(self) -> None:
        self._client.close()

    def step(self) -> list[tuple[int, Continued]]:
        """Wait until a request is done; all that are."""
        return self._client.results()

    async def _continued(self, request: Continue) -> Continued:
        """Ask for pieces until the draft is what was asked for."""
        trajectory = request.trajectory
        prefix = [*self._prompt(trajectory.problem, trajectory.history), *trajectory.tokens]
        draft = Draft(self.rules, request, self.rules.room(request, len(prefix)))
        length, computed, turn, last, unseen = len(prefix), 0, 0, "", 0
        while not draft.finished:
            ask, of_step = self._ask(request, prefix, draft, last, turn), draft.left_of_step < draft.left
            try:
                piece = await self._api.piece(self._client, self.tokenizer, ask)
            except ContextExceededError:
                draft = _cut(draft, replace(request, max_tokens=None))
                break
            read = len(ask.prompt) if piece.prompt_tokens is None else piece.prompt_tokens
            length = length if turn else read
            computed += read - (piece.cached_tokens or 0)
            unseen += max(0, piece.unseen - piece.over)  # the end of the turn is put in the draft below
            turn, last = turn + 1, self.rules.decode(piece.tokens)
            unknown = [nan] * len(piece.tokens)
            _write(draft, piece.tokens, piece.logprobs or unknown, piece.confidences or unknown)
            if draft.sureness.doubtful:  # which the server cannot know
                unseen += max(0, len(ask.prompt) + len(piece.tokens) - len(prefix) - len(draft.tokens))
            if piece.over:
                _write(draft, [self.tokenizer.eos_token_id], [nan], draft.sureness.tokens[-1:] or [nan])
            going_on = ask.suppressed and piece.tokens  # one token was asked for, and it is there
            if piece.cut and not draft.finished and not going_on:
                if of_step:
                    draft.end_step()
                else:
                    draft = _cut(draft, _limited(draft))
        return Continued(draft.steps(), length, max(0, length - computed), unseen)

    def _ask(self, request: Continue, prefix: list[int], draft: Draft, last: str, turn: int) -> Ask:
        """turn: how many pieces there are; each is drawn with a seed of its own."""
        thinking, trajectory = self.rules.thinking, request.trajectory
        begun = any(step.thinking for step in trajectory.steps)
        steered = thinking is not None and (request.thinking is not None or begun)
        temperature = self.temperature if request.temperature is None else request.temperature
        return Ask(
            model=self._name,
            messages=self._prompt.messages(trajectory.problem, trajectory.history),
            written=(self._lead if steered else "") + trajectory.text + self.rules.decode(draft.tokens),
            prompt=[*prefix, *draft.tokens],
            last=last,
            stepwise=request.max_steps is not None,
            ends_at_box=self.rules.end_at_box,
            max_tokens=1 if draft.suppressed else draft.left_of_step,
            temperature=temperature,
            top_p=self.top_p if temperature > 0 else 1.0,
            top_k=self.top_k if temperature > 0 else None,
            seed=request.seed + turn,
            logprobs=request.logprobs,
            mark=thinking.mark if thinking is not None and request.thinking is not None else None,
            suppressed=draft.suppressed,
            confidence=request.confidence,
        )


def _write(draft: Draft, tokens: Sequence[int], logprobs: Sequence[float], confidences: Sequence[float]) -> None:
    for token, logprob, confidence in zip(tokens, logprobs, confidences, strict=True):
        if draft.finished:
            return
        draft.append(token, logprob, confidence)


def _limited(draft: Draft) -> Continue:
    """The request, with what made its room so small as small as what was written: the server counts other tokens."""
    request, made = draft.request, len(draft.tokens)
    if draft.room == request.max_tokens:
        return replace(request, max_tokens=made)
    if draft.room != request.limit:
        return request
    most = request.trajectory.thinking_tokens + made
    return replace(request, total=most) if request.thinking is None else replace(request, thinking=most)


def _cut(draft: Draft, request: Continue) -> Draft:
    """The draft with room for no more tokens than it has."""
    cut = Draft(draft.rules, request, len(draft.tokens))
    _write(cut, draft.tokens, draft.logprobs, draft.sureness.tokens or [nan] * len(draft.tokens))
    return cut
