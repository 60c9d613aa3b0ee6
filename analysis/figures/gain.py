"""What a verifier is good for: best-of-N with it against the vote and against one greedy solution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import markdown
from analysis.drawing.style import look
from analysis.estimates import bootstrap, evaluate
from analysis.estimates.pool import INDEPENDENT
from analysis.figures.figure import Sheet
from analysis.runs import variants
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval, interval

LEFT = "weighted"


@dataclass(frozen=True, slots=True)
class Gain:
    """For each PRM the accuracy of weighted best-of-N, and that less the accuracy of others, paired by problem.

    at: the n (None: the largest of each PRM). against: what is taken off, as far as it was run.
    """

    at: Sequence[int] | None
    against: Sequence[str]

    def panels(self, records: Records) -> Sequence[Sheet]:
        verifiers = variants.by(evaluate.finished(records), "prm")
        rows = [row for name, one in verifiers.items() for row in self._rows(name, one)]
        if not rows:
            raise RecordsError("no run of best_of_n with scores: there is no verifier whose gain could be told")
        table = pd.DataFrame(rows)
        return [Sheet("verifier_gain", _text(table), table)]

    def _rows(self, name: str, records: Records) -> Iterator[dict[str, object]]:
        if not records.runs["strategy"].isin(INDEPENDENT).any():
            return
        estimates = evaluate.evaluate(records)
        ours = estimates[estimates["method"] == LEFT]
        sizes = sorted(int(n) for n in ours["n"].unique())
        for n in [n for n in self.at if n in sizes] if self.at else sizes[-1:]:
            here = ours[ours["n"] == n]
            shared = {
                "verifier": name,
                "n": n,
                "n_problems": here["problem_id"].nunique(),
                "seeds": here["seed"].nunique(),
            }
            yield {**shared, "measure": LEFT, **interval(list(bootstrap.per_problem(here)))._asdict()}
            for method in self.against:
                other = estimates[
                    (estimates["method"] == method) & (estimates["n"].isin([n, *[1] * (method == "greedy")]))
                ]
                if len(other):
                    yield {**shared, "measure": method, **bootstrap.difference(here, other)._asdict()}


def _text(table: pd.DataFrame) -> str:
    others = [name for name in dict.fromkeys(table["measure"]) if name != LEFT]
    cells = {(row["verifier"], row["n"], row["measure"]): _cell(row) for _, row in table.iterrows()}
    pairs = dict.fromkeys(zip(table["verifier"], table["n"], strict=True))
    rows = [
        [str(name), str(n), *(cells.get((name, n, measure), "-") for measure in (LEFT, *others))] for name, n in pairs
    ]
    caption = (
        f"Accuracy (%), and differences in points. {table['n_problems'].max()} problems; 95% bootstrap intervals over "
    )
    header = ["Verifier", "N", look(LEFT).label, *(f"minus {look(name).label.lower()}" for name in others)]
    return f"{caption}problems, paired by problem.\n\n" + markdown.grid(header, rows) + "\n"


def _cell(row: pd.Series) -> str:
    return markdown.percent(Interval(row["mean"], row["low"], row["high"]), sign="+" * (row["measure"] != LEFT))
