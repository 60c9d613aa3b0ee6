"""The shares of a GPU's memory that a configuration leaves open."""

from __future__ import annotations

import pytest

from tests.config.test_conf import composed
from ttcs.running import memory

BOTH = "policy/engine=vllm", "prm/engine=vllm"


@pytest.mark.parametrize(
    ("overrides", "shares"),
    [
        (BOTH, (0.45, 0.45)),
        ((*BOTH, "prm.device=cuda:1"), (0.9, 0.9)),
        ((*BOTH, "policy.tensor_parallel_size=2", "prm.device=cuda:1"), (0.45, 0.45)),
        ((*BOTH, "policy.gpu_memory_utilization=0.2"), (0.2, 0.45)),
        ((*BOTH, "selection=majority"), (0.9, 0.45)),
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


def test_in_a_sweep_the_policy_is_there_while_other_points_load_a_prm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_sweeps", lambda: True)
    assert memory.divided(composed(*BOTH, "selection=majority")).policy[memory.SHARE] == 0.45
