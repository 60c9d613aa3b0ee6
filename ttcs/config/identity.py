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

from ttcs.config.home import at_home
from ttcs.config.moved import first

PACKAGE = Path(__file__).parents[1]

# Seeds belong to a problem, never to a batch, a device or a place, so these may change between two sessions of a run.
THROUGHPUT = frozenset(
    {
        *("batch_size", "device", "cache_gb", "gpu_memory_utilization", "block_size", "threads"),
        *("url", "api_key_env", "timeout", "retries"),
    }
)
# Settings that came later: null, they say what was so before, and no folder is named after them.
LATER = frozenset(
    {
        *("policy.top_k", "policy.model_revision", "prm.model_revision", "dataset.revision"),
        *("strategy.confidence", "strategy.window"),
    }
)
# The same of groups that came later: what was so before.
ALWAYS = {"answer._target_": "ttcs.answers.kinds.Mathematics"}
# Settings by which a strategy says when samples are enough, so that what runs ahead of these changes its costs.
ENOUGH = frozenset({"stopping", "consensus"})
# What happens around a run, not in it.
OUTSIDE = frozenset({"hydra", "difficulty", "launcher", "logger", "open", "picture", "span", "stopping", "workers"})


def register_resolvers() -> None:
    """`${package:path}` is a file of the installed package; `${root:n}`: `root`, `${half:n}`: n // 2."""
    OmegaConf.register_new_resolver("package", lambda path: str(PACKAGE / path), replace=True)
    OmegaConf.register_new_resolver("root", root, replace=True)
    OmegaConf.register_new_resolver("half", lambda n: n // 2, replace=True)
    OmegaConf.register_new_resolver("whole", int, replace=True)  # digits put together are text


def root(n: int) -> int:
    """The square root of n where that is whole, else the largest divisor of n below it: a width that divides n."""
    return next(width for width in range(isqrt(n), 0, -1) if n % width == 0)


def portable(config: Mapping[str, Any]) -> dict[str, Any]:
    """The resolved configuration with files of the package named `ttcs/...`, wherever it is installed."""
    return {key: _relative(at_home(value)) for key, value in plain(config).items() if key != "hydra"}


def located(config: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `portable`: files of the package where they are on this machine."""
    return {key: _located(value) for key, value in plain(config).items()}


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration, resolved, as nothing but dictionaries and lists."""
    content = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
    assert isinstance(content, Mapping)
    return {str(key): value for key, value in content.items()}


def identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key -> value of a `portable` configuration, of everything that can change a result, or what it costs.

    What runs ahead of samples that may be enough changes costs alone, and of a strategy without a rule nothing.
    """
    outside = OUTSIDE if _stops(config) else OUTSIDE | {"ahead"}
    inside = {key: value for key, value in config.items() if key not in outside}
    named = {key: value for key, value in settings(inside).items() if key.rpartition(".")[2] not in THROUGHPUT}
    return {key: value for key, value in named.items() if (key, value) not in ALWAYS.items()}


def _stops(config: Mapping[str, Any]) -> bool:
    """Whether the strategy has a rule by which samples are enough."""
    strategy = config.get("strategy")
    return isinstance(strategy, Mapping) and any(strategy.get(key) is not None for key in ENOUGH)


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted key -> value."""
    return dict(_flat(config, ""))


def digest(config: Mapping[str, Any]) -> str:
    """Eight hex digits that tell configurations apart."""
    told = {key: value for key, value in identity(config).items() if value is not None or key not in LATER}
    return hashlib.sha256(json.dumps(first(told), sort_keys=True).encode()).hexdigest()[:8]


def _relative(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _relative(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_relative(item) for item in value]
    if isinstance(value, str) and Path(value).is_relative_to(PACKAGE):
        return str(Path(value).relative_to(PACKAGE.parent))
    return value


def _located(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _located(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_located(item) for item in value]
    ours = isinstance(value, str) and value.startswith(f"{PACKAGE.name}/")
    return str(PACKAGE.parent / value) if ours else value


def _flat(value: Any, key: str) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        return [(key, value)]
    return [pair for name, item in value.items() for pair in _flat(item, f"{key}.{name}" if key else str(name))]
