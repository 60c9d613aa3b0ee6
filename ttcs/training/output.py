"""Folders that appear when everything is in them: a process killed while it writes leaves none that looks finished."""

from __future__ import annotations

import shutil
from pathlib import Path

from ttcs.config.writable import made
from ttcs.errors import UserError

CURVES = "curves.csv"  # of a training, in the folder of its checkpoints


def begun(out: Path) -> Path:
    """An empty folder beside `out` to write into, without what an earlier process may have left there."""
    part = unfinished(out)
    shutil.rmtree(part, ignore_errors=True)
    made(part)
    return part


def free(out: Path) -> None:
    """UserError where the folder could not be made, before hours are spent on what belongs in it."""
    made(out.parent)
    if out.exists() and not out.is_dir():
        raise UserError(f"cannot make the folder {out}: {out} is there and is no folder")


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
