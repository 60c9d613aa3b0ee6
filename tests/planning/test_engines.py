"""The simulated machine: its caches, its clock, and a small run with exact counters."""

from __future__ import annotations

import pytest

from benchmarks.gpu import configured, simulate
from ttcs.core import Continue, Problem, Trajectory
from ttcs.planning.blocks import BlockCache, blocks, chain
from ttcs.planning.device import Device
from ttcs.planning.engines import SimulatedPolicy
from ttcs.planning.machine import Costs
from ttcs.policies.scripted import ScriptedPolicy


def test_blocks_are_full_and_told_by_all_before_them() -> None:
    """20 tokens, then 15 of one step or another: 2 blocks, of which the first lies before the steps."""
    one, other = (blocks(chain(7, [step]), [20, 15]) for step in ((1,), (2,)))
    assert len(one) == len(other) == 2
    assert one[0] == other[0] and one[1] != other[1]
    assert blocks(chain(7, [(1,), (3,)]), [20, 15, 1])[:2] == one
    assert blocks(chain(7, []), [15]) == []


def test_the_last_token_is_always_computed() -> None:
    cache, sequence = BlockCache(160), blocks(chain(7, []), [48])
    assert cache.cached(sequence, 48) == 0
    cache.use(sequence)
    assert cache.cached(sequence, 48) == 32
    assert cache.cached(sequence, 49) == 48


def test_the_least_recently_used_go_first_and_the_last_blocks_before_the_first() -> None:
    cache = BlockCache(64)
    first, second, third = (blocks(chain(name, []), [32]) for name in range(3))
    cache.use(first)
    cache.use(second)
    cache.use(first)
    cache.use(third[:1])
    assert len(cache) == 4
    assert [cache.cached(sequence, 33) for sequence in (first, second)] == [32, 16]


class Timer:
    """Passes of a length each."""

    def __init__(self, *passes: float) -> None:
        self.passes, self.ends = list(passes), 0

    @property
    def news(self) -> bool:
        return self.ends > 0

    def begin(self) -> float | None:
        return self.passes.pop(0) if self.passes else None

    def end(self) -> None:
        self.ends += 1


@pytest.mark.parametrize(("share", "seconds"), [(0.5, (2.0, 4.0)), (1.0, (1.0, 3.0)), (0.75, (4 / 3, 10 / 3))])
def test_two_engines_on_one_gpu_take_turns(share: float, seconds: tuple[float, float]) -> None:
    """A pass of 1 s beside one of 3 s: while both work each has its share, then the longer one the GPU to itself."""
    device = Device(share)
    device.join("short", Timer(1.0))
    device.join("long", Timer(3.0))
    for name, end in zip(("short", "long"), seconds, strict=True):
        device.wait(name, 100.0)
        assert device.now == pytest.approx(end)
    assert device.busy == pytest.approx({"short": seconds[0], "long": seconds[1]})


def test_nobody_waits_longer_than_his_patience() -> None:
    device = Device()
    device.join("idle", Timer())
    device.wait("idle", 0.25)
    assert device.now == 0.25


def test_a_policy_by_hand() -> None:
    """Two rows begin with the same 33 tokens. A pass costs 1 s, a token that is read 0.1 s: 33 by the first, then 1."""
    writer = ScriptedPolicy(min_depth=1, max_depth=1, tokens_per_step=2, capacity=2)
    device = Device()
    policy = SimulatedPolicy(writer, Costs(1.0, 0.0, 0.1), 1000, device)
    problem = Problem("p", " ".join("w" * 33), "1")
    requests = [Continue(Trajectory(problem), 1, None, None, seed=seed) for seed in range(2)]
    for ticket, request in enumerate(requests):
        policy.add(ticket, request)
    done: dict[int, int] = {}
    while len(done) < 2:
        done |= {ticket: result.cached_tokens for ticket, result in policy.step()}
    longest = max(len(step.tokens) for request in requests for step in writer.continued(request).steps)
    assert done == {0: 0, 1: 32}
    assert device.now == pytest.approx(longest + 0.1 * (33 + 1), abs=1e-6)


def test_a_small_run() -> None:
    """Deterministic to the last token; with two GPUs it takes less time and as many tokens."""
    config = configured("dvts", 16, "open=2")
    one, again, two = simulate(config, 4, 0.5), simulate(config, 4, 0.5), simulate(config, 4, 1.0)
    assert one == again
    assert two.seconds < one.seconds
    assert one.open == two.open == 2
    assert 1.2 < one.read < 1.5


def test_a_request_that_is_given_up_leaves_no_room_taken() -> None:
    writer = ScriptedPolicy(min_depth=2, max_depth=2, tokens_per_step=10, capacity=2)
    device = Device()
    policy = SimulatedPolicy(writer, Costs(1.0, 0.0, 0.0), 1000, device)
    problem = Problem("p", " ".join("w" * 33), "1")
    requests = [Continue(Trajectory(problem), None, None, None, seed=seed) for seed in range(3)]
    for ticket, request in enumerate(requests):
        policy.add(ticket, request)
    while policy.passes < 3:
        policy.step()
    policy.step()  # the fourth pass is under way
    result = policy.cancel(1)
    assert result is not None and sum(len(step.tokens) for step in result.steps) + result.unseen == policy.passes == 3
    assert policy.cancel(2) is None
    done: list[int] = []
    while not done:
        done += [ticket for ticket, _ in policy.step()]
    assert done == [0] and (policy._held, policy._attended) == (0, 0)
