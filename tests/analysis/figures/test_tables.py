"""Table, differences and quality: Markdown and CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimates import evaluate
from analysis.estimates.bootstrap import difference
from analysis.figures.differences import Differences
from analysis.figures.quality import Quality
from analysis.figures.table import Table
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write


def test_the_table_has_a_row_per_method_and_a_column_per_n(sweep: Path) -> None:
    (sheet,) = Table([1, 4, 16], False).panels(load(sweep))
    rows = [line for line in sheet.text.splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[2:8]] == [
        "Greedy", "Majority", "Best-of-N", "Weighted best-of-N", "Beam search", "DVTS",
    ]  # fmt: skip
    found = evaluate.summary(evaluate.evaluate(load(sweep))).set_index(["method", "n"]).loc[("dvts", 16)]
    assert f"{100 * found['accuracy']:.1f} ± {50 * (found['high'] - found['low']):.1f} |" in rows[7]
    assert f"({100 * found['low']:.1f}-" in Table([16], True).panels(load(sweep))[0].text
    assert "160 |" in sheet.text


def test_a_column_that_no_run_has_is_left_out(sweep: Path) -> None:
    (sheet,) = Table([1, 3, 16, 256], False).panels(load(sweep))
    heads = [line for line in sheet.text.splitlines() if line.startswith("| Method")]
    assert {tuple(cell.strip() for cell in head.split("|")[2:-1]) for head in heads} == {("N = 1", "N = 16")}


def test_a_table_of_no_n_is_an_error(sweep: Path) -> None:
    with pytest.raises(RecordsError, match="no run has an N of 3; there are 1, 2, 4, 8, 16"):
        Table([3], False).panels(load(sweep))


def test_a_sheet_is_saved_as_markdown_and_csv(sweep: Path, tmp_path: Path) -> None:
    (sheet,) = Table([4, 16], False).panels(load(sweep))
    files = sheet.save(tmp_path / "new", ["png"])
    assert [file.name for file in files] == ["table.md", "table.csv"]
    assert files[0].read_text(encoding="utf-8") == sheet.text
    assert pd.read_csv(files[1])["accuracy"].tolist() == pytest.approx(sheet.table["accuracy"].tolist())


def test_differences_of_all_pairs_at_every_n_that_both_have(sweep: Path) -> None:
    (sheet,) = Differences(None, None).panels(load(sweep))
    table = sheet.table.set_index(["a", "b", "n"])
    assert len(table.groupby(["a", "b"])) == 6 * 5 / 2
    estimates = evaluate.evaluate(load(sweep))
    dvts, beam = (estimates[(estimates["method"] == m) & (estimates["n"] == 16)] for m in ("dvts", "beam_search"))
    expected = difference(dvts, beam)
    assert table.loc[("dvts", "beam_search", 16), ["difference", "low", "high"]].tolist() == pytest.approx([*expected])
    assert table.loc[("dvts", "beam_search", 16), ["n_problems", "seeds"]].tolist() == [20, 2]
    assert ("dvts", "beam_search", 8) not in table.index
    assert f"{100 * expected.mean:+.1f} ± " in sheet.text


def test_greedy_is_compared_at_every_n_of_the_others(sweep: Path) -> None:
    (sheet,) = Differences("greedy", ["greedy", "majority"]).panels(load(sweep))
    assert sheet.table[["a", "b"]].drop_duplicates().to_numpy().tolist() == [["majority", "greedy"]]
    assert sheet.table["n"].tolist() == [1, 2, 4, 8, 16]
    assert sheet.table["seeds"].tolist() == [2] * 5
    problems = load(sweep).problems
    greedy = problems[problems["run"] == "greedy"]["correct"].astype(float).mean()
    summary = evaluate.summary(evaluate.evaluate(load(sweep))).set_index(["method", "n"])["accuracy"]
    assert sheet.table["difference"].iloc[-1] == pytest.approx(summary["majority", 16] - greedy)


def test_pairs_are_over_common_seeds(tmp_path: Path) -> None:
    for seed in (0, 1):
        write(tmp_path / f"bon{seed}", simulated(10, 4, seed), n=4, seed=seed)
    write(tmp_path / "beam", simulated(10, 4, 1), strategy="beam_search", n=4, seed=1)
    with pytest.warns(UserWarning, match="beam_search without seed 0"):
        (sheet,) = Differences("weighted", ["beam_search", "weighted"]).panels(load(tmp_path))
    (row,) = sheet.table.to_dict("records")
    assert (row["seeds"], row["difference"], row["low"], row["high"]) == (1, 0.0, 0.0, 0.0)  # the same samples


def test_pairs_without_a_common_seed_are_named(tmp_path: Path) -> None:
    write(tmp_path / "bon", simulated(10, 4), n=4)
    write(tmp_path / "beam", simulated(10, 4, 1), strategy="beam_search", n=4, seed=1)
    figure = Differences("weighted", ["beam_search", "weighted"])
    with pytest.warns(UserWarning, match="beam_search and weighted at n=4 have no seed in common"), pytest.raises(
        RecordsError, match="no two methods have an n in common"
    ):  # fmt: skip
        figure.panels(load(tmp_path))


def test_a_reference_that_was_not_run_is_an_error(sweep: Path) -> None:
    with pytest.raises(RecordsError, match="no run of reference=lookahead; there are greedy, majority"):
        Differences("lookahead", None).panels(load(sweep))


def test_quality_by_level(sweep: Path) -> None:
    (sheet,) = Quality().panels(load(sweep))
    table = sheet.table.set_index(["problems", "measure"])["mean"]
    records = load(sweep)
    samples = records.of("bon1").candidates
    assert table["all", "pass@1"] == pytest.approx(samples["correct"].astype(float).mean())
    assert table["level 2", "greedy"] == pytest.approx(
        records.of("greedy").problems.query("level == 2")["correct"].astype(float).mean()
    )
    assert np.isfinite(table["all", "AUC of the PRM's last score"])
    assert np.isfinite(table["all", "AUC within problems"])
    assert 0 <= table["all", "wrong above the median right"] <= 1
    assert "AUC within problems" in sheet.text and "wrong siblings above a right step" in sheet.text
    assert [line.split("|")[1].strip() for line in sheet.text.splitlines()[2:]] == [
        "all", *(f"level {level}" for level in range(1, 6)),
    ]  # fmt: skip


def test_quality_needs_greedy_and_samples(tmp_path: Path) -> None:
    write(tmp_path / "bon", simulated(5, 4), n=4)
    with pytest.raises(RecordsError, match="no finished run of greedy"):
        Quality().panels(load(tmp_path))


def test_quality_of_samples_that_nothing_scored(tmp_path: Path) -> None:
    for record in (made := simulated(10, 4)):
        for part in (*record["candidates"], *record["tree"]):
            part["score"] = None
    write(tmp_path / "bon", made, n=4, selection="majority")
    write(tmp_path / "greedy", simulated(10, 1, 5), strategy="greedy", n=1)
    (sheet,) = Quality().panels(load(tmp_path))
    assert sheet.table[sheet.table["measure"].str.startswith("AUC")]["mean"].isna().all()
    assert "nan" not in sheet.text and sheet.table[sheet.table["measure"] == "pass@1"]["mean"].notna().all()
