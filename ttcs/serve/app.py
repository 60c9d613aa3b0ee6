"""The service as an application of ASGI."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ttcs.serve import metrics, reply
from ttcs.serve.counts import Counted, Counts
from ttcs.serve.refusals import RefusedError, refused
from ttcs.serve.request import Asked, asked
from ttcs.serve.settings import Settings
from ttcs.solving.found import Found
from ttcs.solving.solver import Solver

SEARCHED = "/v1/chat/completions"
LEFT = 499  # what others call it when a client has not waited
RETRY = "1"  # seconds after which a client may come again
Search = asyncio.Task[Found]


def app(solver: Solver, settings: Settings, key: str | None) -> Starlette:
    """key: that clients have to send; None: any may come."""
    service = Service(solver, settings, key)
    return Starlette(
        middleware=[Middleware(Counted, service.counts, SEARCHED, LEFT)],
        routes=[
            Route(SEARCHED, service.complete, methods=["POST"]),
            Route("/metrics", service.metrics),
            Route("/v1/models", service.models),
            Route("/health", service.health),
        ],
        exception_handlers={RefusedError: _refuse, HTTPException: _refuse},
    )


class Service:
    def __init__(self, solver: Solver, settings: Settings, key: str | None) -> None:
        self._solver, self._settings, self._key = solver, settings, key
        self._searches: set[Search] = set()
        self.counts = Counts()

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
        wanted = asked(await self._body(request), self._settings)
        search = self._begin(wanted)
        if wanted.stream:
            events = self._events(request, search, wanted)
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

    def _begin(self, wanted: Asked) -> Search:
        if len(self._searches) >= self._settings.at_once:
            raise RefusedError(429, f"{self._settings.at_once} requests are under way: come again", code="queue_full")
        words = self._settings.methods[wanted.model]
        search = asyncio.create_task(self._solver.asolve(wanted.problem, *words, **wanted.settings))
        self._searches.add(search)
        search.add_done_callback(self._ended)
        return search

    def _ended(self, search: Search) -> None:
        self._searches.remove(search)
        if not search.cancelled() and search.exception() is None:  # which somebody has looked at by that
            self.counts.searched(search.result().ledger)

    async def _events(self, request: Request, search: Search, wanted: Asked) -> AsyncIterator[str]:
        """Comments until the answer is there, then the answer."""
        gone = asyncio.create_task(_gone(request))
        try:
            while not (search.done() or gone.done()):
                yield ": searching\n\n"
                patience = self._settings.keep_alive
                await asyncio.wait({search, gone}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not search.done():
                return
            for piece in reply.pieces(search.result(), wanted):
                yield _event(piece)
            yield "data: [DONE]\n\n"
        except Exception as error:
            yield _event(refused(error).body())
        finally:
            search.cancel()
            gone.cancel()

    def _let_in(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key is not None and not hmac.compare_digest(given.encode(), self._key.encode()):
            raise RefusedError(401, "the key is not the one of this service", code="invalid_api_key")

    async def _body(self, request: Request) -> bytes:
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


async def _gone(request: Request) -> None:
    """Returns when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _refuse(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = RefusedError(error.status_code, f"{request.method} {request.url.path}: {error.detail}")
    assert isinstance(error, RefusedError)
    headers = {"Retry-After": RETRY} if error.status == 429 else {}
    return JSONResponse(error.body(), error.status, headers)


def _event(content: Any) -> str:
    return f"data: {json.dumps(content)}\n\n"
