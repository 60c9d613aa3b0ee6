"""A page in a headless Chromium, driven through its debugging pipe: no driver, no port, no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import F_DUPFD_CLOEXEC, fcntl
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

PROGRAMS = "chromium", "chromium-browser", "google-chrome"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
         "--disable-component-update", "--disable-dev-shm-usage", "--remote-debugging-pipe")  # fmt: skip
PATIENCE = 60.0  # seconds for an answer


def program() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """A tab. errors: what its scripts have thrown, and what its policy or the console has refused."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read, self._buffer, self._last = write, read, b"", 0
        self._session: str | None = None
        self.errors: list[str] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self._ask("Performance.enable", timeDomain="threadTicks")

    def open(self, file: Path, words: str = "", width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """words: what follows the #. scheme: what the system prefers."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._ask("Page.navigate", url="about:blank")
        self._ask("Page.navigate", url=f"{file.resolve().as_uri()}#{words}")
        self.wait("document.querySelector('article') !== null")

    def ask(self, expression: str) -> Any:
        """The value of an expression, awaited."""
        found = self._ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise AssertionError(found["exceptionDetails"])
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        until = monotonic() + PATIENCE
        while not self.ask(expression):
            assert monotonic() < until, f"not within {PATIENCE:.0f} s: {expression}"

    def busy(self) -> float:
        """Seconds that the page's thread has computed, whatever else the machine does."""
        metrics = self._ask("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    def press(self, key: str) -> None:
        self._ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=key if len(key) == 1 else "")
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.ask("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)))")

    def picture(self, file: Path) -> None:
        file.write_bytes(b64decode(self._ask("Page.captureScreenshot", format="png")["data"]))

    def _ask(self, method: str, **given: Any) -> dict[str, Any]:
        self._last += 1
        session = {} if self._session is None else {"sessionId": self._session}
        message = {"id": self._last, "method": method, "params": given, **session}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._last:
                assert "error" not in heard, (method, heard["error"])
                result: dict[str, Any] = heard["result"]
                return result

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            assert select([self._read], [], [], PATIENCE)[0], f"no answer from the browser within {PATIENCE:.0f} s"
            self._buffer += os.read(self._read, 1 << 16)
        line, _, self._buffer = self._buffer.partition(b"\0")
        heard: dict[str, Any] = json.loads(line)
        self._note(heard.get("method", ""), heard.get("params", {}))
        return heard

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(told["exceptionDetails"].get("exception", told["exceptionDetails"])))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.errors.append(told["entry"]["text"])
        elif method == "Network.requestWillBeSent" and told["request"]["url"].startswith("http"):
            self.errors.append(f"asked for {told['request']['url']}")


def _pipe() -> list[int]:
    """Two ends with numbers above those that the shell gives."""
    low = os.pipe()
    high = [fcntl(end, F_DUPFD_CLOEXEC, 10) for end in low]
    for end in low:
        os.close(end)
    return high


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """folder: of a profile of its own."""
    name = program()
    assert name is not None
    (their_read, our_write), (our_read, their_write) = _pipe(), _pipe()
    flags = [*FLAGS, f"--user-data-dir={folder}"]
    # Chromium reads at 3 and writes at 4, numbers that a shell can give.
    shell = ["bash", "-c", f'exec "$@" 3<&{their_read} 4>&{their_write}', "bash", name, *flags]
    process = subprocess.Popen(shell, pass_fds=(their_read, their_write), stderr=subprocess.DEVNULL)
    os.close(their_read)
    os.close(their_write)
    try:
        yield Page(our_write, our_read)
    finally:
        os.close(our_write)  # at which it ends
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        os.close(our_read)
