"""Records -> files: load, estimate, draw, save; the numbers behind a figure lie beside it as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import draw, evaluate
from analysis.load import Records, RecordsError, load
from analysis.pool import width
from analysis.style import RC, SIZE, look

Draw = Callable[[Axes, pd.DataFrame], Axes]
COMPARISONS: dict[str, tuple[str, Draw]] = {
    "n": ("Accuracy against N", draw.accuracy_vs_n),
    "tokens": ("Accuracy against decoded tokens", draw.accuracy_vs_tokens),
    "flops": ("Accuracy against FLOPs", draw.accuracy_vs_flops),
}


def accuracy_vs_n(run_dir: Path) -> Path:
    """accuracy.png and accuracy.csv of one run, in its folder: curves where it holds smaller runs, else one point."""
    records = load(Path(run_dir))
    if len(records.runs) != 1:
        raise RecordsError(f"{run_dir}: {len(records.runs)} runs, where the folder of one was expected")
    table = evaluate.summary(single(records))
    run = records.runs.iloc[0]
    strategy = "Best-of-N" if run["strategy"] == "best_of_n" else look(str(run["strategy"])).label
    against = "against N" if table["n"].nunique() > 1 else f"at N = {table['n'].iloc[0]}"
    return save(Path(run_dir) / "accuracy.png", draw.accuracy_vs_n, table, f"{strategy}: accuracy {against}")


def single(records: Records) -> pd.DataFrame:
    """The estimates of one run, with every selection as a method of its own where it can be cut up."""
    unit = width(records)
    if unit is None:
        return evaluate.own(records)
    estimates = evaluate.nested(records)
    return estimates.assign(method=estimates["selection"])


def compare(root: Path, out: Path) -> list[Path]:
    """All runs below `root` in one figure each against N, decoded tokens and FLOPs (those the ledgers have)."""
    estimates = evaluate.evaluate(load(Path(root)))
    table = evaluate.summary(estimates[estimates["selection"] != "pass"])
    files = []
    for x, (title, function) in COMPARISONS.items():
        rows = table[table[x].notna() & (table[x] > 0)]
        if len(rows):
            files.append(save(Path(out) / f"accuracy_vs_{x}.png", function, rows, title))
    return files


def save(path: Path, function: Draw, table: pd.DataFrame, title: str) -> Path:
    """Draw `table` to `path` (PNG) and write it beside it (CSV)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(RC):
        figure = Figure(figsize=SIZE)
        ax = function(figure.add_subplot(), table)
        ax.set_title(title)
        ax.annotate(_note(table), (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points",
                    va="bottom", fontsize=7.5, color="#777777")  # fmt: skip
        figure.savefig(path)
    table.to_csv(path.with_suffix(".csv"), index=False)
    return path


def _note(table: pd.DataFrame) -> str:
    seeds = sorted({int(count) for count in table["seeds"]})
    runs = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f"{seeds[0]} seeds" if seeds[0] > 1 else "1 seed"
    parts = sorted({bool(value) for value in table.groupby("method")["derived"].any()})
    marks = "; bands: subsets of a larger run, bars: a run per point" if len(parts) > 1 else ""
    return f"{table['n_problems'].max()} problems, {runs}, 95% bootstrap intervals over problems{marks}"
