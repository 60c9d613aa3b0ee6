from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing import save
from analysis.figures.figure import Panel


def dot(ax: Axes, df: pd.DataFrame) -> Axes:
    ax.plot(df["n"], df["accuracy"], "o")
    return ax


TABLE = pd.DataFrame({"method": ["greedy", "best"], "n": [1, 4], "accuracy": [0.5, 0.6], "n_problems": 7,
                      "seeds": [1, 3], "derived": [False, True]})  # fmt: skip


def test_a_panel_is_a_picture_in_every_format_and_its_numbers(tmp_path: Path) -> None:
    files = Panel("dots", "Dots", TABLE, dot).save(tmp_path / "new", ["png", "svg"])
    assert [file.name for file in files] == ["dots.png", "dots.svg", "dots.csv"]
    assert "Dots" in files[1].read_text() or "<svg" in files[1].read_text()
    pd.testing.assert_frame_equal(pd.read_csv(files[2]), TABLE, check_dtype=False)


def test_the_note_says_how_many_problems_and_seeds() -> None:
    assert save.note(TABLE) == "7 problems, 3 seeds, 95% bootstrap intervals over problems"
    assert save.note(TABLE.head(1)) == "7 problems, 95% bootstrap intervals over problems"  # greedy has no seeds
    several = TABLE.assign(method="best", seeds=[1, 3], n_problems=[5, 7])
    assert save.note(several) == "5 to 7 problems, 1 to 3 seeds, 95% bootstrap intervals over problems"
    assert save.note(several.assign(seeds=1)).startswith("5 to 7 problems, 1 seed, ")
    assert save.note(pd.DataFrame({"x": [1]})) == "95% bootstrap intervals over problems"


def test_curves_say_what_bands_and_bars_are_where_there_are_both() -> None:
    assert save.lines_note(TABLE).endswith("; bands: subsets of a larger run, bars: a run per point")
    assert save.lines_note(TABLE.tail(1)) == save.note(TABLE.tail(1))
