"""What a run was made with, told by content: a path may hold another model or other questions tomorrow.

The folder of a run keeps it beside the configuration. Folders from before this file was kept go on without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from omegaconf import DictConfig, OmegaConf

from ttcs.config.fingerprint import fingerprint
from ttcs.config.identity import OUTSIDE, identity, portable
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.records.folder import begun, write

FILE = "fingerprint.json"
PLACES = frozenset(
    {"model", "reference", "lora", "chat_template", "path"}
)  # settings that may name a file, a folder or a model
NAMED = 3  # of what differs


@dataclass(frozen=True, slots=True)
class Place:
    """at: the value of a setting. files: what was found there, name -> digest."""

    at: str
    files: Mapping[str, str]

    def changed(self, other: Place) -> list[str]:
        """The files that are not the same; none of another place, which is another configuration."""
        if self.at != other.at:
            return []
        return [name for name in sorted({*self.files, *other.files}) if self.files.get(name) != other.files.get(name)]


@dataclass(frozen=True, slots=True)
class Contents:
    """places: dotted key of the configuration -> what lay there. problems: id -> digest of what was asked."""

    places: Mapping[str, Place]
    problems: Mapping[str, str]

    @classmethod
    def of(cls, config: DictConfig, problems: Sequence[Problem]) -> Self:
        """As they are now. Problems are told by their texts, wherever they come from."""
        inside = [str(key) for key in config if key not in OUTSIDE or key == "stopping"]  # a strategy may refer to it
        own = OmegaConf.masked_copy(config, inside)
        plain = OmegaConf.to_container(own, resolve=True)
        assert isinstance(plain, dict)
        named = identity(portable(own))
        places = {
            key: Place(named[key], fingerprint(value, named.get(f"{key}_revision")))
            for key, value in _places({str(key): value for key, value in plain.items()})
        }
        known = {key: place for key, place in places.items() if place.files}
        return cls(known, {problem.id: digest(problem) for problem in problems})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Those of a run; empty where its folder is from before they were kept."""
        path = folder / FILE
        if not path.exists():
            return cls({}, {})
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls({key: Place(**place) for key, place in content["places"].items()}, content["problems"])
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            raise UserError(f"{path} is not the fingerprint of a run of this version of ttcs") from error

    def changed(self, other: Contents) -> str | None:
        """What is not the same in both, as far as both know it; None: nothing."""
        for key, place in self.places.items():
            if key in other.places and (names := place.changed(other.places[key])):
                return f"{key}={place.at} holds other files ({_several(names)})"
        common = [
            name for name in self.problems if self.problems[name] != other.problems.get(name, self.problems[name])
        ]
        return f"other questions have the same ids ({_several(common)})" if common else None

    def joined(self, other: Contents) -> Contents:
        """All that either knows."""
        return Contents({**self.places, **other.places}, {**self.problems, **other.problems})

    def save(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=1) + "\n"
        if not (folder / FILE).exists() or (folder / FILE).read_text(encoding="utf-8") != text:
            write(folder / FILE, text)


def check(folder: Path, here: Contents) -> None:
    """UserError where the folder has records that were made with something else."""
    if begun(folder) and (changed := Contents.read(folder).changed(here)):
        raise UserError(
            f"{changed} than when the run in {folder} began: choose another hydra.run.dir (of a sweep hydra.sweep.dir) "
            f"or put back what was there; to go on all the same, delete {folder / FILE}"
        )


def keep(folder: Path, here: Contents) -> None:
    """Have the folder say what its records are made with. UserError as for `check`."""
    check(folder, here)
    (Contents.read(folder).joined(here) if begun(folder) else here).save(folder)


def _places(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings that may name a place, but for the problems, which are told by their texts."""
    for key, value in identity(config).items():
        if isinstance(value, str) and key.rpartition(".")[2] in PLACES and not key.startswith("dataset."):
            yield key, value


def digest(problem: Problem) -> str:
    """Eight hex digits that tell what is asked, and the options that are given."""
    texts = json.dumps([problem.asked, problem.options])  # in ASCII, whatever is in them
    return blake2b(texts.encode(), digest_size=4).hexdigest()


def _several(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
