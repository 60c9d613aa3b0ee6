"""Whoever waits for work that a server does can be woken."""

from __future__ import annotations

import asyncio
from threading import Timer

from ttcs.servers.client import Client


async def soon(result: int) -> int:
    return result


async def never() -> int:
    await asyncio.Event().wait()
    return 0


def test_one_who_waits_is_woken_and_waits_again() -> None:
    client = Client[int]("policy", "http://127.0.0.1:9", 4, 1.0, 0)
    client.submit(0, 0, never)
    Timer(0.1, client.wake).start()
    assert client.results() == []
    client.submit(1, 0, lambda: soon(7))
    assert client.results() == [(1, 7)]
    assert client.give_up(0) is None


def test_a_waking_takes_no_result_away() -> None:
    client = Client[int]("policy", "http://127.0.0.1:9", 4, 1.0, 0)
    client.wake()
    client.submit(0, 0, lambda: soon(1))
    found = client.results() or client.results()
    assert found == [(0, 1)]


def test_closing_ends_the_thread() -> None:
    """At once, and not when the last reference is gone; again it is nothing."""
    client = Client[int]("policy", "http://127.0.0.1:9", 4, 1.0, 0)
    assert client.now(soon(1)) == 1
    client.close()
    client.close()
    assert not client._loop.is_running()
