"""How much of a GPU's memory an engine takes, where the configuration leaves it open: as much as there is for it."""

from __future__ import annotations

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ttcs.running.naming import reads_scores
from ttcs.running.workers.placement import gpus

SHARE = "gpu_memory_utilization"
ALONE, BESIDE = 0.9, 0.45  # of each GPU; the rest is for what both need beside


def divided(config: DictConfig, several: bool | None = None) -> DictConfig:
    """The configuration of a run with the shares that it leaves open: half of a GPU that policy and PRM are both on.

    A run that reads no scores loads no PRM. several: other methods follow, and the policy stays, with its share; None:
    as in a sweep.
    """
    prm_is_loaded = (_sweeps() if several is None else several) or reads_scores(config)
    common = bool(gpus(config.policy) & gpus(config.prm))
    whole = config.copy()
    for model, beside in (("policy", common and prm_is_loaded), ("prm", common)):
        if SHARE in whole[model] and whole[model][SHARE] is None:
            OmegaConf.update(whole, f"{model}.{SHARE}", BESIDE if beside else ALONE)
    return whole


def _sweeps() -> bool:
    return HydraConfig.initialized() and HydraConfig.get().mode is RunMode.MULTIRUN
