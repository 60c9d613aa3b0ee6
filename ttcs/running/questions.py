"""What the problems of a stored run ask. Its records name them only, so they are found where the run found them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ttcs.config.components import share
from ttcs.core import Problem
from ttcs.errors import told
from ttcs.records.stored import Stored
from ttcs.running.contents import Contents, digest


@dataclass(frozen=True, slots=True)
class Questions:
    """problems: by id, in the order of the problem set. missing: why there are none (None: they are at hand)."""

    problems: Mapping[str, Problem]
    missing: str | None


def questions(run: Stored) -> Questions:
    """Of the problem set that the run names; none where it is not at hand, or asks something else by now."""
    if "_target_" not in (run.config.get("dataset") or {}):
        return Questions({}, "the run names no problem set, as one that was imported")
    try:
        problems: tuple[Problem, ...] = share(run.config, "dataset")
    except Exception as error:  # Hydra's, around ours
        if (reason := told(error)) is None:
            raise
        return Questions({}, str(reason))
    known = Contents.read(run.folder).problems
    if others := [one.id for one in problems if known.get(one.id, digest(one)) != digest(one)]:
        return Questions({}, f"another question has the id {others[0]} by now")
    return Questions({one.id: one for one in problems}, None)
