"""PRMs of any format on vLLM's pooling runner, which reads what neither its prefix cache nor a memo holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from ttcs.core import Judge, Judged, ModelSize
from ttcs.errors import EngineError, UserError
from ttcs.models.damage import check_weights
from ttcs.models.hub import pinned
from ttcs.models.load import load_config, load_tokenizer
from ttcs.models.outline import prm_size
from ttcs.models.pieces import Prefix
from ttcs.prms.alike import Alike
from ttcs.prms.format import Format
from ttcs.prms.prefixes import Memo, Reading, reading, sequences
from ttcs.vllm.engine import Engine
from ttcs.vllm.settings import Options, Settings

PATIENCE = 0.002  # seconds to wait for scores: what the policy has written meanwhile waits too
EVERY_TOKEN = {"task": "token_classify", "tok_pooling_type": "ALL"}


@dataclass(slots=True)
class Waiting:
    """A request and the scores of its prefixes that are there.

    order: the number of its problem. computed: tokens computed for it.
    """

    ticket: int
    asked: Reading
    scores: dict[Prefix, float]
    order: int
    computed: int = 0

    @property
    def wanted(self) -> list[Prefix]:
        """The prefixes whose scores are not there."""
        return [prefix for prefix in dict.fromkeys(self.asked.prefixes) if prefix and prefix not in self.scores]

    def result(self) -> Judged:
        return self.asked.judged(self.scores, max(0, self.asked.tokens - self.computed))


@dataclass(frozen=True, slots=True)
class Sent:
    """A sequence that the engine reads. ends: lengths of its beginnings that are to be scored; asker: who pays."""

    tokens: Prefix
    ends: Sequence[int]
    asker: Waiting


class VLLMPRM:
    """A PRM that vLLM runs, from a folder or the Hub. format: how its family writes solutions and says scores.

    model_revision: of the Hub. batch_size: solutions read at once. All others: see `Settings`.

    The engine gives a row of logits for each token that it computes and none for those that it had cached. The last
    token of a sequence is always computed, so a score that fell on a cached one is asked for once more, on its own.
    """

    def __init__(
        self,
        format: Format,
        model: str,
        batch_size: int | None,
        model_revision: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        settings = Settings(batch_size, **options)
        if settings.quantized is not None and not format.head.quantizable:
            raise UserError(
                f"prm.quantization={settings.quantized}: vLLM would quantize the head that scores {model} too, "
                "which is a few numbers wide: leave it null, or share the model out with prm.tensor_parallel_size"
            )
        model = pinned("prm", model, model_revision)
        tokenizer = load_tokenizer(model, settings.trust_remote_code)
        self._reader = format.reader(tokenizer, model)
        self._head = format.head
        self.size: ModelSize = prm_size(model, load_config(model, settings.trust_remote_code))
        check_weights(model)
        arguments = {"model": model, "pooler_config": EVERY_TOKEN, **format.head.pooling(model, tokenizer)}
        self._engine = Engine("prm", settings, arguments)
        self.capacity: int = self._engine.capacity
        self.cache_tokens: int | None = self._engine.cache_tokens
        self._memo = Memo()
        self._alike = Alike(model)
        self._sent: dict[str, Sent] = {}
        self._awaited: dict[Prefix, list[Waiting]] = {}  # prefixes that the engine reads, and who waits for them
        self._done: list[Waiting] = []

    def add(self, ticket: int, request: Judge) -> None:
        """Have the engine read what nobody has asked for before."""
        asked = reading(request, self._reader, self._engine.context)
        waiting = Waiting(ticket, asked, self._memo.known([asked]), request.order)
        wanted = waiting.wanted
        fresh = [prefix for prefix in wanted if prefix not in self._awaited]
        for prefix in wanted:
            self._awaited.setdefault(prefix, []).append(waiting)
        for tokens, ends in sequences(fresh).items():
            self._send(Sent(tokens, ends, waiting))
        if not wanted:
            self._done.append(waiting)

    def step(self) -> list[tuple[int, Judged]]:
        """Take in the scores that have come since."""
        for output in self._engine.step(0.0 if self._done else PATIENCE) if self._sent else []:
            if (sent := self._sent.pop(output.request_id, None)) is not None:  # else it was given up
                self._learn(self._read(sent, output))
        done, self._done = self._done, []
        return [(waiting.ticket, waiting.result()) for waiting in done]

    def cancel(self, ticket: int) -> None:
        """Sequences with prefixes that others wait for are read to their end."""
        for waiting in self._awaited.values():
            waiting[:] = [one for one in waiting if one.ticket != ticket]
        unwanted = [
            name
            for name, sent in self._sent.items()
            if not any(self._awaited.get(sent.tokens[:end]) for end in sent.ends)
        ]
        for name in unwanted:
            for end in (sent := self._sent.pop(name)).ends:
                self._awaited.pop(sent.tokens[:end], None)
        if unwanted:
            self._engine.abort(unwanted)
        self._done = [one for one in self._done if one.ticket != ticket]

    def wake(self) -> None:
        """It waits for no more than a moment."""

    def reset(self) -> None:
        self._engine.abort(list(self._sent))
        self._sent.clear()
        self._awaited.clear()
        self._done.clear()
        self._memo.clear()
        self._engine.reset()

    def close(self) -> None:
        self._engine.close()

    def _send(self, sent: Sent) -> None:
        self._sent[self._engine.read(sent.tokens, sent.asker.order)] = sent

    def _read(self, sent: Sent, output: Any) -> dict[Prefix, float]:
        """The scores that came with a sequence; those that did not are asked for again."""
        cached, rows = output.num_cached_tokens, output.outputs.data
        if len(rows) != len(sent.tokens) - cached:
            raise EngineError(f"prm: {len(rows)} rows for {len(sent.tokens)} tokens, {cached} of them cached")
        sent.asker.computed += len(rows)
        there = [end for end in sent.ends if end > cached]
        for end in sent.ends[: len(sent.ends) - len(there)]:
            self._send(Sent(sent.tokens[:end], [end], sent.asker))
        logits = rows[[end - 1 - cached for end in there]].float()
        self._alike.watch(self._head.log_odds(logits).tolist())
        scores = self._head.scores(logits).tolist()
        return dict(zip((sent.tokens[:end] for end in there), scores, strict=True))

    def _learn(self, scores: Mapping[Prefix, float]) -> None:
        """Give scores to those who wait for them."""
        self._memo.learn(scores)
        for prefix, score in scores.items():
            for waiting in self._awaited.pop(prefix):
                waiting.scores[prefix] = score
                if not waiting.wanted:
                    self._done.append(waiting)
