"""The service as an application of ASGI."""

from __future__ import annotations

import asyncio
import hmac
import json
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ttcs.errors import UserError
from ttcs.serve import front, metrics, reply
from ttcs.serve.counts import Counted, Counts
from ttcs.serve.records import Records
from ttcs.serve.refusals import RefusedError, refused
from ttcs.serve.request import Asked, Requests
from ttcs.serve.settings import Settings
from ttcs.solving.found import Found
from ttcs.solving.progress import Progress
from ttcs.solving.solver import Solver

SEARCHED = "/v1/chat/completions"
LEFT = 499  # what others call it when a client has not waited
JSON = "application/json"
PACE = 0.25  # seconds between two looks at how far a search is
RETRY = "1"  # seconds after which a client may come again
Search = asyncio.Task[Found]
Window = Callable[[Path, int], str | None]  # folder of records, searches of each run -> a page, if there are any


def app(
    solver: Solver,
    settings: Settings,
    key: str | None,
    records: Records | None = None,
    window: Window | None = None,
) -> Starlette:
    """key: that clients have to send; None: any may come. records: keeps what was served. window: shows it."""
    service = Service(solver, settings, key, records, window)
    return Starlette(
        middleware=[Middleware(Counted, service.counts, SEARCHED, LEFT)],
        routes=[
            Route(SEARCHED, service.complete, methods=["POST"]),
            Route("/", service.front),
            Route("/metrics", service.metrics),
            Route("/v1/models", service.models),
            Route("/health", service.health),
        ],
        exception_handlers={RefusedError: _refuse, HTTPException: _refuse},
    )


