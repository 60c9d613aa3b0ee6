"""The groups of the configuration and their options, each with the first comment of its yaml, for --help."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from ttcs.identity import PACKAGE

CONF = PACKAGE.parent / "conf"


def groups(config: DictConfig) -> list[str]:
    """Those that a composed configuration chooses from."""
    names = map(str, reversed(list(config.hydra.runtime.choices)))  # Hydra lists the last one first
    return [name for name in names if not name.startswith("hydra/")]


def options(*, _root_: DictConfig) -> str:
    return "\n".join(line for group in groups(_root_) for line in _group(group, _root_.hydra.runtime.choices[group]))


def _group(group: str, chosen: str | None) -> list[str]:
    files = sorted((CONF / group).glob("*.yaml"))
    width = max(12, *(len(file.stem) for file in files))
    return [
        group,
        *(f"{'*' if file.stem == chosen else ' ':>3} {file.stem:<{width}} {_comment(file)}" for file in files),
    ]


def _comment(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    comments = [line.removeprefix("# ") for line in lines if line.startswith("# ") and not line.startswith("# @")]
    return comments[0].replace("$", "$$") if comments else ""  # what Hydra fills in is a template
