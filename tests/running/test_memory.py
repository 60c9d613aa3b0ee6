"""The shares of a GPU's memory that a configuration leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from omegaconf import DictConfig

from tests.config.test_conf import composed
from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs.errors import UserError
from ttcs.running import memory, runner

BOTH = "policy/engine=vllm", "prm/engine=vllm"


@pytest.mark.parametrize(
    ("overrides", "shares"),
    [
        (BOTH, (0.45, 0.45)),
        ((*BOTH, "n=1"), (0.9, 0.9)),
        ((*BOTH, "n=1", "strategy=lookahead", "strategy.width=1"), (0.45, 0.45)),
        ((*BOTH, "n=1", "strategy=budget_forcing"), (0.9, 0.9)),
        ((*BOTH, "prm.device=cuda:1"), (0.9, 0.9)),
        ((*BOTH, "policy.tensor_parallel_size=2", "prm.device=cuda:1"), (0.45, 0.45)),
        ((*BOTH, "policy.gpu_memory_utilization=0.2"), (0.2, 0.45)),
        ((*BOTH, "policy.gpu_memory_utilization=0.6"), (0.6, 0.3)),
        ((*BOTH, "prm.gpu_memory_utilization=0.65"), (0.25, 0.65)),
        ((*BOTH, "prm.gpu_memory_utilization=0.65", "prm.device=cuda:1"), (0.9, 0.65)),
        ((*BOTH, "policy.gpu_memory_utilization=0.95", "selection=majority"), (0.95, 0.9)),
        (("policy=llama_3_2_1b", "policy/engine=vllm", "prm=qwen2_5_math_prm_72b"), (0.3, 0.6)),
        (("policy=llama_3_2_1b", "policy/engine=vllm", "prm=qwen2_5_math_prm_72b", "policy.device=cuda:4"), (0.9, 0.6)),
        (("policy=s1_32b", "n=1", "strategy=budget_forcing", "prm/engine=vllm"), (0.9, 0.9)),
        ((*BOTH, "selection=majority"), (0.9, 0.9)),
        ((*BOTH, "selection=majority", "strategy=dvts"), (0.45, 0.45)),
        (("policy/engine=vllm",), (0.45, None)),
        (("policy/engine=vllm", "prm.device=cpu"), (0.9, None)),
        (("policy/engine=vllm", "prm/engine=server"), (0.9, None)),
        (("policy=scripted", "prm/engine=vllm"), (None, 0.9)),
        ((), (None, None)),
    ],
)
def test_who_is_alone_takes_what_there_is(
    overrides: tuple[str, ...], shares: tuple[float | None, float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_sweeps", lambda: False)  # whatever command ran before in this process
    config = composed(*overrides)
    divided = memory.divided(config)
    assert tuple(divided[model].get(memory.SHARE) for model in ("policy", "prm")) == shares
    assert divided.strategy == config.strategy


def test_a_share_that_leaves_nothing_is_told() -> None:
    said = r"^policy.gpu_memory_utilization=0.9 leaves prm nothing of the GPU, as the two make 0.9 at most: lower it, "
    with pytest.raises(UserError, match=said):
        memory.divided(composed(*BOTH, "policy.gpu_memory_utilization=0.9"))


def test_what_loads_both_says_so() -> None:
    config = memory.divided(composed(*BOTH, "selection=majority"), both=True)
    assert (config.policy[memory.SHARE], config.prm[memory.SHARE]) == (0.45, 0.45)


@pytest.fixture
def sweeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "_sweeps", lambda: True)
    yield
    memory.expect(None)


VOTE, WEIGHTED, APART = (*BOTH, "selection=majority"), BOTH, (*BOTH, "prm.device=cuda:1")


@pytest.mark.parametrize(
    ("points", "share"),
    [((VOTE, VOTE), 0.9), ((VOTE, WEIGHTED), 0.45), ((VOTE, APART), 0.9), ((), 0.45)],
)
def test_in_a_sweep_the_policy_is_there_while_other_points_load_a_prm(
    points: tuple[tuple[str, ...], ...], share: float, sweeping: None
) -> None:
    """points: those that are known; a sweeper may choose them as it goes."""
    memory.expect(memory.beside([composed(*overrides) for overrides in points]) if points else None)
    assert memory.divided(composed(*VOTE)).policy[memory.SHARE] == share


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """`python -m ttcs` with these arguments, in this process."""
    monkeypatch.chdir(tmp_path)
    return typed("ttcs", command.main, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("given", "shares"), [(["selection=majority"], {0.9}), (["selection=majority,weighted"], {0.45})]
)
def test_a_sweep_knows_whether_a_point_of_it_reads_scores(
    given: list[str], shares: set[float], main: Main, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As s1's, which reads none, so its policy has the GPUs to itself. No model is loaded."""
    found: list[float] = []

    def searched(plan: object, config: DictConfig, *_: object) -> bool:
        found.append(memory.divided(config).policy[memory.SHARE])
        raise UserError("enough seen")

    monkeypatch.setattr(runner, "_search", searched)
    pair = ["policy/engine=vllm", "prm/engine=vllm", "policy.gpu_memory_utilization=null"]
    code, _, errors = main("strategy=best_of_n", "seed=0,1", "dataset.limit=1", *pair, *given, "-m")
    assert (code, "enough seen" in errors, set(found)) == (2, True, shares)
