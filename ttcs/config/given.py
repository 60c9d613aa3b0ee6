"""What a command that runs no search is given: groups of the configuration, as `selection=majority n=4,16`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from ttcs.config import quoting, ranges
from ttcs.config.home import typed
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.errors import UserError

register_resolvers()


@dataclass(frozen=True, slots=True)
class Given:
    """config: the defaults of a run and what was given. keys: the groups and top-level keys that were given."""

    config: DictConfig
    keys: frozenset[str]

    def choice(self, group: str) -> str:
        name: str = self.config.hydra.runtime.choices[group]
        return name


def given(overrides: Sequence[str], allowed: Sequence[str], defaults: Sequence[str] = ()) -> list[Given]:
    """One for every combination of the values that have commas in them.

    allowed: the groups and keys that may be given. defaults: overrides that those given go before.
    """
    quoting.checked(overrides)
    parsed = OverridesParser.create().parse_overrides(typed(overrides))
    named = {override.key_or_group for override in parsed}
    for key in sorted(named):
        first = re.split(r"[./@]", key)[0]
        if first not in allowed:
            raise UserError(f"{key} cannot be given here: only {', '.join(allowed)} can")
        if first not in named:
            raise UserError(f"{key} needs its option before it: {first}=... {key}=...")
    lists = BasicSweeper.split_arguments(parsed, max_batch_size=None)[0] if parsed else [[]]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        configs = [compose("config", [*defaults, *point], return_hydra_config=True) for point in lists]
    for config in configs:
        ranges.check(config)
    return [Given(config, frozenset(named)) for config in configs]
