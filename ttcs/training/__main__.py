"""`python -m ttcs.training stage=...`: the recipes that made the zoo, and the same stages for models of one's own."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from ttcs.config import ranges
from ttcs.config.command import command
from ttcs.config.components import build
from ttcs.config.home import at_home
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.errors import UserError
from ttcs.running.picture import drawn
from ttcs.training.claim import claim
from ttcs.training.group import part
from ttcs.training.output import CURVES

register_resolvers()
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # a stage has a bar of its own


def main() -> None:
    """Exit codes: as those of `python -m ttcs`."""
    command("training", _task)


def _task(config: DictConfig) -> None:
    first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts: what it says is enough
    with redirect_stdout(sys.stdout if first else StringIO()):
        if config.get("stage") is None:
            stages = sorted(file.stem for file in (CONF / "stage").glob("*.yaml"))
            raise UserError(f"which stage? say stage=NAME; there are {', '.join(stages)}")
        if missing := sorted(OmegaConf.missing_keys(config.stage)):
            raise UserError(f"{missing[0]} has no value: say {missing[0]}=...")
        ranges.check(config)
        plain = at_home(OmegaConf.to_container(config.stage, resolve=True))
        stage = OmegaConf.create(plain)
        print(OmegaConf.to_yaml(stage))
        claim(plain, first)
        hydra.utils.instantiate(stage, _convert_="all").run()
        part()
        if first and (Path(str(plain.get("work"))) / CURVES).exists():
            drawn(build(config, "picture"), Path(str(plain["work"])))


if __name__ == "__main__":
    main()
