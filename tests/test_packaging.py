"""What pip reads of the project."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
REQUIREMENTS = [*PROJECT["dependencies"], *OPTIONAL]


@pytest.mark.parametrize("requirement", [text for text in REQUIREMENTS if "[" in text and not text.startswith("ttcs[")])
def test_an_extra_is_one_that_the_package_lists(requirement: str) -> None:
    """By the very name: pip warns on the first lines of an installation where only a dash is an underscore."""
    name, extras = re.fullmatch(r"([\w.-]+)\[([^]]+)\].*", requirement).groups()  # type: ignore[union-attr]
    try:
        listed = metadata(name).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    assert set(extras.split(",")) <= set(listed)


def test_the_runtime_of_the_grammars_is_the_one_that_hydra_and_math_verify_take() -> None:
    assert "antlr4-python3-runtime==4.9.3" in PROJECT["dependencies"]
    assert version("antlr4-python3-runtime") == "4.9.3"
