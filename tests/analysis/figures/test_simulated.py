"""What a simulated policy's records are made into says that no model was run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures.figure import Panel, Sheet
from analysis.figures.simulated import labelled
from analysis.runs.load import Records, load


def of(records: Records, policy: str) -> Records:
    return Records(records.runs.assign(policy=policy), records.problems, records.candidates)


def test_pictures_and_tables_of_a_simulated_policy_say_so(sweep: Path) -> None:
    def nothing(ax: Axes, table: pd.DataFrame) -> Axes:
        return ax

    records, table = load(sweep), pd.DataFrame()
    outputs = [Panel("a", "Accuracy against N", table, nothing), Sheet("b", "| N |\n", table)]
    panel, sheet = labelled(outputs, of(records, "simulated"))
    assert isinstance(panel, Panel) and panel.title == "Accuracy against N (simulated)"
    assert sheet.text.startswith("Simulated, no model was run.\n\n| N |")
    assert labelled(outputs, of(records, "zoo")) == outputs
