"""`python -m benchmarks serve`: whether the service holds under load, and what it adds to a search (docs/serving.md).

The engine is a stub that takes its time and hardly a processor's: a request ends 1 to 3 seconds after it was made,
whatever else is under way. The questions that clients have asked of the service are searched once more without it, as
many at once; what a client has waited longer for the same question is what HTTP, JSON and the event loop take.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from statistics import median, quantiles
from threading import Event
from time import monotonic, process_time
from typing import Any

import ttcs
from benchmarks import report
from benchmarks.harness import Limit, Result, Spread
from benchmarks.machine import processor
from ttcs.core import Continue, Continued
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.records.folder import RECORDS
from ttcs.records.record_file import read

SECONDS = 2.0  # that a request to the engine takes, the mean
WORDS = (
    *("policy=scripted", "policy._target_=benchmarks.serve.Paced", "policy.capacity=4096", "prm=scripted"),
    "strategy=greedy",
)
MEDIAN, HIGHEST, LOST = Limit(5), Limit(20), Limit(0)  # ms, ms, requests
PATIENCE = 120.0  # seconds for the service to begin, and for an answer


@dataclass(slots=True)
class Paced(ScriptedPolicy):
    """What the scripted policy gives, in half to one and a half of SECONDS, as the seed of the request has it."""

    _kept: list[tuple[float, int, Continue]] = field(init=False, default_factory=list)
    _woken: Event = field(init=False, default_factory=Event)

    def add(self, ticket: int, request: Continue) -> None:
        ends = monotonic() + SECONDS * (0.5 + Random(request.seed).random())
        heappush(self._kept, (ends, ticket, request))

    def cancel(self, ticket: int) -> Continued | None:
        self._kept = sorted(one for one in self._kept if one[1] != ticket)
        return ScriptedPolicy.cancel(self, ticket)

    def wake(self) -> None:
        self._woken.set()

    def step(self) -> list[tuple[int, Continued]]:
        if not self._kept:
            return []
        self._woken.wait(max(0.0, self._kept[0][0] - monotonic()))
        self._woken.clear()
        while self._kept and self._kept[0][0] <= monotonic():
            ScriptedPolicy.add(self, *heappop(self._kept)[1:])
        return ScriptedPolicy.step(self)


@dataclass(slots=True)
class Load:
    """took: question -> seconds. lost: requests without an answer. ids: of the records that answers named.

    cpu: seconds of processor time of whoever searched. memory: of the service after a request of each client and at the
    end, in bytes.
    """

    took: dict[str, float] = field(default_factory=dict)
    lost: int = 0
    cpu: float = 0.0
    ids: set[str] = field(default_factory=set)
    memory: list[int] = field(default_factory=list)


def main(arguments: Sequence[str]) -> None:
    asked = _arguments(arguments)
    before = os.getloadavg()[0]
    load, bare = asyncio.run(measured(asked.clients, asked.seconds, asked.records))
    if asked.records is not None:
        kept = {one.problem_id for file in asked.records.glob(f"*/{RECORDS}") for one in read(file)}
        load.lost += len(load.ids - kept)
    found = list(results(load, bare))
    print(report.table(found))
    print(
        f"{asked.clients} clients for {asked.seconds:g} s, records {'kept' if asked.records else 'not kept'}; "
        f"{processor()}, {len(os.sched_getaffinity(0))} cores; "
        f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after"
    )


async def measured(clients: int, seconds: float, records: Path | None) -> tuple[Load, Load]:
    """Of the service, and of the same questions without it."""
    async with service(records) as (port, pid):
        load = await _load(port, pid, clients, seconds)
    with ttcs.solver(*WORDS) as solver:
        await solver.asolve("What is warm?")
        bare, waiting, began = Load(), list(load.took), process_time()

        async def searcher() -> None:
            while waiting:
                question = waiting.pop()
                asked = monotonic()
                await solver.asolve(question)
                bare.took[question] = monotonic() - asked

        await asyncio.gather(*(searcher() for _ in range(clients)))
        bare.cpu = process_time() - began
    return load, bare


def results(load: Load, bare: Load) -> Iterator[Result]:
    added = [1000 * (seconds - bare.took[question]) for question, seconds in load.took.items()]
    low, high = (1000 * median(times.values()) for times in (bare.took, load.took))
    note = f"median {low:,.0f} ms without the service and {high:,.0f} ms with it, {len(added)} questions"
    before, after = (size / 1e6 for size in load.memory)
    yield Result("serve", "requests that were lost", Spread.exact(load.lost), LOST, note=f"{len(added)} answered")
    cpu = Spread.exact(1000 * (load.cpu - bare.cpu) / len(added))
    yield Result("serve", "added to a search, median", Spread.exact(median(added)), MEDIAN, cpu, unit=" ms", note=note)
    highest = quantiles(added, n=100, method="inclusive")[98]
    yield Result("serve", "added to a search, 99th percentile", Spread.exact(highest), HIGHEST, unit=" ms")
    memory = f"{before:,.0f} MB after a request of each client, {after:,.0f} MB at the end"
    yield Result(
        "serve", "memory that the service has grown by", Spread.exact(after - before), None, unit=" MB", note=memory
    )


async def _load(port: int, pid: int, clients: int, seconds: float) -> Load:
    load, numbers = Load(), count()
    first = asyncio.Barrier(clients + 1)
    ends: float = 0.0

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await _ask(reader, writer, f"What is warm and {next(numbers)}?")
        writer.close()  # it may be closed there by the time that all are warm
        await first.wait()
        await first.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while monotonic() < ends:
            question, began = f"What is {next(numbers)} and 1?", monotonic()
            try:
                load.ids.add(await _ask(reader, writer, question))
                load.took[question] = monotonic() - began
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                print(f"{question} was lost: {error!r}", file=sys.stderr)
                load.lost += 1
                return
        writer.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(client())
        await first.wait()
        load.memory.append(_memory(pid))
        load.cpu = -_cpu(pid)
        ends = monotonic() + seconds
        await first.wait()
    load.memory.append(_memory(pid))
    load.cpu += _cpu(pid)
    return load


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: str) -> str:
    """The id of the record. A client that does as little as it can: what it takes is counted for the service's."""
    body = json.dumps({"model": "greedy", "messages": [{"role": "user", "content": question}]}).encode()
    kind = "Content-Type: application/json"
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    async with asyncio.timeout(PATIENCE):
        told = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", told.lower())
        content = await reader.readexactly(int(length[1]) if length else 0)
    if not told.startswith(b"HTTP/1.1 200"):
        raise ValueError(content.decode())
    return str(json.loads(content)["ttcs"]["record"])


@asynccontextmanager
async def service(records: Path | None) -> AsyncIterator[tuple[int, int]]:
    """Port and process id of a service of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = [*WORDS, f"serve.port={port}", f"serve.records={'null' if records is None else records}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ttcs.serve", *given, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while not await _listens(port):
                if process.returncode is not None:
                    raise SystemExit(f"the service has ended with {process.returncode}")
                await asyncio.sleep(0.1)
        yield port, process.pid
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _memory(pid: int) -> int:
    """What the process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cpu(pid: int) -> float:
    """Seconds of processor time that the process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _arguments(arguments: Sequence[str]) -> Any:
    parser = argparse.ArgumentParser("python -m benchmarks serve", description=__doc__)
    parser.add_argument("--clients", type=int, default=64, help="at once")
    parser.add_argument("--seconds", type=float, default=60.0, help="for which they ask")
    parser.add_argument(
        "--records", type=Path, help="folder in which the service keeps what it serves; else it does not"
    )
    return parser.parse_args(arguments)
