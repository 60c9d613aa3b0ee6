"""The PRM on vLLM over an engine that caches blocks as it does; the real one is in tests/vllm."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from tests import tiny
from ttcs.core import Judge, Judged, Trajectory
from ttcs.errors import EngineError, UserError
from ttcs.prms.alike import ENOUGH, Alike
from ttcs.prms.format import Format
from ttcs.prms.outcome import Outcome
from ttcs.prms.qwen_math import QwenMath
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.skywork import Skywork
from ttcs.prms.vllm import VLLMPRM

STEPS = ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", "## Step 2: Add.\n\n", "The answer is: $\\boxed{31}$.")
OTHER = (STEPS[0], "So $\\boxed{49}$.")
BLOCK = 8


def logit(tokens: Sequence[int]) -> float:
    return math.sin(sum(place * token for place, token in enumerate(tokens, 1)))


class Engine:
    """Gives a row for each token that is not in a block it has read; one request a step."""

    def __init__(self, *_: object) -> None:
        self.context = 512
        self.cache_tokens: int | None = None
        self.capacity = 8
        self.asked: list[tuple[int, ...]] = []
        self.priorities: list[int] = []
        self.waiting: list[str] = []
        self.blocks: set[tuple[int, ...]] = set()
        self.lost = 0

    def read(self, tokens: Sequence[int], priority: int = 0) -> str:
        self.asked.append(tuple(tokens))
        self.priorities.append(priority)
        self.waiting.append(str(len(self.asked) - 1))
        return self.waiting[-1]

    def step(self, patience: float) -> list[SimpleNamespace]:
        name = self.waiting.pop(0)
        tokens = self.asked[int(name)]
        ends = range(BLOCK, len(tokens), BLOCK)  # the last token is never taken from the cache
        cached = max((end for end in ends if tokens[:end] in self.blocks), default=0)
        self.blocks |= {tokens[:end] for end in range(BLOCK, len(tokens) + 1, BLOCK)}
        rows = torch.tensor([[logit(tokens[:end])] for end in range(cached + 1 + self.lost, len(tokens) + 1)])
        return [SimpleNamespace(request_id=name, num_cached_tokens=cached, outputs=SimpleNamespace(data=rows))]

    def abort(self, names: Sequence[str]) -> None:
        self.waiting = [name for name in self.waiting if name not in names]

    def reset(self) -> None:
        self.blocks.clear()


@pytest.fixture
def prm(monkeypatch: pytest.MonkeyPatch) -> VLLMPRM:
    monkeypatch.setattr("ttcs.prms.vllm.Engine", Engine)
    return VLLMPRM(RLHFlow(), tiny.folder(), 8)


def judge(prm: VLLMPRM, *trajectories: Trajectory) -> list[Judged]:
    for ticket, trajectory in enumerate(trajectories):
        prm.add(ticket, Judge(trajectory))
    results: dict[int, Judged] = {}
    while len(results) < len(trajectories):
        results |= dict(prm.step())
    return [results[ticket] for ticket in range(len(trajectories))]


def expected(prm: VLLMPRM, *texts: str) -> list[float]:
    prefixes = prm._reader(tiny.PROBLEM, texts)
    return [1 / (1 + math.exp(-logit(prefix))) for prefix in prefixes]


def test_scores_are_those_of_the_prefixes(prm: VLLMPRM) -> None:
    (result,) = judge(prm, tiny.trajectory(*STEPS))
    assert result.scores == pytest.approx(expected(prm, *STEPS), abs=1e-6)
    assert (len(prm._engine.asked), result.cached_tokens) == (1, 0)
    assert result.tokens == len(prm._engine.asked[0])


def test_only_new_steps_are_read(prm: VLLMPRM) -> None:
    whole = tiny.trajectory(*STEPS)
    known: list[float | None] = []
    for depth in (1, 2, 3):
        steps = [replace(step, score=score) for step, score in zip(whole.steps, [*known, None], strict=False)]
        (result,) = judge(prm, replace(whole, steps=tuple(steps)))
        known = list(result.scores)
        assert result.tokens - result.cached_tokens == len(prm._engine.asked[-1]) - (
            0 if depth == 1 else len(prm._engine.asked[-2]) // BLOCK * BLOCK
        )
    assert known == pytest.approx(expected(prm, *STEPS), abs=1e-6)


def test_the_oldest_problem_is_read_first(prm: VLLMPRM) -> None:
    """What falls on a cached token is asked for once more with the same priority."""
    prm.add(0, Judge(tiny.trajectory(*STEPS), order=7))
    prm.add(1, Judge(tiny.trajectory(*OTHER), order=3))
    assert prm._engine.priorities == [7, 3]
    while prm._sent:
        prm.step()
    prm._memo.clear()
    prm.add(2, Judge(tiny.trajectory(*STEPS), order=5))
    while prm._sent:
        prm.step()
    assert set(prm._engine.priorities[2:]) == {5} and len(prm._engine.priorities) > 3


def test_duplicates_are_read_once(prm: VLLMPRM) -> None:
    first, second = judge(prm, tiny.trajectory(*STEPS), tiny.trajectory(*STEPS))
    (again,) = judge(prm, tiny.trajectory(*STEPS))
    assert first.scores == second.scores == again.scores
    assert len(prm._engine.asked) == 1
    assert (first.cached_tokens, second.cached_tokens, again.cached_tokens) == (0, second.tokens, again.tokens)


def test_what_another_request_reads_is_waited_for(prm: VLLMPRM) -> None:
    """The step that both have in common is an inner one of the first sequence and not asked for by the second."""
    first, second = judge(prm, tiny.trajectory(*STEPS), tiny.trajectory(*OTHER))
    assert first.scores == pytest.approx(expected(prm, *STEPS), abs=1e-6)
    assert second.scores == pytest.approx(expected(prm, *OTHER), abs=1e-6)
    assert len(prm._engine.asked) == 2
    assert second.cached_tokens > 0


def test_a_score_that_fell_on_a_cached_token_is_asked_for_again(prm: VLLMPRM) -> None:
    judge(prm, tiny.trajectory(*STEPS))
    prm._memo.clear()
    (result,) = judge(prm, tiny.trajectory(*STEPS))
    assert result.scores == pytest.approx(expected(prm, *STEPS), abs=1e-6)
    whole, *rest = prm._engine.asked[1:]
    assert rest and all(whole[: len(tokens)] == tokens for tokens in rest)
    assert 0 < result.cached_tokens < result.tokens


def test_blank_steps_have_no_score(prm: VLLMPRM) -> None:
    (result,) = judge(prm, tiny.trajectory(STEPS[0], "\n\n", STEPS[2], ""))
    assert [score is None for score in result.scores] == [False, True, False, True]


def test_nothing_to_score(prm: VLLMPRM) -> None:
    (result,) = judge(prm, tiny.trajectory("\n\n"))
    assert (result.scores, result.tokens, prm._engine.asked) == ((None,), 0, [])


def test_rows_that_are_missing_are_told(prm: VLLMPRM) -> None:
    prm._engine.lost = 1
    with pytest.raises(EngineError, match=r"prm: \d+ rows for \d+ tokens, 0 of them cached"):
        judge(prm, tiny.trajectory(*STEPS))


def test_reset_forgets(prm: VLLMPRM) -> None:
    judge(prm, tiny.trajectory(*STEPS))
    prm.add(0, Judge(tiny.trajectory(*OTHER)))
    prm.reset()
    assert prm.step() == []
    (result,) = judge(prm, tiny.trajectory(*STEPS))
    assert (result.cached_tokens, len(prm._engine.asked)) == (0, 3)


def test_a_verifier_that_says_the_same_of_everything_is_told(prm: VLLMPRM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "logit", lambda tokens: 0.0)
    different = [replace(tiny.PROBLEM, question=f"Compute ${number}$.") for number in range(ENOUGH)]
    with pytest.raises(EngineError, match=rf"^prm: .* gave {ENOUGH} different solutions the same log-odds \(0.0\)"):
        judge(prm, *(tiny.trajectory(*OTHER, problem=problem) for problem in different))


@pytest.mark.parametrize("value", [0.0, math.nan])
def test_alike(value: float) -> None:
    with pytest.raises(EngineError):
        Alike("m").watch([value] * ENOUGH)
    fine = Alike("m")
    for _ in range(3 * ENOUGH):
        fine.watch([20.0, 21.0])
    fine.watch([20.0] * ENOUGH)


@pytest.mark.parametrize("format", [QwenMath(), Skywork(), Outcome()], ids=lambda format: type(format).__name__)
def test_small_heads_are_not_quantized(format: Format) -> None:
    with pytest.raises(UserError, match=r"^prm.quantization=fp8: vLLM would quantize the head that scores m too"):
        VLLMPRM(format, "m", 8, quantization="fp8")
    with pytest.raises(UserError, match=r"^prm.quantization=fp8: vLLM would quantize the head that scores m too"):
        VLLMPRM(format, "m", 8, extra={"quantization": "fp8"})
    with pytest.raises(UserError, match=r"^prm.quantization=.*int8.*: vLLM would quantize the head"):
        VLLMPRM(format, "m", 8, extra={"quantization_config": {"linear": "int8"}})
