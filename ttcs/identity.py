"""What makes two runs the same run: the resolved configuration, less what cannot change a result.

The folder of a run is named after it, so that the same command finds its records again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

PACKAGE = Path(__file__).parent

# Seeds belong to a problem, never to a batch, a device or a place, so these may change between two sessions of a run.
THROUGHPUT = frozenset(
    {
        *("batch_size", "device", "cache_gb", "gpu_memory_utilization", "block_size", "threads"),
        *("url", "api_key_env", "timeout", "retries"),
    }
)
# What happens around a run, not in it.
OUTSIDE = frozenset({"hydra", "difficulty", "launcher", "open", "span", "workers"})


def register_resolvers() -> None:
    """`${package:path}` is a file of the installed package, `${run_name:}` the folder of a run; `${root:n}`: `root`,
    `${half:n}`: n // 2."""
    OmegaConf.register_new_resolver("package", lambda path: str(PACKAGE / path), replace=True)
    OmegaConf.register_new_resolver("run_name", run_name, replace=True)
    OmegaConf.register_new_resolver("root", root, replace=True)
    OmegaConf.register_new_resolver("half", lambda n: n // 2, replace=True)


def root(n: int) -> int:
    """The square root of n where that is whole, else the largest divisor of n below it: a width that divides n."""
    return next(width for width in range(isqrt(n), 0, -1) if n % width == 0)


def portable(config: DictConfig) -> dict[str, Any]:
    """The resolved configuration with files of the package named `ttcs/...`, wherever it is installed."""
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): _relative(value) for key, value in plain.items() if key != "hydra"}


def identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key -> value of a `portable` configuration, of everything that can change a result."""
    inside = {key: value for key, value in config.items() if key not in OUTSIDE}
    return {key: value for key, value in settings(inside).items() if key.rpartition(".")[2] not in THROUGHPUT}


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key -> value."""
    return dict(_flat(config, ""))


def digest(config: Mapping[str, Any]) -> str:
    """Eight hex digits that tell configurations apart."""
    return hashlib.sha256(json.dumps(identity(config), sort_keys=True).encode()).hexdigest()[:8]


def run_name(*, _root_: DictConfig) -> str:
    """dataset_policy_prm/strategy_selection_reduction/n=16_seed=0-1a2b3c4d"""
    choice = _root_.hydra.runtime.choices
    where = f"{choice.dataset}_{choice.policy}_{choice.prm}"
    how = f"{choice.strategy}_{choice.selection}_{choice.reduction}"
    jobs_own = OmegaConf.masked_copy(_root_, [str(key) for key in _root_ if key != "hydra"])
    return f"{where}/{how}/n={_root_.n}_seed={_root_.seed}-{digest(portable(jobs_own))}"


def _relative(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _relative(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_relative(item) for item in value]
    if isinstance(value, str) and Path(value).is_relative_to(PACKAGE):
        return str(Path(value).relative_to(PACKAGE.parent))
    return value


def _flat(value: Any, key: str) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        return [(key, value)]
    return [pair for name, item in value.items() for pair in _flat(item, f"{key}.{name}" if key else str(name))]
