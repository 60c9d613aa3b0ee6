"""`python -m ttcs.training stage=...`: the recipes that made the zoo, and the same stages for models of one's own."""

from __future__ import annotations

from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

CONF = Path(__file__).resolve().parents[2] / "conf"


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="training")
def main(config: DictConfig) -> None:
    stage = hydra.utils.instantiate(config.stage, _convert_="all")
    print(OmegaConf.to_yaml(config.stage, resolve=True))
    stage.run()


if __name__ == "__main__":
    main()
