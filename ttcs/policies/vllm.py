"""A policy on vLLM: requests go to its engine as they come, which batches them and caches their prefixes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nlargest
from itertools import repeat
from math import fsum, nan
from typing import Any, Unpack

from ttcs.core import Continue, Continued, ModelSize, Step
from ttcs.errors import EngineError, UserError
from ttcs.models.damage import check_weights
from ttcs.models.hub import pinned
from ttcs.models.load import context_length, load_config, load_tokenizer
from ttcs.models.outline import generation_config, policy_size
from ttcs.models.prompt import Prompt
from ttcs.models.reasoning import ReasoningFormat, Thinking
from ttcs.models.revision import RevisionFormat, revision_format
from ttcs.policies.draft import Draft, rules
from ttcs.policies.limits import check_sampling, check_step_tokens
from ttcs.vllm.engine import Engine, Writing
from ttcs.vllm.settings import Options, Settings
from ttcs.vllm.stops import frequent

PATIENCE = 0.05  # seconds to wait for tokens
LIKELIEST = 20  # tokens that the engine tells the log-probabilities of at most
STRIDE = 8  # tokens that come together where the engine itself stops in time, as it nearly always does


@dataclass(slots=True)
class Running:
    """A request that the engine works on. computed: tokens of the prefix that were not cached.

    sent: tokens that the engine was sent last, zero once it has said how many of them were cached.
    """

    ticket: int
    prefix: list[int]  # prompt and earlier steps
    draft: Draft
    computed: int = 0
    sent: int = 0
    beyond: int = 0  # tokens that came behind what was asked for

    def result(self) -> Continued:
        cached = max(0, len(self.prefix) - self.computed)
        return Continued(self.draft.steps(), len(self.prefix), cached, self.beyond + self.draft.begun)


class VLLMPolicy:
    """Any causal language model with a chat template that vLLM runs, from a folder or the Hub.

    model_revision: of the Hub. temperature, top_p, top_k: sampling defaults, see `draw`. max_tokens: longest solution.
    system_prompt, chat_template: see `Prompt`. reasoning: how its thinking is told from its answer, if it thinks.
    end_at_box: a step with a \\boxed answer is the last one. step_tokens: longest step, see `Rules`.
    lora: folder of an adapter. speculative_config: vLLM's.
    All others: see `Settings`.
    """

    def __init__(
        self,
        model: str,
        temperature: float,
        top_p: float,
        max_tokens: int,
        batch_size: int | None,
        system_prompt: str | None = None,
        chat_template: str | None = None,
        revision: RevisionFormat | None = None,
        reasoning: ReasoningFormat | None = None,
        end_at_box: bool = True,
        step_tokens: int | None = None,
        top_k: int | None = None,
        model_revision: str | None = None,
        lora: str | None = None,
        speculative_config: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> None:
        check_sampling(temperature, top_p, top_k)
        check_step_tokens(step_tokens)
        model = pinned("policy", model, model_revision)
        settings = Settings(batch_size, **options)
        self.tokenizer = load_tokenizer(model, settings.trust_remote_code)
        config = load_config(model, settings.trust_remote_code)
        check_weights(model)
        self.size: ModelSize = policy_size(model, config, settings.trust_remote_code)
        self.max_tokens = max_tokens
        self.temperature, self.top_p, self.top_k = temperature, top_p, top_k
        thinking = Thinking(reasoning, self.tokenizer) if reasoning else None
        self._prompt = Prompt(self.tokenizer, system_prompt, chat_template, revision_format(model, revision), thinking)
        arguments = {"model": model, "generation_config": "vllm", "speculative_config": speculative_config}
        self._engine = Engine("policy", settings, arguments, lora)
        self.capacity: int = self._engine.capacity
        self.cache_tokens: int | None = self._engine.cache_tokens
        self.exact = self._engine.exact
        self.batched_tokens: int | None = self._engine.batched_tokens
        _check_context(self._engine.context, max_tokens, context_length(config))
        generation = generation_config(model, config)
        self.rules = rules(
            self.tokenizer, generation, end_at_box, max_tokens, self._engine.context, thinking, step_tokens
        )
        self._turn = sorted(self.rules.ends)
        self._step = sorted(self.rules.ends.union(frequent(self.rules.boundaries.ends, self.tokenizer)))
        self._running: dict[str, Running] = {}
        self._done: list[Running] = []

    def add(self, ticket: int, request: Continue) -> None:
        if request.confidence is not None and request.confidence > LIKELIEST:
            raise UserError(
                f"the strategy asks for {request.confidence} likeliest tokens, and vLLM tells of {LIKELIEST} at most"
            )
        trajectory = request.trajectory
        prefix = [*self._prompt(trajectory.problem, trajectory.history), *trajectory.tokens]
        draft = Draft(self.rules, request, self.rules.room(request, len(prefix)))
        running = Running(ticket, prefix, draft)
        if draft.finished:  # there is no room for a single token
            self._done.append(running)
        else:
            self._send(running)

    def step(self) -> list[tuple[int, Continued]]:
        """Read what the engine has written since."""
        for output in self._engine.step(0.0 if self._done else PATIENCE) if self._running else []:
            self._read(output)
        done, self._done = self._done, []
        return [(running.ticket, running.result()) for running in done]

    def cancel(self, ticket: int) -> Continued | None:
        """Tokens that the engine has not told of yet, fewer than its stride, are not counted."""
        running = next((one for one in [*self._done, *self._running.values()] if one.ticket == ticket), None)
        names = [name for name, one in self._running.items() if one is running]
        for name in names:
            del self._running[name]
        if names:
            self._engine.abort(names)
        self._done = [one for one in self._done if one is not running]
        return running.result() if running is not None and (running.draft.tokens or not running.sent) else None

    def wake(self) -> None:
        """It waits for no more than a moment."""

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        return self.rules.append(text, cut)

    def reset(self) -> None:
        self._engine.abort(list(self._running))
        self._running.clear()
        self._done.clear()
        self._engine.reset()

    def close(self) -> None:
        self._engine.close()

    def _send(self, running: Running) -> None:
        """Have the engine begin, or go on behind what is written: the tokens go back as they came.

        Where steps end is for the draft to say. The engine stops at what it can tell, so as not to write too much:
        tokens that end a turn, and where one step was asked for, the frequent ones of those that end a step.
        """
        draft, request = running.draft, running.draft.request
        tokens = [*running.prefix, *draft.tokens]
        running.sent = len(tokens) - bool(draft.tokens)  # the last one written had to be read anyway
        writing = Writing(
            stops=self._step if request.max_steps == 1 else self._turn,
            max_tokens=1 if draft.suppressed else draft.left_of_step if request.max_steps == 1 else draft.left,
            temperature=self.temperature if request.temperature is None else request.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            seed=seed(request.seed, draft.tokens),
            stride=STRIDE if request.max_steps in (1, None) else 1,
            suppressed=draft.suppressed,
            logprobs=request.confidence or (0 if request.logprobs else None),
        )
        name = self._engine.write(tokens, writing, request.order)
        self._running[name] = running

    def _read(self, output: Any) -> None:
        """Take down new tokens. The engine need not go on when they complete the draft, and must when they do not."""
        running, (piece,) = self._running.get(output.request_id), output.outputs
        if running is None:  # given up, and the engine had not heard of it yet
            return
        if running.sent:
            running.computed += running.sent - output.num_cached_tokens
            running.sent = 0
        told = piece.logprobs or repeat(None)
        for taken, (token, logprobs) in enumerate(zip(piece.token_ids, told, strict=False), 1):
            sure = _confidence(logprobs, running.draft.request.confidence) if logprobs else nan
            running.draft.append(token, logprobs[token].logprob if logprobs else nan, sure)
            if running.draft.finished:
                running.beyond = len(piece.token_ids) - taken
                break
        if not (output.finished or running.draft.finished):
            return
        del self._running[output.request_id]
        if not output.finished:
            self._engine.abort([output.request_id])
        elif piece.finish_reason not in ("stop", "length"):
            raise EngineError(f"policy: vLLM gave up a request: {piece.finish_reason}")
        if running.draft.finished:
            self._done.append(running)
        else:
            self._send(running)


def _confidence(logprobs: Mapping[int, Any], k: int | None) -> float:
    """Of the k likeliest tokens; the one that was written comes on top of them where it is none."""
    if k is None:
        return nan
    likeliest = nlargest(k, (told.logprob for told in logprobs.values()))
    return -fsum(likeliest) / len(likeliest)


def _check_context(fits: int, wanted: int, own: int) -> None:
    """UserError where the memory, and not the model, would decide which solutions are cut off.

    fits: tokens of a sequence that the engine has room for. wanted: of a solution. own: what the model reads.
    """
    if fits < min(wanted, own):
        raise UserError(
            f"policy: the memory that its engine has holds sequences of {fits} tokens, and policy.max_tokens={wanted} "
            "wants longer ones: raise policy.gpu_memory_utilization, policy.cache_gb or policy.tensor_parallel_size, "
            "or lower policy.max_tokens"
        )


def seed(given: int, written: Sequence[int]) -> int:
    """For the tokens behind `written`: drawn anew, and within the 63 bits that vLLM takes."""
    if not written:
        return given >> 1
    name = f"{given} {' '.join(map(str, written))}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1
