"""What a person types, and the one line that answers a mistake."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny
from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs.config import components
from ttcs.config.command import arguments

BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "n=4"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """Exit code, stdout and stderr of `python -m ttcs` with these arguments, in this process."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    Path("p.jsonl").write_text("".join(json.dumps({"id": i, "question": "?", "answer": i}) + "\n" for i in range(3)))

    return typed("ttcs", command.main, monkeypatch, capsys)


MODELS = ["dataset=jsonl", "dataset.path=p.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["policy.batch_size=0"], "policy.batch_size=0 is not a whole number of at least 1"),
        (["prm.batch_size=0"], "prm.batch_size=0 is not a whole number of at least 1"),
        (
            ["prm/engine=vllm", "prm.gpu_memory_utilization=1.5"],
            "prm.gpu_memory_utilization=1.5 is not a number of mor",
        ),
        (["policy.temperature=-1"], "policy.temperature=-1 is not a number of at least 0"),
        (["policy.temperature=nan"], "policy.temperature=nan is not a number of at least 0"),
        (["policy.top_p=0"], "policy.top_p=0 is not a number of more than 0 and at most 1"),
        (["policy.top_p=2"], "policy.top_p=2 is not a number of more than 0 and at most 1"),
        (["policy.max_tokens=1e30"], "policy.max_tokens=1e+30 is not a whole number of at least 1"),
        (["policy.cache_gb=null"], "policy.cache_gb=None is not a number of at least 0"),
        (["policy/engine=server", "policy.timeout=0"], "policy.timeout=0 is not a number of more than 0"),
        (["policy/engine=server", "policy.retries=-1"], "policy.retries=-1 is not a whole number of at least 0"),
    ],
)
def test_a_number_of_a_model_is_refused_before_it_is_loaded(
    main: Main, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    def loaded(*_: object) -> None:
        raise AssertionError("a model is loaded")

    monkeypatch.setattr("ttcs.running.session.share", loaded)
    code, out, err = main(*MODELS, *arguments)
    assert (code, out, err.startswith(f"error: {line}"), err.count("\n")) == (2, "", True, 1)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["strategy=best_of"],
            "strategy has no option best_of (nearest: best_of_n, budget_forcing, deepconf); it has adaptive_dvts",
        ),
        (["strategy=best_of,dvts", "-m"], "strategy has no option best_of (nearest: best_of_n,"),
        (["stategy=dvts"], "there is no key stategy (nearest: strategy)"),
        (["strategy=dvts", "width=8"], "there is no key width (nearest: strategy.width)"),
        (["strategy=dvts", "strategy.widht=8"], "there is no key strategy.widht (nearest: strategy.width"),
        (["strategy=dvts", "strategy.widht=2,4", "-m"], "there is no key strategy.widht (nearest: strategy.width"),
        (["hydra.run.dri=x"], "there is no key hydra.run.dri (nearest: hydra.run.dir"),
        (["+strategy.width=4"], "strategy.width does not exist; BestOfN has n"),
        (["n=abc"], "n=abc is not a whole number of at least 1"),
        (["n=0"], "n=0 is not a whole number of at least 1"),
        (["n=1" + "0" * 400], "n is a number beyond 9223372036854775807, which none may be"),
        (["strategy=beam_search", "strategy.width=9223372036854775808"], "strategy.width is a number beyond"),
        (["n=-1"], "n=-1 is not a whole number of at least 1"),
        (["open=0"], "open=0 is not a whole number of at least 1"),
        (["n=1.5"], "n=1.5 is not a whole number of at least 1"),
        (["seed=null"], "seed=None is not a whole number of at least 0"),
        (["strategy=dvts", "n=10"], "n=10 is not a multiple of width=4"),
        (["strategy=best_of_n,dvts", "n=4,10", "-m"], "n=10 is not a multiple of width=4"),
        (["strategy=dvts", "strategy.width=x"], "strategy.width=x is not a whole number"),
        (["prm.quality=high"], "prm.quality=high is not a number"),
        (["policy.accuracy=0.5"], "policy.accuracy=0.5 is not a list"),
        (["n=4,16"], "n=4,16 has several values: add -m to sweep over them"),
        (["n"], "n is not of the form key=value"),
        (["dataset.path=a/n=4"], "stand in quotes, inside those of the shell: 'dataset.path=\"a/n=4\"'"),
        ([r"policy.system_prompt=Use \boxed{}."], r"""of the shell: 'policy.system_prompt="Use \boxed{}."'"""),
        (
            ["policy.system_prompt=Think, please"],
            """if it is one text, quote it: 'policy.system_prompt="Think, please"'""",
        ),
        (["policy.system_prompt=One.\n{}"], """prompt=One.\\n{}: this value has to stand in quotes"""),
        (
            [r"policy.system_prompt=One.\nTwo."],
            r"""two characters; with a line break it is $'policy.system_prompt="One.""",
        ),
        (["n=${m}"], "n=${m}: Interpolation key 'm' not found"),
        (["n=${oc.env:NOPE}"], "n=${oc.env:NOPE}: Environment variable 'NOPE' not found"),
        (["policy.seed=${oc.env:NOPE}"], "policy.seed: Environment variable 'NOPE' not found"),
        (["policy.seed=${policy.seed}"], "policy.seed: Recursive interpolation detected"),
        (["n=${nope:3}"], "Unsupported interpolation type nope"),
        (["n=${oc.env:NOPE},2", "-m"], "Environment variable 'NOPE' not found"),
        (["hydra.run.dir=${oc.env:NOPE}"], "hydra.run.dir: Environment variable 'NOPE' not found"),
        (
            ["policy/prompt=steps"],
            "has no policy/prompt to replace: a group that it does not choose from is added with +po",
        ),
        (["policy/prompt=steps", "nokey=1"], "+policy/prompt=steps"),
        (["policy/prompt=step"], "policy/prompt has no option step (nearest: steps); it has boxed, steps"),
        (["strategy=null"], "strategy=null: the option of a group is its name"),
        (["strategy=[dvts,nope]"], "Could not load 'strategy/nope'"),
        (["~policy"], "policy=None is not one of its options, and there is no doing without"),
        (["~n"], "n=None is not a whole number of at least 1"),
        (["--resolve"], "--resolve goes with --cfg"),
        (["--cfg"], "argument --cfg/-c: expected one argument"),
        (["-c", "jobs"], "invalid choice: 'jobs'"),
        (["--cfg", "job", "--resolve", "policy.seed=${oc.env:NOPE}"], "Environment variable 'NOPE' not found"),
        (["--package", "policy"], "--package goes with --cfg"),
        (["--info", "nothing"], "argument --info/-i: invalid choice: 'nothing'"),
        (["--run", "-m"], "--run and -m do not go together"),
        (["--cfg", "job", "-m"], "-m and --cfg do not go together"),
        (["--shell-completion"], "Expecting one subcommand"),
        (["--experimental-rerun", "x.pickle"], "--experimental-rerun x.pickle: there is no such file"),
        (["policy.capacity=0"], "policy.capacity=0 is not a whole number of at least 1"),
        (["prm.capacity=-1"], "prm.capacity=-1 is not a whole number of at least 1"),
        (["prm.quality=nan"], "prm.quality=nan is not a number of at least 0 and at most 1"),
        (["seed=-1"], "seed=-1 is not a whole number of at least 0"),
        (["workers=0"], "workers=0 is not a whole number of at least 1"),
        (["n=1e30"], "n=1e+30 is not a whole number of at least 1"),
        (["strategy=revisions_sqrt", "n=0"], "n=0 is not a whole number of at least 1"),
        (["strategy=rebase", "strategy.balance=0"], "strategy.balance=0 is not a number of more than 0"),
        (["difficulty.bins=0"], "difficulty.bins=0 is not a whole number of at least 1"),
        (["budget=tokens", "budget.tokens=0"], "budget.tokens=0 is not a whole number of at least 1, nor null"),
        (["dataset.shards=0"], "dataset.shards=0 is not a whole number of at least 1"),
        (["policy.capacity=4,0", "-m"], "policy.capacity=0 is not a whole number of at least 1"),
        (["launcher=joblib", "launcher.n_jobs=-2", "-m"], "launcher.n_jobs=-2 is not a whole number of at least -1"),
        (["+span.best_of_n=3"], "span.best_of_n=3 is not the smallest and the largest n of a strategy, as in [4,64]"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["policy=custom"], "policy.model has no default: add policy.model=..."),
        (["dataset.path=nope.jsonl"], "dataset file nope.jsonl does not exist"),
        (["dataset.path=torn.jsonl"], "torn.jsonl:2: not JSON"),
        (["dataset.columns.answer=solution"], "p.jsonl:1: no column solution (there are: id, question, answer)"),
        (["policy.step_tokens=0"], "policy.step_tokens=0 is not a whole number of at least 1, nor null"),
        (["policy.step_tokens=-5"], "policy.step_tokens=-5 is not a whole number of at least 1, nor null"),
        (["dataset.limit=0"], "dataset.limit=0 is not a whole number of at least 1, nor null"),
        (["hydra.run.dir=x", "n=4,8", "-m"], "a sweep (-m) takes hydra.sweep.dir"),
    ],
)
def test_bad_input_gets_one_line(main: Main, arguments: list[str], line: str) -> None:
    Path("torn.jsonl").write_text('{"id": 1, "question": "?", "answer": 1}\n{"id": 2, "ques\n')
    code, out, err = main(*BASE, *arguments)
    assert err.startswith("error: ") and err.count("\n") == 1
    assert line in err
    assert (code, out) == (2, "")
    assert not any(path.stat().st_size for path in Path().rglob("records.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["policy=custom", "policy.model={m}"], "/model.safetensors is a git-lfs pointer"),
        (["prm=rlhflow", "prm.model={m}"], "/model.safetensors is a git-lfs pointer"),
        (["policy=zoo", "policy.device=gpu"], "device=gpu is not one of auto, cpu"),
        (["prm=zoo", "prm.device=cuda:99"], "device=cuda:99 is not one of auto, cpu"),
        (["policy=zoo", "policy.dtype=float99"], "dtype=float99 is not one of auto, float32, bfloat16, float16"),
    ],
)
def test_a_model_that_cannot_be_loaded_gets_one_line(
    main: Main, tmp_path: Path, arguments: list[str], line: str
) -> None:
    folder = shutil.copytree(tiny.folder(), tmp_path / "model")
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n")
    code, out, err = main(*BASE, "selection=best", *(argument.format(m=folder) for argument in arguments))
    assert err.startswith("error: ") and err.count("\n") == 1
    assert line in err
    assert (code, out) == (2, "")


