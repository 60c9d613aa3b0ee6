"""`python -m ttcs.serve` as a person and a supervisor know it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.serve.pace import Slow
from tests.typed import Main, typed
from ttcs.records.record_file import read
from ttcs.serve import __main__ as command

ROOT = Path(__file__).parents[2]
WORDS = "policy=scripted", "prm=scripted"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Main:
    monkeypatch.chdir(tmp_path)
    return typed("ttcs.serve", command.main, monkeypatch, capsys, *WORDS)


def test_without_its_extra_it_says_what_to_install(serve: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert serve() == (2, "", "error: there is no uvicorn: pip install 'ttcs[serve]'\n")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["serve.port=70000"], "serve.port=70000 is not a whole number of at least 1 and at most 65535"),
        (["serve.api_key_env=NO_SUCH_KEY"], "serve.api_key_env=NO_SUCH_KEY, but there is no such environment variable"),
        (['+serve.methods.a=["strategy=dvts","n=6"]'], "serve.methods.a: n=6 is not a multiple of width=4"),
        (["+serve.methods.a=dvts"], "serve.methods.a=dvts is not a list of words"),
        (["serve.allow=[n,width]"], "serve.allow has width, which requests cannot set; they can strategy, selection"),
        (["serve.allow=n"], "serve.allow=n is not a list of keys, as [n,tokens]"),
        (["serve.hosts=here"], "serve.hosts=here is not a list of names, as [models.example.org]"),
        (["serve.most_seconds=0"], "serve.most_seconds=0 is not a number of more than 0 and at most 86400"),
        (["serve.host=203.0.113.9"], "serve.host=203.0.113.9 serve.port=8000: "),
    ],
)
def test_what_is_wrong_is_told_in_a_line(given: list[str], line: str, serve: Main) -> None:
    pytest.importorskip("uvicorn")
    code, out, err = serve(*given)
    assert (code, out) == (2, "") and err.startswith(f"error: {line}") and err.count("\n") == 1


def test_a_port_in_use_is_told_in_a_line(serve: Main) -> None:
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = serve(f"serve.port={port}")
    assert code == 2 and err == f"error: serve.host=127.0.0.1 serve.port={port}: Address already in use\n"


def test_told_to_end_it_lets_searches_end(tmp_path: Path) -> None:
    """SIGTERM in the midst of one: it is answered, nobody else is let in, and the exit code is 0."""
    pytest.importorskip("uvicorn")
    port = free()
    words = [f"policy._target_={Slow.__module__}.Slow", *WORDS, "policy.pace=5", f"serve.port={port}"]
    with (
        started(tmp_path, words) as process,
        ThreadPoolExecutor(1) as clients,
    ):
        until_health(port, 0)
        told = clients.submit(ask, port)
        until_health(port, 1)
        process.send_signal(signal.SIGTERM)
        assert told.result(120)["choices"]
        assert process.wait(60) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """SIGKILL with requests on their way: who has an answer has a record, and the service goes on from there."""
    pytest.importorskip("uvicorn")
    port, told = free(), []
    words = [*WORDS, f"serve.port={port}", "serve.records=kept"]

    def client(number: int) -> None:
        for time in count():
            try:
                told.append(ask(port, f"{number} + {time}?")["ttcs"]["record"])
            except (OSError, HTTPException):  # it has been killed
                return

    with ThreadPoolExecutor(8) as clients:
        with started(tmp_path, words) as process:
            until_health(port, 0)
            asking = [clients.submit(client, number) for number in range(8)]
            ends = monotonic() + 120
            while len(told) < 40:
                assert monotonic() < ends
                sleep(0.001)
            process.kill()
        for one in asking:
            one.result(120)
    (file,) = (tmp_path / "kept").glob("*/records.jsonl")
    kept = [record.problem_id for record in read(file)]
    assert set(told) <= set(kept) and len(told) >= 40
    with started(tmp_path, words) as process:
        until_health(port, 0)
        again = ask(port, "0 + 0?")["ttcs"]["record"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert [record.problem_id for record in read(file)] == [*kept, again] and again not in kept
    assert json.loads((file.parent / "summary.json").read_text())["n_problems"] == len(kept) + 1


def free() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def started(folder: Path, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "ttcs.serve", *words], cwd=folder, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(port: int, question: str = "1 + 1?") -> dict[str, Any]:
    body = json.dumps({"model": "greedy", "messages": [{"role": "user", "content": question}]}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, headers), timeout=120) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def until_health(port: int, searches: int) -> None:
    ends = monotonic() + 240
    while monotonic() < ends:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
                if json.load(answer)["searches"] == searches:
                    return
        except URLError:
            pass
        sleep(0.05)
    raise AssertionError(f"it never said that it has {searches} searches")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_reply_is_sent_at_once(host: str) -> None:
    """asyncio sets TCP_NODELAY where a socket says that it is TCP, and so do those it accepts."""
    with command.bound(host, 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()[:2]), listening.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP
