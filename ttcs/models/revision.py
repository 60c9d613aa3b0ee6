"""How a model was trained to be asked for a revision: `revision.json` beside its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from transformers.utils import cached_file

from ttcs.errors import UserError

FILE = "revision.json"


@dataclass(frozen=True, slots=True)
class RevisionFormat:
    """request: what the user says to an attempt. attempts: how many of them the model was shown at most."""

    request: str
    attempts: int

    def save(self, folder: str) -> None:
        (Path(folder) / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def revision_format(model: str, given: RevisionFormat | None = None) -> RevisionFormat | None:
    """That of a folder or a model of the Hub; None: it was not trained to revise.

    given: what the user says of a model that does not say it. UserError when the model says something else.
    """
    trained = _read(model)
    if trained is None or given is None or trained == given:
        return trained or given
    raise UserError(
        f"{model} was trained to revise on {trained.request!r} with at most {trained.attempts} attempts in context, "
        f"not on {given.request!r} with {given.attempts}: leave policy.revision out"
    )


def _read(model: str) -> RevisionFormat | None:
    try:
        path = cached_file(model, FILE, _raise_exceptions_for_missing_entries=False)
    except (OSError, ValueError):  # no such model, or no way to the Hub: for whoever loads its weights to say
        path = None
    if path is None:
        return None
    try:
        return RevisionFormat(**json.loads(Path(path).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: not a revision format ({error})") from error
