"""A worker process behind a time limit: started when first needed, killed when late, replaced at once."""

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ttcs.answers.form import Form

_ROOT = Path(__file__).parents[2]
# Seconds on the clock, for a machine so busy that the worker hardly runs: to import SymPy, and to answer.
_START_LIMIT = 120.0
_ANSWER_LIMIT = 10.0


class KilledError(Exception):
    """The worker ended while it was asked, and not by its limit."""


@dataclass(slots=True)
class Worker:
    """One child that answers one text at a time. Safe to share among threads; a fork of this process gets a child of
    its own.

    A subprocess rather than multiprocessing: that would import the main module again, and with it torch.
    """

    limit: float  # seconds of processor time for one text; the worker keeps to it by itself
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _child: subprocess.Popen[bytes] | None = None
    _ready: bool = False
    _received: bytes = b""

    def ask(self, text: str) -> Form | None:
        """The form of a text; None where it is no mathematics or takes longer than the limit."""
        with self._lock:
            try:
                answer = self._exchange(self._running(), text)
            except KilledError:  # by somebody else, unless it happens again
                try:
                    answer = self._exchange(self._running(), text)
                except KilledError:
                    answer = None
        return Form(answer["key"], tuple(answer["readings"])) if answer else None

    def _exchange(self, child: subprocess.Popen[bytes], text: str) -> dict[str, str] | None:
        try:
            self._await_start(child)
            assert child.stdin is not None
            child.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            child.stdin.flush()
            answer: dict[str, str] | None = json.loads(self._line(child, _ANSWER_LIMIT))
        except TimeoutError:
            self._replace()
            return None
        except (EOFError, BrokenPipeError) as error:
            ended = child.wait()
            self._replace()
            if ended != -signal.SIGPROF:  # the limit that the worker keeps to
                raise KilledError from error
            return None
        except BaseException:
            # An interrupt between question and answer would leave the next question the wrong answer.
            self.stop()
            raise
        return answer

    def _await_start(self, child: subprocess.Popen[bytes]) -> None:
        if self._ready:
            return
        try:
            self._ready = json.loads(self._line(child, _START_LIMIT)) == "ready"
        except (TimeoutError, EOFError) as error:
            # A broken installation must not pass for answers that are no mathematics.
            raise RuntimeError(f"the answer worker did not start (is math-verify installed?): {error}") from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = self._start()
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        return subprocess.Popen(
            [sys.executable, "-m", "ttcs.answers.worker", str(self.limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the caller, which then closes the pipe
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )

    def _line(self, child: subprocess.Popen[bytes], limit: float) -> bytes:
        assert child.stdout is not None
        deadline = time.monotonic() + limit
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(deadline - time.monotonic()):
                    raise TimeoutError(f"no answer within {limit} s")
                if not (more := os.read(child.stdout.fileno(), 65536)):
                    raise EOFError("the worker ended")
                self._received += more
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _replace(self) -> None:
        """The next child starts before the next question comes, and is ready by then more often than not."""
        self.stop()
        self._child = self._start()

    def stop(self) -> None:
        """End the child, if there is one. The next question starts another."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._close()

    def forget(self) -> None:
        """Leave the child to the process this one was forked from."""
        self._lock = threading.Lock()
        # An end of its pipe held open here would keep the child alive when that process is gone.
        self._close()

    def _close(self) -> None:
        child, self._child, self._ready, self._received = self._child, None, False, b""
        for pipe in (child.stdin, child.stdout) if child is not None else ():
            if pipe is not None:
                pipe.close()


def shared(limit: float) -> Worker:
    """A worker that ends with this process and is not shared with its forks."""
    worker = Worker(limit)
    atexit.register(worker.stop)
    os.register_at_fork(after_in_child=worker.forget)
    return worker
