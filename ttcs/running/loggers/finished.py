"""A run that has ended, as a logger is told of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from omegaconf import DictConfig

from ttcs.config.identity import portable, settings
from ttcs.records.summary import Setting, Summary
from ttcs.running.naming import run_name
from ttcs.running.runner import PLOT

AROUND = frozenset({"launcher", "logger", "picture"})  # what happens around a run and says nothing of it


@dataclass(frozen=True, slots=True)
class Finished:
    """name: that of its folder below outputs/; the same configuration has the same one.

    sweep: the name of the one that it is a point of; None: it is no point.
    parameters: dotted key of the configuration -> value, and group -> what its option is called.
    metrics: name -> number, all those of summary.json. curves: selection -> n -> accuracy, those of its picture.
    figures: the pictures in its folder, as PNG.
    """

    name: str
    sweep: str | None
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    curves: Mapping[str, Mapping[int, float]]
    figures: Sequence[Path]

    @classmethod
    def of(cls, config: DictConfig, folder: Path, summary: Summary, sweep: str | None) -> Self:
        return cls(
            name=run_name(_root_=config),
            sweep=sweep,
            parameters=_parameters(config, summary.setting),
            metrics=dict(_metrics(summary)),
            curves=_curves((folder / PLOT).with_suffix(".csv")),
            figures=sorted(folder.glob("*.png")),
        )


def _parameters(config: DictConfig, setting: Setting) -> dict[str, Any]:
    own = {key: value for key, value in portable(config).items() if key not in AROUND}
    return {**settings(own), **asdict(setting)}


def _metrics(summary: Summary) -> Iterator[tuple[str, float]]:
    """`ledger/decoded_tokens`, `by_level/2/accuracy`; the ends of an interval as `ci95/low` and `ci95/high`."""
    numbers = {key: value for key, value in asdict(summary).items() if key != "setting"}
    for key, value in settings(numbers).items():
        name = key.replace(".", "/")
        if isinstance(value, tuple):
            yield from zip((f"{name}/low", f"{name}/high"), map(float, value), strict=True)
        elif isinstance(value, int | float):
            yield name, float(value)


def _curves(file: Path) -> dict[str, dict[int, float]]:
    """Empty where nothing was drawn."""
    curves: dict[str, dict[int, float]] = {}
    if file.exists():
        with file.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                curves.setdefault(row["method"], {})[int(row["n"])] = float(row["accuracy"])
    return curves
