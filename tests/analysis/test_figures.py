"""Files are written, and say what the estimators say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import evaluate, figures, style, table
from analysis.__main__ import main
from analysis.load import RecordsError, load
from tests.analysis.runs import Made, problem, simulated, write

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    root = tmp_path / "sweep"
    for seed in (0, 1):
        write(root / f"bon{seed}", simulated(20, 16, seed), n=16, seed=seed)
        write(root / f"dvts{seed}", simulated(20, 16, 9 + seed, width=4), strategy="dvts", n=16, seed=seed, width=4)
        for n in (4, 16):
            made = simulated(20, n, 7 + seed)
            write(root / f"beam{n}-{seed}", made, strategy="beam_search", n=n, seed=seed, width=4)
    write(root / "greedy", simulated(20, 1, 5), strategy="greedy", n=16)
    return root


def test_the_figure_of_a_run_lies_in_its_folder_with_its_numbers(sweep: Path) -> None:
    path = figures.accuracy_vs_n(sweep / "bon0")
    assert path == sweep / "bon0" / "accuracy.png"
    assert path.read_bytes().startswith(PNG)
    assert path.stat().st_size > 10_000
    written = pd.read_csv(path.with_suffix(".csv"))
    expected = evaluate.summary(figures.single(load(sweep / "bon0")))
    assert written["accuracy"].tolist() == pytest.approx(expected["accuracy"].tolist())
    assert written["low"].tolist() == pytest.approx(expected["low"].tolist())
    assert set(written["method"]) == {"majority", "best", "weighted", "pass"}
    assert sorted(written["n"].unique()) == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("run", "at"), [("dvts0", [4, 8, 16]), ("beam16-0", [16]), ("greedy", [1])])
def test_a_run_is_drawn_at_the_n_it_holds(sweep: Path, run: str, at: list[int]) -> None:
    written = pd.read_csv(figures.accuracy_vs_n(sweep / run).with_suffix(".csv"))
    assert sorted(written["n"].unique()) == at


def test_comparison_against_n_tokens_and_flops(sweep: Path, tmp_path: Path) -> None:
    files = figures.compare(sweep, tmp_path / "out")
    assert [file.name for file in files] == ["accuracy_vs_n.png", "accuracy_vs_tokens.png", "accuracy_vs_flops.png"]
    assert all(file.read_bytes().startswith(PNG) for file in files)
    written = pd.read_csv(files[0].with_suffix(".csv")).set_index(["method", "n"])
    assert set(written.index.get_level_values("method")) == {
        "greedy", "majority", "best", "weighted", "beam_search", "dvts",
    }  # fmt: skip
    assert written.loc[("weighted", 16), "accuracy"] == pytest.approx(
        load(sweep).problems.query("run in ('bon0', 'bon1')")["correct"].astype(float).mean()
    )
    assert written.loc[("weighted", 16), "seeds"] == 2
    assert written.loc[("greedy", 1), "tokens"] == 10


def test_a_subset_is_charged_its_share_and_majority_no_prm(sweep: Path) -> None:
    found = evaluate.summary(evaluate.evaluate(load(sweep))).set_index(["method", "n"])
    assert found.loc[("weighted", 4), "tokens"] == pytest.approx(40)
    assert found.loc[("weighted", 4), "flops"] == pytest.approx(6000)
    assert found.loc[("majority", 4), "flops"] == pytest.approx(4000)
    assert found.loc[("weighted", 1), "flops"] == found.loc[("majority", 1), "flops"] == pytest.approx(1000)
    assert found.loc[("greedy", 1), "flops"] == pytest.approx(1000)
    assert found.loc[("beam_search", 4), "flops"] == pytest.approx(6000)
    assert found.loc[("weighted", 4), "derived"]
    assert not found.loc[("beam_search", 4), "derived"]


def test_records_without_ledgers_are_drawn_against_n_alone(tmp_path: Path) -> None:
    made = [record | {"ledger": {}} for record in simulated(4, 4)]
    write(tmp_path / "run", made, n=4)
    assert [file.name for file in figures.compare(tmp_path, tmp_path)] == ["accuracy_vs_n.png"]


def test_a_smaller_run_of_the_same_seed_adds_nothing(sweep: Path) -> None:
    before = evaluate.summary(evaluate.evaluate(load(sweep)))
    write(sweep / "small", simulated(20, 4, 3), n=4, seed=0)
    write(sweep / "copy", simulated(20, 4, 7), strategy="beam_search", n=4, seed=0, width=4)
    pd.testing.assert_frame_equal(before, evaluate.summary(evaluate.evaluate(load(sweep))))


def test_two_settings_of_one_method_are_two_methods(sweep: Path) -> None:
    write(sweep / "wide", simulated(20, 16, 3), strategy="beam_search", n=16, width=8)
    methods = set(evaluate.evaluate(load(sweep))["method"])
    assert {"beam_search (width=4)", "beam_search (width=8)"} <= methods


def test_a_search_with_another_selection_is_a_method_of_its_own(sweep: Path) -> None:
    write(sweep / "voted", simulated(20, 16, 3), strategy="beam_search", n=16, width=4, selection="majority")
    assert "beam_search/majority" in set(evaluate.evaluate(load(sweep))["method"])
    assert style.look("beam_search/majority").label == "Beam search (majority)"
    assert style.look("beam_search/majority").colour == style.look("beam_search").colour


def test_different_policies_are_not_compared(sweep: Path) -> None:
    write(sweep / "zz", simulated(20, 4), n=4, policy="large")
    with pytest.raises(RecordsError, match=r"different policy .* beam16-0 has tiny, zz has large"):
        evaluate.evaluate(load(sweep))


def test_comparisons_are_over_common_problems(sweep: Path, tmp_path: Path) -> None:
    write(sweep / "look", simulated(5, 4), strategy="lookahead", n=4, width=4)
    with pytest.warns(UserWarning, match="compared on the 5 of 20 problems"):
        assert set(evaluate.summary(evaluate.evaluate(load(sweep)))["n_problems"]) == {5}
    write(sweep / "look", [problem("other", [Made(0, 0.5)], True)], strategy="lookahead", n=4, width=4)
    with pytest.raises(RecordsError, match="no problem in common"):
        evaluate.evaluate(load(sweep))


def test_a_run_in_progress_is_left_out_of_comparisons(sweep: Path) -> None:
    write(sweep / "look", simulated(5, 4), strategy="lookahead", n=4, width=4, finished=False)
    with pytest.warns(UserWarning, match="left out: look"):
        assert "lookahead" not in set(evaluate.evaluate(load(sweep))["method"])


def test_no_reference_no_figure(tmp_path: Path) -> None:
    run = write(tmp_path, [problem("a", [Made(0, 0.5)], None)], n=1)
    with pytest.raises(RecordsError, match="no problem has a known reference"):
        figures.accuracy_vs_n(run)


def test_one_problem_is_drawn_without_interval(tmp_path: Path) -> None:
    run = write(tmp_path, [problem("a", [Made(0, 0.5, True), Made(1, 0.4)], True)], n=2)
    assert figures.accuracy_vs_n(run).exists()


def test_looks_are_fixed_and_distinct() -> None:
    assert len({look.colour for look in style.LOOKS.values()}) == len(style.LOOKS)
    assert len({look.marker for look in style.LOOKS.values()}) == len(style.LOOKS)
    assert style.look("my_search") == style.look("my_search")
    assert style.look("my_search").label == "My search"


def test_the_table_has_a_row_per_method_and_a_column_per_n(sweep: Path) -> None:
    text = table.markdown(sweep, (1, 4, 16))
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[2:8]] == [
        "Greedy", "Majority", "Best-of-N", "Weighted best-of-N", "Beam search", "DVTS",
    ]  # fmt: skip
    found = evaluate.summary(evaluate.evaluate(load(sweep))).set_index(["method", "n"]).loc[("dvts", 16)]
    assert f"{100 * found['accuracy']:.1f} ± {50 * (found['high'] - found['low']):.1f} |" in rows[7]
    assert f"({100 * found['low']:.1f}-" in table.markdown(sweep, (16,), ends=True)
    assert "160 |" in text


def test_command_line(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", str(sweep), "--n", "4,16"]) == 0
    assert "| N = 4 |" in capsys.readouterr().out.replace("  ", "").replace("|N", "| N")
    assert main(["table", str(sweep), "--out", str(tmp_path / "new" / "table.md")]) == 0
    assert (tmp_path / "new" / "table.md").read_text().startswith("Accuracy (%)")
    assert main(["run", str(sweep / "dvts0")]) == 0
    assert capsys.readouterr().out.endswith("accuracy.png\n")
    assert main(["figure", str(sweep), "--out", str(tmp_path / "figures")]) == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["table", "absent"], "no such file"),
        (["run", "SWEEP"], "9 runs, where"),
        (["table", "SWEEP", "--n", "3"], "no run has an N"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    sweep: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([argument.replace("SWEEP", str(sweep)) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_analysis_imports_neither_the_framework_nor_torch() -> None:
    import subprocess
    import sys

    code = "import sys, analysis.__main__; print([m for m in ('ttcs', 'torch', 'hydra') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
