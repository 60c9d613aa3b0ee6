"""`python -m analysis`: records in, figures and tables out. Hydra's entry, with mistakes answered by one line."""

from __future__ import annotations

from pathlib import Path

import hydra
from omegaconf import DictConfig, ListConfig

from analysis.figures.figure import Figure
from analysis.figures.simulated import labelled
from analysis.runs.load import RecordsError, load
from ttcs.config import ranges
from ttcs.config.command import command
from ttcs.config.home import at_home

FORMATS = "png", "pdf", "svg"


def main() -> None:
    """Exit codes: 0 done, 1 a bug (with its traceback), 2 bad input (with one line)."""
    command("analysis", _task)


def _task(config: DictConfig) -> None:
    ranges.check(config)
    figure: Figure = hydra.utils.instantiate(config.figure, _convert_="all")
    folder, formats = Path(at_home(config.out)), _several(config, "formats")
    if unknown := [name for name in formats if name not in FORMATS]:
        raise RecordsError(f"formats={','.join(unknown)}: there are {', '.join(FORMATS)}")
    records = load(*map(Path, at_home(_several(config, "records"))))
    outputs = labelled(figure.panels(records), records)
    try:
        files = [file for output in outputs for file in output.save(folder, formats)]
    except OSError as error:
        raise RecordsError(f"out={folder}: {error}") from error
    texts = [output.text for output in outputs if len(outputs) == 1]
    print(*filter(None, [*texts, *files]), sep="\n")


def _several(config: DictConfig, key: str) -> list[str]:
    """A list of words, which may be a single word on the command line."""
    value = config[key]
    words = list(value) if isinstance(value, ListConfig) else [value]
    if not words or not all(isinstance(word, str) for word in words):
        raise RecordsError(f"{key}={value} is not a list of words, as in {key}=[a,b]")
    return words


if __name__ == "__main__":
    main()
