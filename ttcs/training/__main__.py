"""`python -m ttcs.training stage=...`: the recipes that made the zoo, and the same stages for models of one's own."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from ttcs.config.components import build
from ttcs.config.explain import answering
from ttcs.config.home import at_home, typed
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.config.streams import forgiving
from ttcs.errors import UserError
from ttcs.running.picture import drawn
from ttcs.training.claim import claim
from ttcs.training.group import part
from ttcs.training.output import CURVES

register_resolvers()
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # a stage has a bar of its own


def main() -> None:
    """Exit codes: as those of `python -m ttcs`."""
    forgiving()
    sys.argv[1:] = typed(sys.argv[1:])
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra lets exceptions through to `answering`
    with answering("training"):
        hydra.main(version_base="1.3", config_path=str(CONF), config_name="training")(_task)()


def _task(config: DictConfig) -> None:
    first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts: what it says is enough
    with redirect_stdout(sys.stdout if first else StringIO()), answering("training"):
        if missing := sorted(OmegaConf.missing_keys(config.stage)):
            raise UserError(f"{missing[0]} has no value: say {missing[0]}=...")
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