class Service:
    def __init__(
        self, solver: Solver, settings: Settings, key: str | None, records: Records | None, window: Window | None
    ) -> None:
        self._solver, self._settings, self._key = solver, settings, key
        self._records, self._window, self._looking = records, window, asyncio.Lock()
        self._searches: set[Search] = set()
        self._requests = Requests(solver, settings)
        self.counts = Counts()

    async def front(self, request: Request) -> Response:
        """What was served, to look into; a short page where nothing is kept, or there is nothing yet."""
        self._let_in(request, browser=True)
        shown = None
        if self._records is not None and self._window is not None:
            async with self._looking:  # it may be large, and is made of all that is kept
                try:
                    shown = await asyncio.to_thread(self._window, self._records.root, self._settings.shown)
                except UserError as error:
                    raise RefusedError(500, str(error)) from error
        content = shown or front.page(self._settings.methods, kept=self._records is not None)
        return HTMLResponse(content, headers={"Cache-Control": "no-store"})

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "searches": len(self._searches)})

    async def metrics(self, request: Request) -> Response:
        self._let_in(request)
        content, kind = metrics.page(self.counts, len(self._searches), self._solver.queued)
        return Response(content, headers={"Content-Type": kind})

    async def models(self, request: Request) -> Response:
        self._let_in(request)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "ttcs"} for name in self._settings.methods]
        return JSONResponse({"object": "list", "data": data})

    async def complete(self, request: Request) -> Response:
        self._let_in(request)
        wanted = self._requests.read(await self._body(request))
        if wanted.stream or "n" in wanted.settings:  # before a stream is begun, which has no status any more
            await self._check(wanted)
        progress = Progress() if wanted.progress else None
        search = self._begin(wanted, progress)
        if wanted.stream:
            events = self._events(request, search, wanted, progress)
            return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
        gone = asyncio.create_task(_gone(request))
        try:
            await asyncio.wait({search, gone}, return_when=asyncio.FIRST_COMPLETED)
            return JSONResponse(reply.whole(search.result(), wanted)) if search.done() else Response(status_code=LEFT)
        except Exception as error:
            raise refused(error) from error
        finally:
            search.cancel()
            gone.cancel()

    async def _check(self, wanted: Asked) -> None:
        try:
            await asyncio.to_thread(self._requests.check, wanted)
        except UserError as error:
            raise refused(error) from error

    def _begin(self, wanted: Asked, progress: Progress | None) -> Search:
        if len(self._searches) >= self._settings.at_once:
            raise RefusedError(429, f"{self._settings.at_once} requests are under way: come again", code="queue_full")
        words = self._settings.methods[wanted.model]
        search = asyncio.create_task(self._found(wanted, words, progress))
        self._searches.add(search)
        search.add_done_callback(self._ended)
        return search

    async def _found(self, wanted: Asked, words: Sequence[str], progress: Progress | None) -> Found:
        """On record, where records are kept, before anybody is told of it."""
        found = await self._solver.asolve(wanted.problem, *words, progress=progress, **wanted.settings)
        if self._records is None:
            return found
        try:
            return await asyncio.to_thread(self._records.keep, wanted, found)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            raise RefusedError(503, "what was found could not be kept on record") from error

    def _ended(self, search: Search) -> None:
        self._searches.remove(search)
        if not search.cancelled() and search.exception() is None:  # which somebody has looked at by that
            self.counts.searched(search.result().ledger)

    async def _events(
        self, request: Request, search: Search, wanted: Asked, progress: Progress | None
    ) -> AsyncIterator[str]:
        """Comments until the answer is there, and how far the search is where that was asked for; then the answer."""
        gone = asyncio.create_task(_gone(request))
        head, told, patience = reply.beginning(wanted), Progress(), self._settings.keep_alive
        if progress is not None:
            patience = min(patience, PACE)
        try:
            while not (search.done() or gone.done()):
                if progress is None or progress == told:
                    yield ": searching\n\n"
                else:
                    told = replace(progress)
                    yield _event(reply.thought(told, head))
                await asyncio.wait({search, gone}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not search.done():
                return
            for piece in reply.pieces(search.result(), wanted, head):
                yield _event(piece)
            yield "data: [DONE]\n\n"
        except Exception as error:
            yield _event(refused(error).body())
        finally:
            search.cancel()
            gone.cancel()

    def _let_in(self, request: Request, browser: bool = False) -> None:
        """browser: one may come with the key as a password. Where it costs something it may not: pages can send it."""
        host = _host(request.headers.get("host", ""))
        if not self._settings.named(host):
            raise RefusedError(421, f"this service is not {host or 'that'}: serve.hosts names what it is")
        header = request.headers.get("authorization", "")
        given = _password(header) if browser and header.startswith("Basic ") else header.removeprefix("Bearer ")
        if self._key is not None and not hmac.compare_digest(given.encode(), self._key.encode()):
            raise RefusedError(401, "the key is not the one of this service", code="invalid_api_key")

    async def _body(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JSON:  # what any page in a browser can send here is of other types
            raise RefusedError(415, f"the Content-Type is {kind or 'missing'}, not {JSON}")
        most = self._settings.body
        found = b""
        try:
            async for part in request.stream():
                found += part
                if len(found) > most:
                    raise RefusedError(413, f"the body has more than {most} bytes")
        except ClientDisconnect as error:
            raise RefusedError(LEFT, "the client left") from error
        return found


def _host(header: str) -> str:
    """The name in a Host header. `request.url` has the service's own address where it takes the name for none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _password(header: str) -> str:
    """That a browser has asked its user for."""
    try:
        return b64decode(header.removeprefix("Basic ")).decode().partition(":")[2]
    except ValueError:
        return ""


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _refuse(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = RefusedError(error.status_code, f"{request.method} {request.url.path}: {error.detail}")
    assert isinstance(error, RefusedError)
    headers = {"Retry-After": RETRY} if error.status == 429 else {}
    if error.status == 401 and request.url.path == "/":
        headers["WWW-Authenticate"] = 'Basic realm="ttcs"'  # so that a browser asks its user
    return JSONResponse(error.body(), error.status, headers)


def _event(content: Any) -> str:
    return f"data: {json.dumps(content)}\n\n"
