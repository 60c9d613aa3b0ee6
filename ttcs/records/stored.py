"""A run that is on disk: its configuration, what it is called, and its records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ttcs.config.file import load
from ttcs.config.identity import located
from ttcs.errors import UserError
from ttcs.records.folder import CONFIG, RECORDS, SUMMARY
from ttcs.records.record import Record
from ttcs.records.record_file import read
from ttcs.records.summary import Setting


@dataclass(frozen=True, slots=True)
class Stored:
    """config: components can be built from it. setting: from summary.json, None while the run is not finished."""

    folder: Path
    config: dict[str, Any]
    setting: Setting | None

    @classmethod
    def of(cls, folder: Path) -> Stored:
        if not (folder / RECORDS).is_file():
            raise UserError(f"{folder} is not the folder of a run: it has no {RECORDS}")
        return cls(folder, located(load(folder / CONFIG)), _setting(folder / SUMMARY))

    def records(self, last: int | None = None) -> Iterator[Record]:
        """last: see `read`."""
        return read(self.folder / RECORDS, last)


def _setting(path: Path) -> Setting | None:
    if not path.exists():
        return None
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        return Setting(**{field.name: summary[field.name] for field in fields(Setting)})
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not the summary of a run of this version of ttcs") from error
