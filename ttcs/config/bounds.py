"""Numbers of a configuration against what they may be, before anything is built of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ttcs.errors import UserError

Node = Mapping[str, Any]
HUGE = 2**63 - 1  # what libraries take for a whole number, and more than anybody means


@dataclass(frozen=True, slots=True)
class Bounds:
    """Finite numbers from least to most, each of them inside unless it is named open; whole ones up to HUGE.

    whole: 3 or 3.5. null: None is allowed as well. Of a list every item has to be inside.
    """

    least: float = -inf
    most: float = inf
    whole: bool = True
    null: bool = False
    above: bool = False
    below: bool = False

    def hold(self, value: Any) -> bool:
        if value is None:
            return self.null
        if type(value) is not int and (self.whole or type(value) is not float):
            return False
        if type(value) is int and abs(value) > HUGE:
            return False
        outside = value < self.least or value > self.most or (self.above and value == self.least)
        return isfinite(value) and not outside and not (self.below and value == self.most)

    def within(self, most: float | None) -> Bounds:
        """The same up to `most`, where there is one and it is less."""
        return self if most is None else replace(self, most=min(self.most, most))

    def refusal(self, key: str, value: Any) -> str:
        """The line for a value, or a list with one, that is not held."""
        if any(type(item) is int and abs(item) > HUGE for item in (value if isinstance(value, list) else [value])):
            return f"{key} is a number beyond {HUGE}, which none may be"
        return f"{key}={value} is not {self}"

    def __str__(self) -> str:
        """As in: 0 is not a whole number of at least 1."""
        least = f"more than {self.least:g}" if self.above else f"at least {self.least:g}"
        most = f"less than {self.most:g}" if self.below else f"at most {self.most:.10g}"
        limits = [text for text, end in ((least, self.least), (most, self.most)) if isfinite(end)]
        kind = "a whole number" if self.whole else "a number"
        return f"{kind}{' of ' * bool(limits)}{' and '.join(limits)}{', nor null' * self.null}"


def check(config: Mapping[str, Any], bounds: Mapping[str, Bounds], foreign: frozenset[str]) -> None:
    """UserError for a number that is outside of its bounds, told by its dotted key.

    bounds: by `Owner.key` for a setting of the class or function Owner, `node.key` for one under a node of that name
    (`node.*`: any), or `key`, the first of these that there is. foreign: what is no number of ours, by the same names.
    """
    tree = config if isinstance(config, DictConfig) else OmegaConf.create(dict(config))
    written = OmegaConf.to_container(tree)
    assert isinstance(written, dict)
    own = [str(key) for key in written if key != "hydra" and not OmegaConf.is_missing(tree, key)]
    # An interpolation may not survive a number that is none of its kind.
    checked({key: written[key] for key in own}, bounds, foreign)
    checked({key: _resolved(tree[key]) for key in own}, bounds, foreign)


def _resolved(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def checked(node: Node, bounds: Mapping[str, Bounds], foreign: frozenset[str]) -> None:
    """As `check`, of a plain configuration."""
    for key, value, limits in numbers(node, bounds, foreign):
        for item in value if isinstance(value, list) else [value]:
            if not limits.hold(item) and not _open(item):
                raise UserError(limits.refusal(key, value))


def numbers(
    node: Node, bounds: Mapping[str, Bounds], foreign: frozenset[str], path: str = ""
) -> Iterator[tuple[str, Any, Bounds]]:
    """Dotted key, value and bounds of everything that has some."""
    owner = str(node.get("_target_", "")).rpartition(".")[2]
    parent = path.rpartition(".")[2]
    for name, value in node.items():
        key = f"{path}.{name}" if path else str(name)
        places = f"{owner}.{name}", f"{parent}.{name}", f"{parent}.*", str(name)
        place = next((place for place in places if place in bounds or place in foreign), "")
        if place in foreign:
            continue
        limits = bounds.get(place)
        if isinstance(value, Mapping) and (limits is None or "_target_" in value or f"{name}.*" in bounds):
            yield from numbers(value, bounds, foreign, key)
        elif limits is not None:
            yield key, value, limits
        for number, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, Mapping):
                yield from numbers(item, bounds, foreign, f"{key}.{number}")


def _open(value: Any) -> bool:
    """Whether it is not known yet: an interpolation, or missing."""
    return isinstance(value, str) and (value == "???" or "${" in value)
