"""Pictures and tables of a simulated policy say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.figures.figure import Output, Panel, Sheet
from analysis.runs.load import Records

POLICIES = {"scripted", "simulated"}  # options of the group `policy`


def labelled(outputs: Sequence[Output], records: Records) -> list[Output]:
    """The outputs, with a word on each where any run's policy is a simulated one."""
    return [_labelled(output) for output in outputs] if records.runs["policy"].isin(POLICIES).any() else [*outputs]


def _labelled(output: Output) -> Output:
    match output:
        case Panel():
            return replace(output, title=f"{output.title} (simulated)")
        case Sheet():
            return replace(output, text=f"Simulated, no model was run.\n\n{output.text}")
    return output
