"""What the problems of a stored run ask. Its records name them only, so they are found where the run found them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ttcs.config.components import build, share
from ttcs.core import Problem
from ttcs.errors import told
from ttcs.records.folder import QUESTIONS
from ttcs.records.stored import Stored
from ttcs.running.contents import Contents, digest


@dataclass(frozen=True, slots=True)
class Questions:
    """problems: by id, in the order of the problem set. missing: why there are none (None: they are at hand)."""

    problems: Mapping[str, Problem]
    missing: str | None


def questions(run: Stored, anew: bool = False) -> Questions:
    """Of the problem set that the run names; none where it is not at hand, or asks something else by now.

    anew: read once more what an earlier call has read, as where the set grows.
    """
    config = _config(run)
    if "_target_" not in (config.get("dataset") or {}):
        return Questions({}, "the run names no problem set, as one that was imported")
    try:
        problems: tuple[Problem, ...] = (build if anew else share)(config, "dataset")
    except Exception as error:  # Hydra's, around ours
        if (reason := told(error)) is None:
            raise
        return Questions({}, str(reason))
    known = Contents.read(run.folder).problems
    if others := [one.id for one in problems if known.get(one.id, digest(one)) != digest(one)]:
        return Questions({}, f"another question has the id {others[0]} by now")
    return Questions({one.id: one for one in problems}, None)


def _config(run: Stored) -> Mapping[str, Any]:
    """A problem set that is the folder's own is found there, wherever the folder has been moved; of it whole lines."""
    own = run.folder / QUESTIONS
    if not own.is_file():
        return run.config
    with own.open("rb") as lines:
        whole = sum(line.endswith(b"\n") for line in lines)
    return {**run.config, "dataset": {**run.config["dataset"], "path": str(own), "limit": whole or None}}
