"""From a node of the configuration to the object it names. The yaml is the registry: `_target_` says what is built."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from ttcs.config.home import at_home
from ttcs.config.moved import current
from ttcs.config.named import named
from ttcs.errors import UserError

WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", types.NoneType: "null"}


def build(config: Mapping[str, Any], key: str) -> Any:
    """The component under `key`, a dotted one too, new each time."""
    return _build(_resolved(config, key), key)


def share(config: Mapping[str, Any], key: str) -> Any:
    """The component under `key`, one for all runs of this process with the same configuration of it."""
    return _share(json.dumps(_resolved(config, key), sort_keys=True), key)


@cache
def _share(node: str, key: str) -> Any:
    return _build(json.loads(node), key)


def forget() -> None:
    """Let go of what is shared, and of its memory."""
    _share.cache_clear()


def complete(config: Mapping[str, Any], key: str) -> None:
    """UserError when a value without a default was not given."""
    node = OmegaConf.select(_tree(config), key)
    if not isinstance(node, DictConfig):
        raise UserError(f"{key}={node} is not one of its options, and there is no doing without")
    for name in sorted(OmegaConf.missing_keys(node)):
        raise UserError(f"{name} has no default: add {name}=...")


def settled(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The configuration of the component under `key`, with nothing left to be looked up."""
    return _resolved(config, key)


def _resolved(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    complete(config, key)
    node = OmegaConf.to_container(OmegaConf.select(_tree(config), key), resolve=True)
    assert isinstance(node, dict)
    return typing.cast(dict[str, Any], at_home(current(node)))


def _tree(config: Mapping[str, Any]) -> DictConfig:
    return config if isinstance(config, DictConfig) else OmegaConf.create(dict(config))


def _build(node: Mapping[str, Any], key: str) -> Any:
    _check(node, key)
    plain = _functions(node, key)
    return instantiate(plain, _convert_="all") if isinstance(plain, Mapping) else plain


def _functions(node: Any, key: str) -> Any:
    """Functions in the place of nodes that do nothing but name one.

    What Hydra makes of `_partial_` asks its own policy about every call, which costs a search a third of its time.
    """
    if not isinstance(node, Mapping):
        return node
    if node.keys() == {"_target_", "_partial_"}:
        return named(node["_target_"], key)
    return {name: _functions(value, f"{key}.{name}") for name, value in node.items()}


def _check(node: Mapping[str, Any], key: str) -> None:
    """Compare the settings with those of the target, so that width=abc is told from a bug."""
    target = named(node["_target_"], key)
    hints, options = _hints(target), _options(target)
    taken = [one for one in inspect.signature(target).parameters.values() if one.kind is not one.VAR_KEYWORD]
    known, hints = [*(one.name for one in taken), *options], hints | options
    for name, value in node.items():
        if name.startswith("_"):
            continue
        if name not in known:
            raise UserError(f"{key}.{name} does not exist; {target.__name__} has {', '.join(known) or 'no settings'}")
        wanted = hints.get(name)
        if isinstance(value, Mapping) and "_target_" in value:
            _check(value, f"{key}.{name}")
        elif typing.get_origin(wanted) is Sequence and not isinstance(value, list):
            raise UserError(f"{key}.{name}={value} is not a list")
        elif (kinds := _plain(wanted)) and not _fits(value, kinds):
            raise UserError(f"{key}.{name}={value} is not {' or '.join(WORDS[kind] for kind in kinds)}")


def _hints(target: Any) -> dict[str, Any]:
    """Name -> annotation; those of fields, where there are, because a dataclass may inherit them from elsewhere."""
    try:
        return typing.get_type_hints(target if inspect.isfunction(target) or is_dataclass(target) else target.__init__)
    except NameError:  # of an import for type checkers only
        return {}


def _options(target: Any) -> dict[str, Any]:
    """Name -> annotation of what `**options: Unpack[Options]` stands for."""
    unpacked = [hint for hint in _hints(target).values() if typing.get_origin(hint) is typing.Unpack]
    return {name: hint for each in unpacked for name, hint in typing.get_type_hints(*typing.get_args(each)).items()}


def _plain(hint: Any) -> tuple[type, ...]:
    """The plain types of an annotation; empty if it has others, which are left to the target."""
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    kinds = typing.get_args(hint) if union else (hint,)
    return kinds if all(kind in WORDS for kind in kinds) else ()


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds or (type(value) is int and float in kinds)
