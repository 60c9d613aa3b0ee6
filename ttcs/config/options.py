"""The groups of the configuration and their options, each with the first comment of its yaml, for --help."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from ttcs.config import commands
from ttcs.config.identity import PACKAGE

INSTALLED = PACKAGE / "conf"  # where a wheel puts it
CONF = INSTALLED if INSTALLED.is_dir() else PACKAGE.parent / "conf"


def groups(config: DictConfig) -> list[str]:
    """Those that a composed configuration chooses from."""
    names = map(str, reversed(list(config.hydra.runtime.choices)))  # Hydra lists the last one first
    return [name for name in names if not name.startswith("hydra/")]


def options(*, _root_: DictConfig) -> str:
    """Of groups that are chosen from at several places of a configuration too, each once."""
    places: dict[str, list[str]] = {}
    for name in groups(_root_):
        places.setdefault(name.partition("@")[0], []).append(name)
    choices = _root_.hydra.runtime.choices
    return "\n".join(
        line for group, names in places.items() for line in _group(group, names, [choices[n] for n in names])
    )


def _group(group: str, names: Sequence[str], chosen: Sequence[str | None]) -> list[str]:
    files = sorted((CONF / group).glob("*.yaml"))
    width = max(12, *(len(file.stem) for file in files))
    marks = ["*" if file.stem in chosen else "" for file in files]
    texts = [comment(file).replace("$", "$$") for file in files]  # what Hydra fills in is a template
    lines = [f"{mark:>3} {file.stem:<{width}} {text}" for mark, file, text in zip(marks, files, texts, strict=True)]
    return [", ".join(names), *lines]


def comment(file: Path) -> str:
    """What an option is: the first comment of its yaml, one line. Empty where there is none."""
    lines = file.read_text(encoding="utf-8").splitlines()
    comments = [line.removeprefix("# ") for line in lines if line.startswith("# ") and not line.startswith("# @")]
    return comments[0] if comments else ""


# What the help of a command is filled in with; whoever resolves a whole configuration resolves that too.
OmegaConf.register_new_resolver("options", options, replace=True)
OmegaConf.register_new_resolver("purpose", commands.purpose, replace=True)
OmegaConf.register_new_resolver("other_commands", commands.others, replace=True)
