"""Folders that appear when everything is in them: a process killed while it writes leaves none that looks finished."""

from __future__ import annotations

import shutil
from pathlib import Path

CURVES = "curves.csv"  # of a training, in the folder of its checkpoints


def begun(out: Path) -> Path:
    """An empty folder beside `out` to write into, without what an earlier process may have left there."""
    part = unfinished(out)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def unfinished(out: Path) -> Path:
    return out.with_name(f".{out.name}.part")


def finished(out: Path) -> None:
    """What has been written becomes `out`; where that is there already, its other files stay."""
    part = unfinished(out)
    if not out.exists():
        part.rename(out)
        return
    for file in sorted(part.rglob("*")):
        if file.is_file():
            place = out / file.relative_to(part)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    shutil.rmtree(part)
