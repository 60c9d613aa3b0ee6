"""What tells runs that think apart: the method, and the budget that makes them points of one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.estimates import evaluate
from analysis.runs import repeats
from analysis.runs.load import RecordsError

FORCING, REJECTION = "budget_forcing", "rejection_sampling"
BUDGETS = {
    FORCING: ("thinking", "waits", "least", "text"),
    "token_conditional": ("thinking",),
    "step_conditional": ("steps", "thinking"),
    "class_conditional": ("length", "instruction", "thinking"),
    REJECTION: ("thinking",),
}
WAIT = "Wait"
TEMPERATURE = "policy.temperature"  # resampling needs one above 0, a forced run does not
LONGEST = 24  # characters of a setting in a name


def same_policy(runs: pd.DataFrame) -> None:
    """RecordsError where policy or dataset differ.

    The temperature may differ, as samples need one above 0 and forcing does not; so may the PRM, which no vote reads.
    """
    evaluate.same_setup(runs.assign(setup=runs["setup"].map(_sampled)))


def named(runs: pd.DataFrame) -> pd.DataFrame:
    """With the columns `method` and `budget`, the largest n of each and seed first and the others left out."""
    parts = [
        rows.assign(method=_methods(str(strategy), rows)) for strategy, rows in runs.groupby("strategy", sort=False)
    ]
    table = pd.concat(parts)
    table["budget"] = [budget(row["strategy"], row["fields"]) or f"n={row['n']}" for _, row in table.iterrows()]
    same = ["method", "budget", "seed"]
    largest = repeats.first(table, same)
    repeats.say(table, largest, same)
    return largest.sort_index()


def worded(runs: pd.DataFrame, text: str | None) -> pd.DataFrame:
    """Without the runs of budget forcing that append another string than `text`.

    None: than most of them do, and of several that are as frequent the paper's, if it is one of them.
    """
    said = [fields["text"] for fields in runs["fields"] if waited(fields) and "text" in fields]
    frequent = sorted(set(said), key=lambda one: (-said.count(one), one != WAIT, one))
    kept = next(iter(frequent), "") if text is None else text
    if text is not None and text not in said:
        raise RecordsError(f"no run of {FORCING} appends {text!r}; there are {', '.join(map(repr, sorted(set(said))))}")
    return runs[[not _waits_without(row, kept) for _, row in runs.iterrows()]]


def budget(strategy: str, fields: Mapping[str, Any]) -> str:
    """Without what makes no difference: an instruction beside its class, and a string that is never appended."""
    keys = [key for key in BUDGETS.get(strategy, ()) if key != "instruction"]
    spare = {"waits", "least", "text"} if not waited(fields) else set()
    return ", ".join(f"{key}={fields[key]}" for key in keys if key not in spare and fields.get(key) is not None)


def waited(fields: Mapping[str, Any]) -> bool:
    """Whether a run of budget forcing ever kept the policy from ending its thinking."""
    return bool(fields.get("waits")) or fields.get("least") is not None


def _sampled(setup: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in setup.items() if key != TEMPERATURE and key.partition(".")[0] != "prm"}


def _waits_without(row: pd.Series, text: str) -> bool:
    return row["strategy"] == FORCING and waited(row["fields"]) and row["fields"].get("text", "") != text


def _methods(strategy: str, rows: pd.DataFrame) -> list[str]:
    """The strategy, `forced` where it is, and the settings that differ between its runs and are no budget."""
    kinds = [
        {key: value for key, value in fields.items() if key not in (*BUDGETS.get(strategy, ()), "n", "forced")}
        | {key.partition(".")[2]: value for key, value in setup.items() if key == TEMPERATURE}
        for fields, setup in zip(rows["fields"], rows["setup"], strict=True)
    ]
    keys = sorted({key for kind in kinds for key in kind})
    differing = [key for key in keys if len({str(kind.get(key)) for kind in kinds}) > 1]
    details = [
        ["forced"] * bool(fields.get("forced")) + [f"{key}={_short(kind.get(key))}" for key in differing]
        for fields, kind in zip(rows["fields"], kinds, strict=True)
    ]
    return [f"{strategy} ({', '.join(several)})" if several else strategy for several in details]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
