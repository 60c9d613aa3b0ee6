"""Files and folders that appear when all is in them: a process killed while it writes leaves none that look whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.records.folder import write_lines

CURVES = "curves.csv"  # of a training, in the folder of its checkpoints


def written(out: str, lines: Iterable[Mapping[str, Any]]) -> None:
    """A file of JSON lines, its folder made."""
    path = Path(out)
    made(path.parent)
    write_lines(path, (json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def there(out: str) -> bool:
    """Whether `out` is made already, which is then said."""
    done = Path(out).exists()
    if done:
        print(f"done: {out} is there, and is left as it is")
    return done


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
    """What has been written becomes `out`; where that is there already, its other files stay.

    Whoever may read the folder may read the files in it: safetensors writes weights that nobody else can.
    """
    part = unfinished(out)
    files = sorted(file for file in part.rglob("*") if file.is_file())
    for file in files:
        file.chmod(part.stat().st_mode & 0o666)
    if not out.exists():
        part.rename(out)
        return
    for file in files:
        place = out / file.relative_to(part)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    shutil.rmtree(part)
