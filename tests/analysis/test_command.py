"""`python -m analysis`: what a person types, what is written, and the one line that answers a mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analysis import __main__ as command
from tests.analysis.folders import simulated, write
from tests.typed import Main, typed
from ttcs.config.options import CONF


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """Exit code, stdout and stderr of `python -m analysis` with these arguments, in this process and folder."""
    monkeypatch.chdir(tmp_path)
    return typed("analysis", command.main, monkeypatch, capsys)


def test_pictures_and_their_numbers_are_written_and_named(main: Main, sweep: Path) -> None:
    code, out, err = main("figure=accuracy", "records=sweep", "out=new/figures", "figure.against=[n,seconds]")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"new/figures/accuracy_vs_{axis}.{end}" for axis in ("n", "seconds") for end in ("png", "pdf", "csv")
    ]
    assert Path("new/figures/accuracy_vs_n.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert Path("new/figures/accuracy_vs_n.pdf").read_bytes().startswith(b"%PDF")
    assert not Path("outputs").exists()


def test_a_table_is_shown_and_written(main: Main, sweep: Path) -> None:
    code, out, _ = main("figure=table", "records=sweep", "figure.at=[4,16]")
    assert code == 0
    assert "Majority" in out and "N = 4 |" in out
    assert out.endswith("figures/table.md\nfigures/table.csv\n")
    assert Path("figures/table.md").read_text(encoding="utf-8") in out


def test_which_rule_to_stop_by(main: Main, sweep: Path) -> None:
    code, out, err = main("figure=frontier", "records=sweep/bon0", "figure.orders=2", "formats=png")
    assert (code, err) == (0, "")
    assert "figures/frontier.png\n" in out and out.endswith("figures/frontier_tokens.md\nfigures/frontier_tokens.csv\n")
    lines = Path("figures/frontier_tokens.md").read_text(encoding="utf-8").splitlines()
    (full,) = ([cell.strip() for cell in line.split("|")] for line in lines if line.startswith("| Fixed n "))
    assert full[2] == "16" and full[5] == "16.0"


def test_runs_of_several_folders(main: Main, sweep: Path) -> None:
    code, _, err = main("figure=accuracy", "records=[sweep/bon0,sweep/bon1,sweep/bon0]", "figure.against=[n]")
    assert (code, err) == (0, "")
    assert ",2," in Path("figures/accuracy_vs_n.csv").read_text().splitlines()[1]  # two seeds, none of them twice


def test_the_default_is_all_that_is_possible_and_says_what_is_missing(main: Main, sweep: Path) -> None:
    code, out, err = main("records=sweep", "formats=png")
    assert code == 0
    for name in ("accuracy_vs_n.png", "levels_annotated.png", "reductions_vs_n.png", "table.md", "differences.md"):
        assert f"figures/{name}\n" in out
    assert "warning: no figure=lookahead: no run of lookahead; there are greedy, majority, best" in err
    assert "warning: no figure=verifiers: all runs have one PRM (tiny): runs with another are missing" in err
    assert ".pdf" not in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["figure=acuracy"], "figure has no option acuracy (nearest: accuracy"),
        (["figure=table", "recods=sweep"], "there is no key recods (nearest: records)"),
        (["figure=table", "figure.att=[4]"], "there is no key figure.att (nearest: figure.at,"),
        (["figure=table", "at=[4]"], "there is no key at (nearest: figure.at"),
        (["figure=table", "records=absent"], "absent: no such file or folder"),
        (["figure=table", "records=[sweep,absent]"], "absent: no such file or folder"),
        (["figure=table", "records=empty"], "empty: no records (looked for records.jsonl here and in every folder"),
        (["figure=table", "records=null"], "records=None is not a list of words"),
        (["figure=table", "figure.at=[3]"], "no run has an N of 3; there are 1, 2, 4, 8, 16"),
        (["figure=curve"], "9 runs, where the folder of one was expected"),
        (["figure=accuracy", "figure.against=[joules]"], "against=joules: the axes are n, tokens, flops, seconds"),
        (["figure=accuracy", "formats=[gif]"], "formats=gif: there are png, pdf, svg"),
        (["figure=table", "out=file"], "cannot make the folder file: file is there and is no folder"),
        (["figure=lookahead"], "no run of lookahead"),
        (["figure=frontier", "figure.orders=0"], "figure.orders=0 is not a whole number of at least 1"),
        (["figure=frontier", "figure.n=99"], "n=99 is not one of 1 to 16, the samples of the largest run"),
        (["figure=frontier", "records=sweep/greedy"], "no finished run of best_of_n"),
        (["figure=levels", "figure.bins=0"], "figure.bins=0 is not a whole number of at least 1"),
        (["figure=table", "figure.at=[4,0]"], "figure.at=[4, 0] is not a whole number of at least 1"),
        (["figure=thinking", "figure.resamples=-1"], "figure.resamples=-1 is not a whole number of at least 1"),
        (["records=${oc.env:NOPE}"], "Environment variable 'NOPE' not found"),
        (["out=a, b"], """if it is one text, quote it: 'out="a, b"'"""),
        (["--resolve"], "--resolve goes with --cfg"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(main: Main, sweep: Path, arguments: list[str], line: str) -> None:
    Path("empty").mkdir()
    Path("file").touch()
    code, out, err = main("records=sweep", *arguments)
    assert err.startswith("error: ") and err.count("\n") == 1
    assert line in err
    assert (code, out) == (2, "")
    assert not Path("figures").exists()


def test_warnings_come_before_the_error_and_once(main: Main, sweep: Path) -> None:
    write(sweep / "new", [], n=3)
    code, _, err = main("records=sweep", "figure=lookahead")
    assert code == 2
    assert err.splitlines()[0].startswith("warning: sweep/new/records.jsonl: no records yet")
    assert err.splitlines()[1].startswith("error: no run of lookahead")


def test_problems_that_no_two_runs_share(main: Main, sweep: Path) -> None:
    other = [record | {"problem_id": f"q{i}"} for i, record in enumerate(simulated(20, 4))]
    write(sweep / "other", other, strategy="lookahead", n=4, width=4)
    code, _, err = main("records=sweep", "figure=accuracy")
    assert code == 2
    assert "error: none of the 40 problems is in all runs, so their accuracies cannot be compared" in err


def test_help_lists_every_figure_with_what_it_is(main: Main) -> None:
    code, out, err = main("--help")
    assert (code, err) == (0, "")
    assert "python -m analysis figure=accuracy records=outputs" in out
    for file in sorted((CONF / "figure").glob("*.yaml")):
        assert f" {file.stem} " in out
    assert "Snell et al., 2024, fig. 13" in out


def test_neither_torch_nor_transformers_is_imported() -> None:
    code = "import sys, analysis.__main__, analysis.figures.curve, analysis.figures.levels"
    heavy = "print([name for name in ('torch', 'transformers', 'vllm', 'datasets') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", f"{code}; {heavy}"], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
