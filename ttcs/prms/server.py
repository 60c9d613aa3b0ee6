"""A PRM of any format behind vLLM's pooling endpoint."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from ttcs.core import Judge, Judged, ModelSize
from ttcs.errors import UserError
from ttcs.models.hub import pinned
from ttcs.models.load import context_length, load_config, load_tokenizer
from ttcs.models.outline import prm_size
from ttcs.models.pieces import Prefix
from ttcs.prms.format import Format
from ttcs.prms.pooling import Pooling
from ttcs.prms.prefixes import Memo, Reading, reading, sequences, unread
from ttcs.servers.client import Client
from ttcs.servers.failures import ContextExceededError
from ttcs.servers.served import served

Scores = Mapping[Prefix, float]


class ServerPRM:
    """A PRM that a vLLM server at `url` has loaded.

    format: how its family writes solutions and says scores. model: folder or Hub id of its tokenizer and config, of the
    Hub at model_revision.
    pooling: the task that the server was started for. served_model: what the server calls it (None: it serves one).
    batch_size: requests at once. timeout, retries, api_key_env: see `Client`.

    The server does not say what it had in its cache: each token of the solutions it was sent counts as computed, once.
    """

    def __init__(
        self,
        format: Format,
        model: str,
        url: str,
        pooling: Pooling,
        batch_size: int,
        served_model: str | None = None,
        api_key_env: str | None = None,
        timeout: float = 600.0,
        retries: int = 6,
        model_revision: str | None = None,
    ) -> None:
        model = pinned("prm", model, model_revision, weights=False)
        # The endpoint is vLLM's own, so it is not under the /v1 of those that are OpenAI's.
        self._client = Client[Judged](
            "prm", url.rstrip("/").removesuffix("/v1"), batch_size, timeout, retries, api_key_env
        )
        found = served(self._client, served_model, "v1/models")
        tokenizer, config = load_tokenizer(model), load_config(model)
        self._reader = format.reader(tokenizer, model)
        self._head, self._pooling, self._name = format.head, pooling, found.name
        self.size: ModelSize = prm_size(model, config)
        self.capacity = batch_size
        self.cache_tokens: int | None = None  # a server does not say
        self._context = context_length(config) if found.context is None else min(context_length(config), found.context)
        self._memo = Memo()
        self._running: dict[Prefix, asyncio.Task[Scores]] = {}  # prefixes that the server is reading

    def add(self, ticket: int, request: Judge) -> None:
        self._client.submit(ticket, request.order, partial(self._judged, request))

    def cancel(self, ticket: int) -> None:
        """What the server is reading others may wait for too."""
        self._client.give_up(ticket)

    def wake(self) -> None:
        self._client.wake()

    def reset(self) -> None:
        """Requests that are left are forgotten; what the server has cached stays with the server."""
        self._client.cancel()
        self._client.now(self._forget())

    def close(self) -> None:
        self._client.close()

    def step(self) -> list[tuple[int, Judged]]:
        """Wait until a request is done; all that are."""
        return self._client.results()

    async def _forget(self) -> None:
        for task in set(self._running.values()):
            task.cancel()
        self._memo.clear()
        self._running.clear()

    async def _judged(self, judge: Judge) -> Judged:
        """Have read what no request has asked for before; nothing, where the server says that it is too long."""
        asked = reading(judge, self._reader, self._context)
        wanted = dict.fromkeys(prefix for prefix in asked.prefixes if prefix)
        scores, computed = self._memo.known([asked]), 0
        while left := [prefix for prefix in wanted if prefix not in scores]:
            missing = [prefix for prefix in left if prefix not in self._running]
            own = self._start(missing) if missing else None
            for task in dict.fromkeys(self._running[prefix] for prefix in left):
                try:
                    scores |= await asyncio.shield(task)  # which others may wait for too
                except ContextExceededError:
                    if task is own:  # else another solution was too long, and this one asks for itself
                        return unread(judge, min(self._context, max(map(len, wanted)) - 1)).judged({}, 0)
            computed += _computed(asked, missing)
        return asked.judged(scores, asked.tokens - min(computed, asked.tokens))

    def _start(self, prefixes: Sequence[Prefix]) -> asyncio.Task[Scores]:
        task = asyncio.create_task(self._read(prefixes))
        task.add_done_callback(_heed)
        self._running |= dict.fromkeys(prefixes, task)
        return task

    async def _read(self, prefixes: Sequence[Prefix]) -> Scores:
        """The scores of prefixes, in one request."""
        body = {
            "model": self._name,
            "task": self._pooling.task,
            "input": [list(tokens) for tokens in self._pooling.inputs(prefixes)],
            "use_activation": False,
        }
        try:
            answer = await self._client.post("pooling", body)
        finally:
            for prefix in prefixes:
                self._running.pop(prefix, None)
        scores = self._scores(self._pooling.logits(prefixes, _data(answer)))
        self._memo.learn(scores)
        return scores

    def _scores(self, logits: Mapping[Prefix, Sequence[float | None]]) -> Scores:
        rows = [[math.nan if value is None else value for value in row] for row in logits.values()]
        return dict(zip(logits, self._head.scores(torch.tensor(rows)).tolist(), strict=True))


def _heed(task: asyncio.Task[Scores]) -> None:
    """Whoever waits for a failure is told of it; if nobody does any more, nobody shall be."""
    if not task.cancelled():
        task.exception()


def _computed(asked: Reading, missing: Sequence[Prefix]) -> int:
    return min(asked.tokens, sum(map(len, sequences(missing))))


def _data(answer: Any) -> list[Any]:
    try:
        return [item["data"] for item in sorted(answer["data"], key=lambda item: item["index"])]
    except (KeyError, TypeError) as error:
        raise UserError(f"the PRM's server does not answer like vLLM's /pooling: {str(answer)[:200]}") from error
