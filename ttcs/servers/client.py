"""Requests to an HTTP server, many at once, from a thread of their own."""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import aclosing
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import httpx2

from ttcs.errors import EngineError, UserError
from ttcs.servers.failures import BusyError, failure, refusal
from ttcs.servers.turns import Turns

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds between two tries
NOBODY = httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL
DONE: dict[str, Any] = {}  # the event that ends a stream

Result = TypeVar("Result")
Answer = TypeVar("Answer")


class Client(Generic[Result]):
    """Work for one server, at most `limit` pieces of it at once.

    name: of the component, for what is told of its settings. url: where the paths of requests begin.
    timeout: seconds without a word from the server. retries: how often a request is sent again when the connection
    is lost or the server is busy, after a wait that doubles each time (or the one the server asks for).
    api_key_env: the environment variable that holds the key, None: no key is sent.
    """

    def __init__(
        self, name: str, url: str, limit: int, timeout: float, retries: int, api_key_env: str | None = None
    ) -> None:
        self.name, self.url = name, url.rstrip("/")
        self._retries = retries
        self._met = False
        self._turns = Turns(limit)
        self._waits = random.Random()  # decides when a request is sent again, never what comes of it
        self._running: dict[int, Future[Result]] = {}  # by ticket, until somebody has heard of its end
        self._done: SimpleQueue[tuple[int, Future[Result]] | None] = SimpleQueue()  # None: somebody wakes who waits
        self._http = httpx2.AsyncClient(
            headers=_headers(name, api_key_env),
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0), pool=None),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=limit),
        )
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name=f"{name} client", daemon=True)
        thread.start()
        self._end = weakref.finalize(self, _close, self._loop, self._http, thread)

    def submit(self, ticket: int, order: int, work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        """Have work done when its turn comes, the smallest order first; `results` will give what it returns."""

        async def turn() -> Result:
            async with self._turns.turn(order, ticket):
                return await work()

        future = asyncio.run_coroutine_threadsafe(turn(), self._loop)
        self._running[ticket] = future
        done = self._done
        future.add_done_callback(lambda finished: done.put((ticket, finished)))

    def results(self) -> list[tuple[int, Result]]:
        """Wait until some work is done, or `wake` is called; what all of it came to, or the failure of the first that
        failed.
        """
        done: list[tuple[int, Future[Result]]] = []
        woken = False
        while not (done or woken) or not self._done.empty():
            if (ended := self._done.get()) is None:
                woken = True
                continue
            ticket, future = ended
            if self._running.get(ticket) is future:  # else it was given up
                del self._running[ticket]
                done.append((ticket, future))
        return [(ticket, future.result()) for ticket, future in done]

    def wake(self) -> None:
        """From any thread: whoever waits for results waits no longer."""
        self._done.put(None)

    def give_up(self, ticket: int) -> Result | None:
        """Forget a piece of work; what it has come to, if it is done."""
        future = self._running.pop(ticket)
        if future.cancel() or future.cancelled() or future.exception() is not None:
            return None
        return future.result()

    def cancel(self) -> None:
        """Forget all work that is not done."""
        self._done = SimpleQueue()
        for future in self._running.values():
            future.cancel()
        self._running.clear()

    def close(self) -> None:
        """Give up what is under way, close the connections and end the thread."""
        self._end()

    def now(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for work that does not have to wait for its turn."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def get(self, path: str) -> Any:
        return await self._persist(lambda: self._ask("GET", path, None))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a request, from JSON. See `_persist` and `failures.failure` for what it may raise."""
        return await self._persist(lambda: self._ask("POST", path, body))

    async def listen(
        self, path: str, body: Mapping[str, Any], hear: Callable[[AsyncIterator[Any]], Awaitable[Answer]]
    ) -> Answer:
        """What `hear` makes of the events of a streamed answer; when it returns, the server is told to stop."""

        async def attempt() -> Answer:
            async with aclosing(self._events(path, body)) as events:
                return await hear(events)

        return await self._persist(attempt)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        response = await self._http.request(method, f"{self.url}/{path}", json=body)
        if response.status_code >= 400:
            raise failure(response, self.name)
        try:
            answer = json.loads(response.content.decode(errors="replace"))
        except ValueError as error:
            raise UserError(f"{self.url}/{path} does not answer in JSON: look at {self.name}.url") from error
        return self._sound(path, answer)

    def _sound(self, path: str, answer: Any) -> Any:
        """The answer, or what it says went wrong."""
        if (error := refusal(answer, f"{self.url}/{path}", self.name)) is not None:
            raise error
        return answer

    async def _events(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """Server-sent events, `DONE` among them; of a server that does not stream, its answer as the only one.

        Lines end at \\n alone: text may hold other characters that end lines elsewhere.
        """
        async with self._http.stream("POST", f"{self.url}/{path}", json=body) as response:
            if response.status_code >= 400:
                await response.aread()
                raise failure(response, self.name)
            if response.headers.get("content-type", "").startswith("application/json"):
                yield self._sound(path, _event(await response.aread()))
                return
            rest = b""
            async for chunk in response.aiter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.startswith(b"data:"):
                        done = line[5:].strip() == b"[DONE]"
                        yield DONE if done else self._sound(path, _event(line[5:]))

    async def _persist(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """Try until it succeeds. EngineError when the server does not come back, UserError when it never was there."""
        tries = 0
        while True:
            try:
                answer = await attempt()
            except (httpx2.TransportError, httpx2.InvalidURL, BusyError) as error:
                if not self._met and isinstance(error, NOBODY):
                    hint = f"start one, or set {self.name}.url"
                    raise UserError(f"no server answers at {self.url} ({_reason(error)}): {hint}") from error
                tries += 1
                if tries > self._retries:
                    raise EngineError(f"{self.url} gave out after {tries} tries: {_reason(error)}") from error
                await asyncio.sleep(self._wait(tries, error))
            else:
                self._met = True
                return answer

    def _wait(self, tries: int, error: Exception) -> float:
        asked = error.retry_after if isinstance(error, BusyError) else None
        wait = FIRST_WAIT * 2 ** (tries - 1) if asked is None else asked
        # Spread out, so that those that were sent away together do not come back together.
        return min(LONGEST_WAIT, wait) * self._waits.uniform(1, 1.5)


def _headers(name: str, api_key_env: str | None) -> dict[str, str]:
    if api_key_env is None:
        return {}
    if not os.environ.get(api_key_env):
        raise UserError(f"{name}.api_key_env={api_key_env}, but there is no such environment variable")
    return {"Authorization": f"Bearer {os.environ[api_key_env]}"}


def _event(data: bytes) -> Any:
    try:
        event = json.loads(data.decode(errors="replace"))
    except ValueError as error:
        raise BusyError(f"an event is not JSON ({error})", None) from error
    return event if isinstance(event, dict) else {}


def _reason(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def _close(loop: asyncio.AbstractEventLoop, http: httpx2.AsyncClient, thread: threading.Thread) -> None:
    """Give up what is under way, close the connections, and end the thread before the interpreter ends it."""

    async def close() -> None:
        others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await http.aclose()
        loop.stop()

    if thread.is_alive():
        asyncio.run_coroutine_threadsafe(close(), loop)
        if thread is not threading.current_thread():
            thread.join(5.0)