def test_a_folder_of_another_configuration(main: Main) -> None:
    assert main(*BASE, "hydra.run.dir=out")[0] == 0
    records = Path("out/records.jsonl").read_bytes()
    code, _, err = main(*BASE, "hydra.run.dir=out", "n=8", "seed=1")
    assert code == 2
    assert err == (
        "error: out belongs to another configuration: n is 4 there and 8 here, seed is 0 there and 1 here, "
        "strategy.n is 4 there and 8 here; choose another hydra.run.dir\n"
    )
    assert Path("out/records.jsonl").read_bytes() == records


def test_a_dataset_that_changed_under_its_records(main: Main) -> None:
    assert main(*BASE, "hydra.run.dir=out")[0] == 0
    for question, line in ("?", "which must have changed"), ("another?", "other questions have the same ids (1)"):
        Path("p.jsonl").write_text(json.dumps({"id": 1, "question": question, "answer": 9}) + "\n")
        components.forget()
        code, _, err = main(*BASE, "hydra.run.dir=out")
        assert code == 2 and line in err and err.count("\n") == 1


def test_a_bug_keeps_its_traceback(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ttcs.running.runner.summarize", broken)
    with pytest.raises(ZeroDivisionError):
        main(*BASE)


def test_an_interrupt_says_how_to_go_on(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ttcs.running.runner.summarize", interrupted)
    assert main(*BASE)[::2] == (130, "interrupted: the same command goes on from here\n")
    monkeypatch.undo()


def test_problems_without_a_reference_are_counted_as_unknown(main: Main) -> None:
    rows = [{"id": i, "question": "?", "answer": answer, "level": 1} for i, answer in enumerate(["1", "", " "])]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, err = main(*BASE, "dataset.columns.level=level", "hydra.run.dir=out")
    assert (code, err) == (0, "")
    assert out.count("1 of 3 problems graded") == 2  # all of them, and those of level 1
    summary = json.loads(Path("out/summary.json").read_text())
    assert (summary["n_problems"], summary["n_graded"]) == (3, 1)
    assert summary["by_level"]["1"]["n_graded"] == 1


def test_half_a_character_in_a_question_is_told_and_the_run_goes_on(main: Main) -> None:
    half = {"id": "\ud83d", "question": "? \ud83d", "answer": "1 \ud83d"}
    Path("p.jsonl").write_text('{"id": 1, "question": "?", "answer": 1}\n' + json.dumps(half) + "\n")
    code, _, err = main(*BASE, "hydra.run.dir=out")
    line = "half a surrogate pair, which is no character, is read as U+FFFD, and so are others that follow"
    assert (code, err) == (0, f"warning: p.jsonl:2: {line}\n")
    lines = Path("out/records.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["problem_id"] for line in lines} == {"1", "\ufffd"}
    components.forget()
    assert main(*BASE, "hydra.run.dir=out")[0] == 0  # the same records are found again


@pytest.mark.parametrize("argument", ["hydra.run.dir=caf\udce9", "+extra=caf\udce9", "caf\udce9=1"])
def test_an_argument_that_is_not_utf_8(main: Main, argument: str) -> None:
    code, out, err = main(*BASE, argument)
    assert (code, out) == (2, "")
    assert err == "error: " + argument.replace("\udce9", r"\xe9") + " is not UTF-8 text\n"


def test_help_names_groups_options_and_examples(main: Main) -> None:
    code, out, _ = main("--help")
    assert code == 0
    assert re.search(r"^  \* best_of_n +n independent solutions\.", out, re.MULTILINE)
    assert "python -m ttcs strategy=dvts n=64" in out
    assert "temperature: 0.8" in out


def test_cfg_shows_the_job(main: Main) -> None:
    code, out, _ = main("--cfg", "job", "strategy=dvts", "n=64")
    assert code == 0 and "ttcs.strategies.dvts.DVTS" in out and "64" in out


def test_flags_stand_anywhere(main: Main) -> None:
    code, out, _ = main("--cfg", "job", *BASE, "--package", "policy", "policy.seed=7")
    assert code == 0 and "seed: 7" in out and "dataset" not in out
    assert arguments(["n=4", "-m", "seed=1", "--config-name", "x"]) == ["n=4", "seed=1", "-m", "--config-name", "x"]
    assert arguments(["n=4", "--info"]) == ["n=4", "--info"]
    assert arguments(["n=4", "--hydra-help"]) == ["--hydra-help"]
    code, _, err = main(*BASE, "--cfg", "job", "--package", "nothing")
    assert code == 2 and err.count("\n") == 1


def test_an_added_group_is_what_the_line_says_it_is(main: Main) -> None:
    code, out, _ = main("--cfg", "job", "--package", "policy", "policy=zoo", "+policy/prompt=boxed")
    assert code == 0 and "within \\boxed{}" in out


def test_a_sweep_of_one(main: Main) -> None:
    code, _, err = main(*BASE, "strategy=dvts", "n=8", "-m")
    assert (code, err) == (0, "")
    (summary,) = Path("outputs").rglob("summary.json")
    assert summary.parent.name.startswith("n=8_seed=0-")


def test_as_typed_from_any_directory(tmp_path: Path) -> None:
    """The real command: no torch for a scripted pair, nothing on stderr, the same folder the second time."""
    (tmp_path / "p.jsonl").write_text('{"id": 1, "question": "?", "answer": 1}\n')
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONPROFILEIMPORTTIME": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "ttcs", *BASE], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    lines = result.stderr.splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "hydra" in imported and not imported & {"torch", "transformers", "vllm"}
    assert [line for line in lines if not line.startswith("import time:")] == []
    assert (tmp_path / result.stdout.split()[-1]).is_file()  # the path of the plot is the last thing said
