"""`python -m ttcs.curation`: from questions with reasoning traces to a small data set, stage by stage."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ttcs.config import ranges
from ttcs.config.command import command
from ttcs.config.components import build
from ttcs.config.home import at_home
from ttcs.config.identity import identity, portable, register_resolvers
from ttcs.config.writable import made
from ttcs.curation.curation import ASKED, CARD, DATA, FUNNEL, REJECTED, Curation
from ttcs.errors import UserError
from ttcs.records.folder import difference, write
from ttcs.running.progress import console

register_resolvers()
SETTINGS = "curation.json"
FREE = "out", "processes", "shard"  # a data set can be gone on with other ones of these


def main() -> None:
    """Exit codes: as those of `python -m ttcs`."""
    os.environ |= {"TOKENIZERS_PARALLELISM": "false"}
    try:
        command("curation", _curate)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        sys.exit(130)


def _curate(config: DictConfig) -> None:
    if missing := sorted(OmegaConf.missing_keys(config)):
        raise UserError(f"{missing[0]} has no value: say {missing[0]}=...")
    ranges.check(config)
    plain = portable(config)
    curation = Curation(
        Path(at_home(config.out)),
        _parts(config, "sources", list(config.sources)),
        _parts(config, "stages", config.order or list(config.stages)),
        config.seed,
        config.processes,
        config.shards,
        config.shard,
        OmegaConf.to_yaml(OmegaConf.create({key: value for key, value in plain.items() if key not in FREE})),
    )
    _claim(curation.out, {key: value for key, value in plain.items() if key not in FREE})
    funnel = curation.run()
    if funnel is None:
        others = ", ".join(map(str, curation.waiting))
        console.print(f"shard {config.shard} of {config.shards} is done; the same command goes on when {others} are")
        return
    funnel.show(str(curation.out))
    for name in (DATA, REJECTED, FUNNEL, CARD):
        console.print(f"  {curation.out / name}", markup=False)


def _parts(config: DictConfig, key: str, names: Sequence[str]) -> dict[str, Any]:
    """Name -> what its node builds; those that are null are left out."""
    if unknown := [name for name in names if name not in config[key]]:
        raise UserError(
            f"order names {unknown[0]}, but there is no {key}.{unknown[0]}; there are {', '.join(config[key])}"
        )
    return {str(name): build(config, f"{key}.{name}") for name in names if config[key][name] is not None}


def _claim(out: Path, config: dict[str, Any]) -> None:
    """Make the folder this configuration's. UserError where rows of another one are in it."""
    file, here = out / SETTINGS, json.loads(json.dumps(identity(config)))
    if file.exists() and any((out / name).exists() for name in ("work", ASKED, CARD)):
        if keys := difference(json.loads(file.read_text(encoding="utf-8")), here):
            asked = f"; {out / ASKED} can be handed on (stages.difficulty.verdicts)" * (out / ASKED).exists()
            raise UserError(f"{out} belongs to another configuration: {keys}; choose another out{asked}")
        return
    made(out)
    write(file, json.dumps(here, indent=2) + "\n")


if __name__ == "__main__":
    main()
