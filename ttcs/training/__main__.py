"""`python -m ttcs.training stage=...`: the recipes that made the zoo, and the same stages for models of one's own."""

from __future__ import annotations

import hydra
from omegaconf import DictConfig, OmegaConf

from ttcs.explain import answering
from ttcs.options import CONF


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="training")
def main(config: DictConfig) -> None:
    print(OmegaConf.to_yaml(config.stage, resolve=True))
    with answering("training"):
        hydra.utils.instantiate(config.stage, _convert_="all").run()


if __name__ == "__main__":
    main()
