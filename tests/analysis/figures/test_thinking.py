"""Figures and tables of thinking, from runs whose numbers are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.figures.appended import Appended
from analysis.figures.control import Control
from analysis.figures.data_ablation import DataAblation
from analysis.figures.figure import Panel
from analysis.figures.rejection import Rejection
from analysis.figures.sequential_differences import SequentialDifferences
from analysis.figures.sequential_scaling import SequentialScaling
from analysis.figures.thinking import Thinking
from analysis.runs.load import Records, RecordsError, load
from tests.analysis.folders import simulated, write
from tests.analysis.thoughts import Thought, forcing, run
from ttcs.records.interval import interval

STRATEGIES = ["budget_forcing", "token_conditional", "step_conditional", "class_conditional", "rejection_sampling"]
THINKING = Thinking(STRATEGIES, None, "auto", 500)
CONTROL = Control(STRATEGIES, None, "log2", 100, "budget_forcing", 500)
SEQUENTIAL = SequentialScaling("budget_forcing", None, 500)
ABLATION = DataAblation(["full", "random"], "budget_forcing", None, 500)
PROBLEMS = 10


def solved(count: int, tokens: int, n: int = 1) -> list[list[Thought]]:
    """So many of ten problems solved, with so many thinking tokens each."""
    return [[(tokens, number < count)] * n for number in range(PROBLEMS)]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Budget forcing at 64, 128 and 256 tokens, waiting at 256, and the other ways beside it."""
    for number, (settings, count) in enumerate(
        [(forcing(64), 2), (forcing(128), 4), (forcing(256), 6), (forcing(256, 2), 8), (forcing(256, 2, ""), 5)]
    ):
        tokens = settings["thinking"] if not settings["waits"] else 512
        run(tmp_path / f"f{number}", "budget_forcing", settings, solved(count, tokens), dataset="aime2024")
    for limit, tokens in ((64, 100), (128, 120)):
        fields = {"thinking": limit, "forced": False, "instruction": "Think, briefly."}
        run(tmp_path / f"t{limit}", "token_conditional", fields, solved(limit // 32, tokens), dataset="aime2024")
    for limit, count in ((64, 6), (128, 5)):
        tries = [[(limit, None), *one] for one in solved(count, limit // 2)]
        run(tmp_path / f"r{limit}", "rejection_sampling", {"thinking": limit}, tries, n=9, dataset="aime2024")
    return load(tmp_path)


def test_a_line_per_method_and_the_published_one_in_grey(records: Records) -> None:
    (panel,) = THINKING.panels(records)
    lines = panel.table.groupby("method")[["thinking", "accuracy"]].agg(list)
    assert lines.loc["budget_forcing"].tolist() == [[64, 128, 256, 512], [0.2, 0.4, 0.6, 0.8]]
    assert lines.loc["rejection_sampling"].tolist() == [[32, 64], [0.6, 0.5]]
    assert lines.loc["published", "thinking"][-1] == 7321 and panel.table.iloc[-1]["accuracy"] == pytest.approx(0.567)
    assert panel.name == "thinking_aime2024" and str(panel.note).startswith("10 problems, 1 seed, 95%")
    axes = panel.draw(Figure().subplots(), panel.table)
    labels = [str(line.get_label()) for line in axes.lines]
    assert labels == ["Published, s1-32B", "Budget forcing", "Token-conditional", "Rejection sampling"]
    assert axes.get_xlim()[1] > 7321


def test_published_points_only_where_there_are_some(records: Records) -> None:
    (panel,) = replace(THINKING, published=False).panels(records)
    assert "published" not in set(panel.table["method"])
    other = Records(records.runs.assign(dataset="zoo"), records.problems, records.candidates)
    (panel,) = replace(THINKING, strategies=["token_conditional"]).panels(other)
    assert set(panel.table["method"]) == {"token_conditional"}
    with pytest.raises(RecordsError, match="s1-32B is published for math500, aime2024, and there are runs on zoo"):
        replace(THINKING, strategies=["token_conditional"], published=True).panels(other)
    with pytest.raises(RecordsError, match="published=maybe: auto, true or false"):
        replace(THINKING, published="maybe")


def test_a_picture_for_each_dataset(records: Records, tmp_path: Path) -> None:
    run(tmp_path / "zoo", "budget_forcing", forcing(64), solved(3, 50), dataset="zoo")
    assert [panel.name for panel in THINKING.panels(load(tmp_path))] == ["thinking_aime2024", "thinking_zoo"]


def test_control_scaling_and_performance(records: Records) -> None:
    (sheet,) = replace(CONTROL, text="Wait").panels(records)
    table = sheet.table.set_index(["method", "metric"])
    assert table.loc[("budget_forcing", "control"), "value"] == 75  # two waits took 512 tokens of 256
    assert table.loc[("budget_forcing", "scaling"), "value"] == pytest.approx(20)
    assert table.loc[("budget_forcing", "performance"), "value"] == pytest.approx(80)
    assert table.loc[("token_conditional", "control"), "value"] == 50
    assert table.loc[("token_conditional", "scaling"), "value"] == pytest.approx(20 / np.log2(1.2))
    assert table.loc[("rejection_sampling", "scaling"), "value"] == pytest.approx(-10)
    assert table.loc[("rejection_sampling", "scaling"), "difference"] == pytest.approx(-30)
    assert table.loc[("token_conditional", "performance"), "difference"] == pytest.approx(-40)
    cells = [cell.strip() for cell in sheet.text.splitlines()[4].split("|")]
    assert cells[1:4] == ["Budget forcing", "4", "75.0 [75.0, 75.0]"] and cells[4].startswith("20.0 [")
    assert "Minus budget forcing, paired by problem." in sheet.text
    (sheet,) = replace(CONTROL, text="Wait", x="tokens").panels(records)
    slopes = sheet.table.set_index(["method", "metric"])["value"]
    assert slopes["token_conditional", "scaling"] == pytest.approx(20 / 20 * 1000)
    with pytest.raises(RecordsError, match="x=steps"):
        replace(CONTROL, x="steps").panels(records)


def test_rejection_beside_forcing_by_budget(records: Records) -> None:
    by = {panel.name: panel.table.set_index(["method", "budget"])["value"] for panel in Rejection(500).panels(records)}
    assert dict(by["rejection_accuracy_aime2024"]["rejection_sampling"]) == {64: 0.6, 128: 0.5}
    assert dict(by["rejection_accuracy_aime2024"]["budget_forcing"]) == pytest.approx({64: 0.2, 128: 0.4, 256: 0.6})
    assert dict(by["rejection_thinking_aime2024"]["rejection_sampling"]) == {64: 32, 128: 64}
    assert dict(by["rejection_tries_aime2024"]["rejection_sampling"]) == {64: 2, 128: 2}
    assert "budget_forcing" not in by["rejection_tries_aime2024"]


def test_appended_strings_with_their_paired_differences(records: Records) -> None:
    (sheet,) = Appended(None, 500).panels(records)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in sheet.text.splitlines()[4:]]
    assert [row[0] for row in rows] == ["no waiting", "2x nothing", '2x "Wait"']
    assert [row[3] for row in rows] == ["256", "512", "512"] and rows[0][2] == "-"
    values = [float(number >= 6) - float(number >= 8) for number in range(PROBLEMS)]
    expected = interval(values, 500)
    found = sheet.table.iloc[2][["difference", "difference_low", "difference_high"]]
    assert found.tolist() == pytest.approx([*expected])
    assert rows[2][2] == f"+20.0 [{100 * expected.low:+.1f}, {100 * expected.high:+.1f}]"
    with pytest.raises(RecordsError, match="waits at thinking=64: with them at 256, without at 64, 128, 256"):
        Appended(64, 500).panels(records)


def test_policies_against_the_first_that_is_named(tmp_path: Path) -> None:
    for name, count in (("s1k_random", 4), ("s1k_full", 7), ("s1k_longest", 6)):
        run(tmp_path / name, "budget_forcing", forcing(64), solved(count, 60), policy=name)
        run(tmp_path / f"{name}_waits", "budget_forcing", forcing(64, 2), solved(9, 64), policy=name)
    (sheet,) = ABLATION.panels(load(tmp_path))
    table = sheet.table.set_index("policy")
    assert list(table.index) == ["full", "random"] and table.loc["random", "difference"] == pytest.approx(-0.3)
    assert "| Policy | Accuracy (%) |" in sheet.text and " minus full |" in sheet.text
    (sheet,) = replace(ABLATION, policies=None).panels(load(tmp_path))
    assert list(sheet.table["policy"]) == ["s1k_full", "s1k_longest", "s1k_random"]
    with pytest.raises(RecordsError, match="3 policies have 's1k' in their names; there are"):
        replace(ABLATION, policies=["s1k"]).panels(load(tmp_path))
    with pytest.raises(RecordsError, match="no budget of budget_forcing that all policies have"):
        replace(ABLATION, thinking=128).panels(load(tmp_path))


def test_sequential_beside_parallel(records: Records, tmp_path: Path) -> None:
    """x is what a whole search thinks: of n forced thinkings n times as much."""
    run(tmp_path / "m", "best_of_n", {}, solved(5, 100, 4), n=4, dataset="aime2024")
    run(tmp_path / "v", "budget_forcing", forcing(64), solved(3, 64, 4), n=4, dataset="aime2024")
    for n in (2, 4):
        fields = {"temperature": 0.2}
        run(tmp_path / f"b{n}", "rebase", fields, solved(6, 80, n), n=n, dataset="aime2024", prm="other")
    (panel,) = replace(SEQUENTIAL, text="Wait").panels(load(tmp_path))
    lines = {name: dict(zip(rows["thinking"], rows["accuracy"], strict=True))
             for name, rows in panel.table.groupby("method")}  # fmt: skip
    assert lines == {
        "budget_forcing": pytest.approx({64: 0.3, 128: 0.4, 256: 0.6, 512: 0.8}),
        "budget_forcing/majority (n=4)": {256: 0.3},
        "majority": {100: 0.5, 200: 0.5, 400: 0.5},
        "rebase": {160: 0.6, 320: 0.6},
    }
    (sheet,) = SequentialDifferences(replace(SEQUENTIAL, text="Wait"), "majority: 4").panels(load(tmp_path))
    found = sheet.table.set_index("evaluation")
    assert found.loc["majority: 4", ["difference", "difference_low", "difference_high"]].tolist() == [0, 0, 0]
    assert found.loc["rebase: n=4", "difference"] == pytest.approx(0.1)
    assert found.loc["rebase: n=4", "difference_low"] == 0.0  # paired: it solves what the vote solves, and one more
    assert "minus majority: 4" in sheet.text
    with pytest.raises(RecordsError, match="no evaluation 'majority: 8' on aime2024; there are budget_forcing"):
        SequentialDifferences(SEQUENTIAL, "majority: 8").panels(load(tmp_path))


def test_what_is_missing_is_said(records: Records, tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="on aime2024 there is nothing parallel: no n > 1, no best_of_n"):
        SEQUENTIAL.panels(records)
    with pytest.raises(RecordsError, match="all runs of budget_forcing are of one policy"):
        ABLATION.panels(records)
    write(tmp_path / "other/bon", simulated(3, 2), n=2)
    other = load(tmp_path / "other")
    for figure in (SEQUENTIAL, ABLATION, Appended(None, 500), CONTROL, THINKING, Rejection(500)):
        with pytest.raises(RecordsError, match=r"no run of .*; there are runs of best_of_n") as caught:
            figure.panels(other)
        assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("figure", [THINKING, Rejection(500), CONTROL, Appended(None, 500)])
def test_outputs_are_saved(records: Records, tmp_path: Path, figure: Any) -> None:
    for output in figure.panels(records):
        files = output.save(tmp_path / "out", ["png"])
        assert [file.suffix for file in files] == ([".png", ".csv"] if isinstance(output, Panel) else [".md", ".csv"])
        assert all(file.stat().st_size for file in files)
