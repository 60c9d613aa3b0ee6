"""Which cores and GPUs workers get, and what is said of those that nobody has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from ttcs.errors import UserError
from ttcs.running.workers.placement import environments, unused


def placed(workers: int, policy: dict[str, Any], prm: dict[str, Any]) -> list[dict[str, str]]:
    return environments(OmegaConf.create({"workers": workers, "policy": policy, "prm": prm}))


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], None]:
    """Gives the machine as many GPUs, as far as it can be told without CUDA."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def give(count: int) -> None:
        (tmp_path / "nvidia-smi").write_text("#!/bin/sh\n" + "".join(f"echo {i}\n" for i in range(count)))
        (tmp_path / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return give


AUTO, CPU = {"device": "auto"}, {"device": "cpu"}


@pytest.mark.parametrize(
    ("policy", "prm", "visible"),
    [
        (AUTO, AUTO, ["0", "1", "2", "3", "0"]),
        ({"device": "cuda"}, {}, ["0", "1", "2", "3", "0"]),
        ({"device": "cuda:0"}, {"device": "cuda:1"}, ["0,1", "2,3", "0,1", "2,3", "0,1"]),
        (AUTO | {"tensor_parallel_size": 3}, AUTO, ["0,1,2"] * 5),
        (AUTO, {"device": "cuda:1", "tensor_parallel_size": 2}, ["0,1,2"] * 5),
        (CPU, AUTO, ["0", "1", "2", "3", "0"]),
        (CPU, CPU, [None] * 5),
        (AUTO | {"extra": {"pipeline_parallel_size": 2}, "tensor_parallel_size": 2}, AUTO, ["0,1,2,3"] * 5),
    ],
)
def test_gpus_are_taken_in_groups(
    gpus: Callable[[int], None], policy: dict[str, Any], prm: dict[str, Any], visible: list[str | None]
) -> None:
    gpus(4)
    places = placed(5, policy, prm)
    assert [place.get("CUDA_VISIBLE_DEVICES") for place in places] == visible
    assert all(("CUDA_DEVICE_ORDER" in place) == ("CUDA_VISIBLE_DEVICES" in place) for place in places)


def test_only_visible_gpus_are_shared_out(gpus: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-a")
    assert placed(2, AUTO, AUTO) == [{"CUDA_VISIBLE_DEVICES": "3"}, {"CUDA_VISIBLE_DEVICES": "GPU-a"}]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert placed(2, AUTO, AUTO) == [{}, {}]


def test_a_pair_must_find_its_gpus(gpus: Callable[[int], None]) -> None:
    gpus(1)
    with pytest.raises(UserError, match="policy and prm name 2 GPUs, and there are 1"):
        placed(2, AUTO, {"device": "cuda:1"})


def test_workers_of_vllm_share_no_gpu(gpus: Callable[[int], None]) -> None:
    """It takes for its own what a neighbour takes or frees while it measures."""
    gpus(4)
    vllm = AUTO | {"gpu_memory_utilization": 0.2}
    assert len(placed(4, vllm, AUTO)) == 4
    with pytest.raises(UserError, match=r"^workers=5: vLLM .* there is room for workers=4, .* need 1 GPU for each$"):
        placed(5, AUTO, vllm)
    with pytest.raises(UserError, match=r"room for workers=2, as policy and prm need 2 GPUs for each$"):
        placed(3, vllm, vllm | {"device": "cuda:1"})
    assert len(placed(5, vllm | CPU, CPU)) == 5


def test_cores_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttcs.running.workers.placement._cores", lambda: 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert placed(3, CPU, CPU) == [{"OMP_NUM_THREADS": "2"}] * 3
    assert placed(9, CPU, CPU)[0] == {"OMP_NUM_THREADS": "1"}
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert placed(3, CPU, CPU) == [{}] * 3


@pytest.mark.parametrize(
    ("workers", "prm", "note"),
    [
        (1, AUTO, "1 of 4 GPUs are used: workers=4 puts a policy and a PRM on each"),
        (1, {"device": "cuda:1"}, "2 of 4 GPUs are used: workers=2 puts a policy and a PRM on every 2"),
        (3, AUTO, "3 of 4 GPUs are used: workers=4 puts a policy and a PRM on each"),
        (4, AUTO, None),
        (1, {"device": "cuda:3"}, None),
    ],
)
def test_gpus_that_nobody_has_are_told_of(
    gpus: Callable[[int], None], workers: int, prm: dict[str, Any], note: str | None
) -> None:
    gpus(4)
    assert unused(OmegaConf.create({"workers": workers, "policy": AUTO, "prm": prm})) == note


def test_without_gpus_nothing_is_told(gpus: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(4)
    assert unused(OmegaConf.create({"workers": 1, "policy": CPU, "prm": CPU})) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert unused(OmegaConf.create({"workers": 1, "policy": AUTO, "prm": AUTO})) is None
