"""Every yaml under conf/figure composes, says what it is, and makes a figure."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from ttcs.config.options import CONF

FILES = sorted((CONF / "figure").glob("*.yaml"))


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_a_figure_composes_and_instantiates(name: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("analysis", [f"figure={name}"])
    assert OmegaConf.missing_keys(config) == set()
    assert callable(instantiate(config.figure, _convert_="all").panels)


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_a_figure_says_what_it_is(name: str) -> None:
    first = (CONF / "figure" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ") and first.endswith(".")
