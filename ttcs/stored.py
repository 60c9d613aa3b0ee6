"""A run that is on disk: its configuration, what it is called, and its records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ttcs.errors import UserError
from ttcs.folder import CONFIG, RECORDS, SUMMARY, load
from ttcs.identity import PACKAGE
from ttcs.records import Record, read
from ttcs.summary import Setting


@dataclass(frozen=True, slots=True)
class Stored:
    """config: components can be built from it. setting: from summary.json, None while the run is not finished."""

    folder: Path
    config: DictConfig
    setting: Setting | None

    @classmethod
    def of(cls, folder: Path) -> Stored:
        if not (folder / RECORDS).is_file():
            raise UserError(f"{folder} is not the folder of a run: it has no {RECORDS}")
        return cls(folder, located(load(folder / CONFIG)), _setting(folder / SUMMARY))

    def records(self) -> Iterator[Record]:
        return read(self.folder / RECORDS)


def located(config: DictConfig) -> DictConfig:
    """The inverse of `identity.portable`: files of the package where they are on this machine."""
    return OmegaConf.create({key: _located(value) for key, value in _plain(config).items()})


def _plain(config: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(config)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _located(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _located(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_located(item) for item in value]
    ours = isinstance(value, str) and value.startswith(f"{PACKAGE.name}/")
    return str(PACKAGE.parent / value) if ours else value


def _setting(path: Path) -> Setting | None:
    if not path.exists():
        return None
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        return Setting(**{field.name: summary[field.name] for field in fields(Setting)})
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is not the summary of a run of this version of ttcs") from error
