"""Components that have moved: configurations written before go on meaning what they meant.

A `_target_` is written down in the config.yaml of a run, in tables and beside rollouts; and folders are named after the
configuration, targets included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Module in which configurations first named components -> where these are now.
MOVED = {
    "ttcs.columns": "ttcs.problems.columns",
    "ttcs.dataset": "ttcs.problems.dataset",
    "ttcs.difficulty": "ttcs.choice.difficulty",
    "ttcs.launchers.joblib": "ttcs.running.launchers.joblib",
    "ttcs.launchers.slurm": "ttcs.running.launchers.slurm",
    "ttcs.ledger": "ttcs.search.budget",
    "ttcs.optimal": "ttcs.choice.optimal",
    "ttcs.reduction": "ttcs.choice.reduction",
    "ttcs.selection": "ttcs.choice.selection",
}
FIRST = {now: first for first, now in MOVED.items()}


def current(value: Any) -> Any:
    """A configuration, or a part of it, with every target under the name that it has now."""
    return _targets(value, lambda target: _renamed(target, MOVED))


def first(value: Any) -> Any:
    """The same under the names that targets had first: what folders are named after."""
    return _targets(value, lambda target: _renamed(target, FIRST))


def _targets(value: Any, renamed: Callable[[str], str]) -> Any:
    """Nested, or flat with dotted keys."""
    if isinstance(value, list):
        return [_targets(item, renamed) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: renamed(item) if str(key).endswith("_target_") and isinstance(item, str) else _targets(item, renamed)
        for key, item in value.items()
    }


def _renamed(target: str, names: Mapping[str, str]) -> str:
    module, _, name = target.rpartition(".")
    return f"{names.get(module, module)}.{name}" if module else target
