"""What a run is called, in titles and by its folder.

By the options of its groups; where an option leaves open what it stands for (`custom`, `jsonl`), by what was given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ttcs.config.identity import digest, portable, register_resolvers
from ttcs.config.named import named
from ttcs.config.options import CONF
from ttcs.config.paths import spelled
from ttcs.records.folder import begun
from ttcs.records.guidance import guided

LENGTH = 60  # characters of a name, in that of a folder
AROUND = frozenset({"launcher", "logger", "open", "picture", "workers"})  # where and how points are run, not which


def register() -> None:
    """All that configurations are composed with: `${run_name:}`, and the resolvers of `identity`."""
    register_resolvers()
    OmegaConf.register_new_resolver("run_name", run_name, replace=True)


def called(group: str, option: str | None, node: Mapping[str, Any]) -> str:
    """The option; of one that leaves it open the model, or the file without its ending. node: its configuration."""
    if (key := _open(group, option)) is None:
        return str(option)
    place = Path(node.get("served_model") or node[key])
    return spelled(place.stem if key == "path" else place.name) or str(option)


@cache
def _open(group: str, option: str | None) -> str | None:
    """The setting that has no value in the yaml of an option; None: there is no such one."""
    file = CONF / group / f"{option}.yaml"
    plain: Any = OmegaConf.load(file) if file.is_file() else {}
    return next((str(key) for key in plain if OmegaConf.is_missing(plain, key)), None)


def run_name(*, _root_: DictConfig) -> str:
    """dataset_policy_prm/strategy_selection_reduction/n=16_seed=0-1a2b3c4d

    Where the model or the file is one's own, the PRM is left out unless the method reads scores. A run that has records
    under the name of its options, as all had once, keeps that.
    """
    choice = _root_.hydra.runtime.choices
    how = f"{choice.strategy}_{choice.selection}_{choice.reduction}"
    jobs_own = OmegaConf.masked_copy(_root_, [str(key) for key in _root_ if key != "hydra"])
    run = f"{how}/n={_root_.n}_seed={_root_.seed}-{digest(portable(jobs_own))}"
    options = f"{choice.dataset}_{choice.policy}_{choice.prm}/{run}"
    own = _own(_root_)
    return options if own is None or _kept(_root_, options) else f"{own}/{run}"


def sweep_name(config: DictConfig) -> str:
    """What the points of a sweep belong to, after what was swept over; the same whenever the same sweep is run.

    config: that of the sweep, with all that was given.
    """
    params = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    given = sorted(word for word in (*params, *config.hydra.overrides.task) if _top(word) not in AROUND)
    swept = "_".join(shell_safe(word) for word in given if "," in word or "(" in word) or "sweep"
    return f"{swept[:LENGTH]}-{blake2b(json.dumps(given).encode(), digest_size=4).hexdigest()}"


def _top(override: str) -> str:
    """The first part of its key."""
    return re.split(r"[.=@/]", override.lstrip("+~"), maxsplit=1)[0]


def _own(config: DictConfig) -> str | None:
    """The first part of the name; None: the options say it all."""
    choice = config.hydra.runtime.choices
    named = {group: called(group, choice[group], config[group]) for group in ("dataset", "policy", "prm")}
    if all(name == str(choice[group]) for group, name in named.items()):
        return None
    return "_".join(
        shell_safe(named[group]) or choice[group] for group in named if group != "prm" or reads_scores(config)
    )


def _kept(config: DictConfig, name: str) -> bool:
    """Whether there are records under that name, where a run or a sweep looks."""
    runs = str(OmegaConf.to_container(config.hydra.run, resolve=False)["dir"])  # type: ignore[index, call-overload]
    roots = {runs.removesuffix("/${run_name:}")} if runs.endswith("/${run_name:}") else set()
    return any(begun(Path(root, name)) for root in {*roots, config.hydra.sweep.dir})


def shell_safe(name: str) -> str:
    """As every file system, shell and locale takes it."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:LENGTH]


def reads_scores(config: DictConfig) -> bool:
    """Whether the search or the selection goes by scores."""
    return guided(config.strategy) or bool(named(config.selection._target_, "selection").reads_scores)
