"""A small HTTP server on loopback that speaks the OpenAI protocol, with failures on demand."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Fault:
    """What happens to a request instead of its answer. status None: the connection is dropped."""

    status: int | None
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Log:
    """What a server has seen, and what it shall do. delay: seconds before a request is answered."""

    faults: deque[Fault] = field(default_factory=deque)
    delay: Callable[[dict[str, Any]], float] = lambda body: 0.0
    models: Any = field(default_factory=lambda: {"data": [{"id": "tiny", "max_model_len": 512}]})
    models_status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    hung_up: int = 0  # streams that the client ended
    peak: int = 0  # most requests at once
    busy: int = 0
    url: str = ""
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def serving(answers: dict[str, Callable[[dict[str, Any]], Any]]) -> Iterator[Log]:
    """answers: path -> what a request's body is answered with (a list: the events of a stream)."""
    log = Log()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            log.keys.append(self.headers["Authorization"])
            self._send(log.models_status if self.path.endswith("/models") else 404, log.models)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with log.lock:
                log.bodies.append(body)
                log.busy += 1
                log.peak = max(log.peak, log.busy)
                fault = log.faults.popleft() if log.faults else None
            try:
                time.sleep(log.delay(body))
                self._answer(body, fault)
            except OSError:
                log.hung_up += 1
            finally:
                with log.lock:
                    log.busy -= 1

        def _answer(self, body: dict[str, Any], fault: Fault | None) -> None:
            if log.dead or (fault and fault.status is None):
                self.close_connection = True
            elif fault:
                self._send(fault.status, fault.body, fault.headers)
            elif self.path not in answers:
                self._send(404, {"error": {"message": f"no route {self.path}"}})
            else:
                answer = answers[self.path](body)
                self._stream(answer) if isinstance(answer, list) else self._send(answer.pop("status", 200), answer)

        def _send(self, status: int | None, body: Any, headers: dict[str, str] | None = None) -> None:
            headers = {"Content-Type": "text/plain" if isinstance(body, str) else "application/json", **(headers or {})}
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status or 500)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, events: list[Any]) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for event in [*map(json.dumps, events), "[DONE]"]:
                self.wfile.write(f"data: {event}\n\n".encode())
                self.wfile.flush()
                time.sleep(0.01)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    log.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield log
    finally:
        log.dead = True  # for connections that are kept alive
        server.shutdown()
        server.server_close()
        thread.join()
