"""`python -m ttcs.check` on the zoo, with transformers; with vLLM: tests/vllm/test_check.py."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from ttcs.check import memory, probes
from ttcs.check.__main__ import main
from ttcs.config.components import forget
from ttcs.core import Continued, Judged, Step, Stop
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    yield
    forget()


@pytest.mark.slow
def test_all_is_well_with_the_zoo(capsys: pytest.CaptureFixture[str]) -> None:
    main(["policy.batch_size=64", "policy.max_tokens=100"])
    said = capsys.readouterr().out
    for name in ("scores", "seeds", "continuation", "long prompt", "speed"):
        assert f"ok  {name}" in said
    assert said.endswith("all is well\n") and "policy: caches " in said


def test_what_has_no_model_can_be_asked_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["policy=scripted", "prm=scripted"])
    assert "NO" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["policy=scripted", "prm=scripted", "policy.capacity=0"], "policy.capacity=0 is not a whole number"),
        (["policy=custom"], "policy.model has no default"),
        (["policy=nosuch"], "nosuch"),
        (["--cfg"], "unrecognized arguments: --cfg"),
    ],
)
def test_bad_input(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2 and line in capsys.readouterr().err


def test_what_fails_is_named_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedPRM, "step", constant)
    with pytest.raises(SystemExit) as end:
        main(["policy=scripted", "prm=scripted"])
    said = capsys.readouterr()
    assert end.value.code == 2 and "NO  scores" in said.out
    assert "not as it should be: scores;" in said.err


STEP = ScriptedPRM.step


def constant(prm: ScriptedPRM) -> list[tuple[int, Judged]]:
    return [(ticket, Judged((0.5,) * len(judged.scores), 1, 0)) for ticket, judged in STEP(prm)]


class Wandering(ScriptedPolicy):
    """Draws something else each time, and goes on elsewhere than it was left."""

    def step(self) -> list[tuple[int, Continued]]:
        global DRAWN
        DRAWN += 1
        return [
            (ticket, Continued((Step(-1, (DRAWN, ticket), "x\n\n", Stop.STEP),), 5, 0)) for ticket, _ in super().step()
        ]


DRAWN = 0


def test_seeds_and_continuations_that_do_not_hold() -> None:
    policy = Wandering(3, 6)
    assert not probes.repeated(policy).good and not probes.continued(policy).good
    plain = ScriptedPolicy(3, 6)
    assert probes.repeated(plain).good and probes.continued(plain).good


def test_scores_far_from_the_reference() -> None:
    prm = ScriptedPRM(0.7)
    requests = [probes.Judge(solution) for solution in probes.samples.solutions()]
    expected = probes.answers(prm, requests)
    assert probes.scores(prm, expected).good
    off = [Judged(tuple(1 - score for score in one.scores), 1, 0) for one in expected]
    found = probes.scores(prm, off)
    assert not found.good and "at most from those of transformers" in found.said


def test_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_gpus", lambda: ["0, 20480, 81920", "1, 80000, 81920"])
    policy = SimpleNamespace(cache_tokens=20_480, max_tokens=2048, capacity=256)
    prm = SimpleNamespace(cache_tokens=None, capacity=64)
    config = {"policy": {"gpu_memory_utilization": 0.2}, "prm": {}}
    first, second, one, other = memory.told(policy, prm, config)
    assert first.startswith("policy: caches 20,480 tokens, 10 of the longest solutions; 256 requests at once; raise")
    assert second == "prm: its engine does not say how much it caches; 64 requests at once"
    assert one == "GPU 0: 60.0 of 80.0 GiB are free; the gpu_memory_utilization of the two may be 0.67 more in all"
    assert other == "GPU 1: 1.9 of 80.0 GiB are free"
