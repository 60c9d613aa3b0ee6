"""As much of the Hugging Face Hub as taking a data set needs: what was made, and the files that were committed."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Hub(ThreadingHTTPServer):
    """made: what was asked of data sets. files: path -> content. refuses: with 403, whoever asks."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.made: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.refuses = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.refuses:
            return 403, {"error": "not yours"}
        if path == "/api/repos/create":
            self.made.append(json.loads(body))
            return 200, {"url": f"{self.address}/datasets/me/mine"}
        if "/preupload/" in path:
            files = [one["path"] for one in json.loads(body)["files"]]
            return 200, {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in files]}
        if "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = b64decode(line["value"]["content"])
            return 200, {"commitUrl": f"{self.address}/datasets/me/mine/commit/1", "commitOid": "1"}
        return 200, {"sha": "0", "siblings": [], "id": "me/mine"}  # what is there before


class Door(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server.answer(self.path, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def hub() -> Iterator[Hub]:
    with Hub() as served:
        thread = Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield served
        served.shutdown()
        thread.join()
