"""How much of a GPU's memory an engine takes, where the configuration leaves it open: as much as there is for it."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ttcs.errors import UserError
from ttcs.records.guidance import guided
from ttcs.running.naming import reads_scores
from ttcs.running.workers.placement import gpus
from ttcs.vllm.cards import ALONE, BESIDE

SHARE = "gpu_memory_utilization"
_SWEEP: list[bool] = []  # what `beside` says of the sweep that this process is at; empty: it knows no points


def divided(config: DictConfig, both: bool | None = None) -> DictConfig:
    """The configuration of a run with the shares that it leaves open: half of a GPU that policy and PRM are both on, or
    what the other's leaves.

    A run that asks its PRM nothing loads none. both: the two are loaded, whatever this run asks; None: as far as this
    run does, or for the policy, which stays, a point of the sweep that it is part of. UserError where a share that was
    given leaves nothing.
    """
    pair = _common(config) if both else beside([config])
    kept = pair or (both is None and _sweeps() and (_SWEEP[0] if _SWEEP else _common(config)))
    whole = config.copy()
    for model, other, shared in (("policy", "prm", kept), ("prm", "policy", pair)):
        if SHARE in config[model] and config[model][SHARE] is None:
            OmegaConf.update(whole, f"{model}.{SHARE}", _left(config, model, other) if shared else ALONE)
    return whole


def beside(points: Sequence[DictConfig]) -> bool:
    """Whether a policy and a PRM are at work on the same GPU in one of these runs."""
    return any(_common(point) and _asks(point) for point in points)


def expect(found: bool | None) -> None:
    """Of the sweep whose points come next in this process. found: as from `beside`; None: nobody knows its points."""
    _SWEEP[:] = [] if found is None else [found]


def _asks(config: DictConfig) -> bool:
    """Whether a run asks its PRM anything: of one candidate a selection reads no score."""
    return guided(config.strategy) or (reads_scores(config) and config.strategy.get("n") != 1)


def _common(config: DictConfig) -> bool:
    return bool(gpus(config.policy) & gpus(config.prm))


def _left(config: DictConfig, model: str, other: str) -> float:
    given = config[other].get(SHARE) or BESIDE
    if (left := min(BESIDE, round(ALONE - given, 4))) <= 0:
        raise UserError(
            f"{other}.{SHARE}={given:g} leaves {model} nothing of the GPU, as the two make {ALONE:g} at most: "
            f"lower it, or name another GPU with {model}.device"
        )
    return left


def _sweeps() -> bool:
    return HydraConfig.initialized() and HydraConfig.get().mode is RunMode.MULTIRUN
