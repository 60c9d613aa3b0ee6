"""What was served is on record as a run is, before it is answered, and can be looked into."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import ttcs
from analysis.runs.load import load
from analysis.view import served
from analysis.view.__main__ import view
from tests.serve.running import running
from tests.serve.test_service import Held
from ttcs import replay
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.records.record_file import LineFile
from ttcs.records.stored import Stored
from ttcs.running.contents import Contents
from ttcs.running.questions import questions
from ttcs.serve.records import Records
from ttcs.serve.settings import Settings

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

METHODS = {"vote 8": ["strategy=best_of_n", "selection=weighted", "n=8"], "dvts-8": ["strategy=dvts", "n=8"]}
SETTINGS = Settings("127.0.0.1", 0, None, 64, 64, 2000, 0.05, 10, METHODS, None, 5)
QUESTION = "What is $1$ and $1$?"


@pytest.fixture(scope="module")
def solver() -> Iterator[ttcs.Solver]:
    held = f"policy._target_={Held.__module__}.Held"  # keeps a question with `hold` in it
    with ttcs.solver(held, "policy=scripted", "policy.accuracy=[0.7,0.7,0.7,0.7,0.7]", "prm=scripted") as made:
        yield made


@pytest.fixture
def serve(solver: ttcs.Solver, tmp_path: Path) -> Callable[..., Any]:
    """A context with the address of a service that keeps its records in `kept`."""
    from ttcs.serve.app import app

    class Serving:
        def __init__(self, key: str | None = None) -> None:
            self.records = Records(tmp_path / "kept", solver, METHODS)
            self._service = running(app(solver, SETTINGS, key, self.records, served.page))

        def __enter__(self) -> str:
            return self._service.__enter__()

        def __exit__(self, *reason: Any) -> None:
            self._service.__exit__(*reason)
            self.records.__exit__()

    return Serving


def ask(address: str, question: str = QUESTION, model: str = "vote 8", **more: Any) -> dict[str, Any]:
    messages = [*more.pop("before", []), {"role": "user", "content": question}]
    body = json.dumps({"model": model, "messages": messages, **more}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{address}/v1/chat/completions", body, headers), timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def looked(address: str, **headers: str) -> str:
    with urlopen(Request(f"{address}/", headers=headers), timeout=60) as answer:
        text: str = answer.read().decode()
        return text


def runs(kept: Path) -> list[Stored]:
    return [Stored.of(file.parent) for file in kept.glob("*/records.jsonl")]


def only(kept: Path) -> Path:
    """The folder of the one run."""
    (run,) = runs(kept)
    return run.folder


def test_it_is_a_run(serve: Any, solver: ttcs.Solver, tmp_path: Path) -> None:
    with serve() as address:
        told = ask(address, seed=3)
        folder = only(tmp_path / "kept")
        assert Stored.of(folder).setting is not None  # while it serves
    run = Stored.of(folder)
    (record,) = run.records()
    found = solver.solve(QUESTION, *METHODS["vote 8"], seed=3)
    assert told["ttcs"]["record"] == record.problem_id == found.problem.id
    assert replace(record, run_seconds=0.0, ledger=found.ledger) == replace(found.record, run_seconds=0.0)
    assert record.ledger.decoded_tokens == told["usage"]["completion_tokens"]
    assert folder.name.startswith("vote-8-")
    assert {"config.yaml", "fingerprint.json", "versions.json", "summary.json"} < {
        file.name for file in folder.iterdir()
    }
    assert run.setting is not None and (run.setting.n, run.setting.strategy, run.setting.dataset) == (
        8, "best_of_n", "served"
    )  # fmt: skip
    assert questions(run).problems[record.problem_id] == Problem(record.problem_id, QUESTION)
    assert json.loads((folder / "summary.json").read_text())["ledger"]["decoded_tokens"] == record.ledger.decoded_tokens


def test_what_reads_runs_reads_it(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve() as address:
        for number in range(3):
            ask(address, f"What is {number} and 1?")
    replay.main([str(only(tmp_path / "kept")), "selection=majority", "n=2,8"])
    assert "not finished" not in capsys.readouterr().err
    records = load(tmp_path / "kept")
    assert (len(records.problems), len(records.candidates), *records.runs["strategy"]) == (3, 24, "best_of_n")
    moved = (tmp_path / "kept").rename(tmp_path / "moved")
    page = view([only(moved)], tmp_path / "search.html").read_text(encoding="utf-8")
    assert "What is 2 and 1?" in page


def test_asked_again_it_is_on_record_again(serve: Any, tmp_path: Path) -> None:
    with serve() as address:
        first, second, other = ask(address), ask(address, seed=7), ask(address, "What is 2 and 1?")
    with serve() as address:
        third = ask(address)
    names = [told["ttcs"]["record"] for told in (first, second, other, third)]
    assert names[1:2] + names[3:] == [f"{names[0]}-2", f"{names[0]}-3"]
    folder = only(tmp_path / "kept")
    assert [record.problem_id for record in Stored.of(folder).records()] == names
    lines = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    assert [line.get("seed") for line in lines] == [None, 7, None, None]
    assert [line["question"] for line in lines] == [QUESTION, QUESTION, "What is 2 and 1?", QUESTION]


def test_a_conversation_is_kept_with_its_question(serve: Any, tmp_path: Path) -> None:
    before = [{"role": "system", "content": "Be brief."}]
    with serve() as address:
        ask(address, before=before)
    (line,) = (only(tmp_path / "kept") / "questions.jsonl").read_text().splitlines()
    assert json.loads(line)["before"] == before and json.loads(line)["question"] == QUESTION


def test_what_a_request_changes_is_another_run(serve: Any, tmp_path: Path) -> None:
    def way(run: Stored) -> tuple[Any, ...]:
        method, policy = run.folder.name.rpartition("-")[0], run.config["policy"]
        seconds = run.config.get("deadline", {}).get("seconds")
        return method, run.config["strategy"]["n"], policy.get("temperature"), policy["max_tokens"], seconds

    with serve() as address:
        for more in ({}, {"ttcs": {"n": 8}}, {"ttcs": {"n": 4}}, {"temperature": 0.5}, {"max_tokens": 5}, {"seed": 5}):
            ask(address, **more)
        ask(address, model="dvts-8")
        ask(address, ttcs={"seconds": 60})
        late = ask(address, "hold", ttcs={"seconds": 0.3})
    assert late["ttcs"]["late"]
    told = {way(run): len(list(run.records())) for run in runs(tmp_path / "kept")}
    most = 2048
    assert told == {
        ("vote-8", 8, None, most, None): 4,
        ("vote-8", 4, None, most, None): 1,
        ("vote-8", 8, 0.5, most, None): 1,
        ("vote-8", 8, None, 5, None): 1,
        ("dvts-8", 8, None, most, None): 1,
        ("vote-8", 8, None, most, 0.3): 1,
    }


def test_other_weights_at_the_same_place_are_another_run(solver: ttcs.Solver, tmp_path: Path) -> None:
    from ttcs.running.contents import Place
    from ttcs.running.described import Described

    made = Described.of(solver.composed(), {})
    other = made.made_with(Contents({"policy.model": Place("model", {"model.safetensors": "ab"})}, {}))
    assert made.digest != other.digest and made.digest == made.made_with(Contents({}, {})).digest


def test_it_is_on_record_before_it_is_answered(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    free, keep, answers = threading.Event(), Records.keep, []

    def slow(*given: Any) -> Any:
        assert free.wait(60)
        return keep(*given)

    monkeypatch.setattr(Records, "keep", slow)
    with serve() as address:
        client = threading.Thread(target=lambda: answers.append(ask(address)))
        client.start()
        client.join(1.0)
        assert client.is_alive() and not answers
        free.set()
        client.join(60)
    assert len(answers) == 1


def test_what_cannot_be_kept_is_not_answered(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: LineFile, line: str) -> None:
        raise UserError(f"cannot write {self.path}: No space left on device")

    with serve() as address:
        with monkeypatch.context() as patched, pytest.raises(HTTPError) as told:
            patched.setattr(LineFile, "write", full)
            ask(address)
        assert told.value.code == 503 and str(tmp_path) not in told.value.read().decode()
        assert "No space left" in capsys.readouterr().err
        assert ask(address)["choices"]


def test_two_services_do_not_keep_records_in_one_folder(serve: Any, solver: ttcs.Solver, tmp_path: Path) -> None:
    with serve(), pytest.raises(UserError, match="another process is writing"):
        Records(tmp_path / "kept", solver, METHODS)


def test_more_folders_than_are_open(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttcs.serve.records.OPEN", 2)
    with serve() as address:
        for number in (1, 2, 3, 4, 1, 2):
            ask(address, ttcs={"n": number})
    assert sorted(len(list(run.records())) for run in runs(tmp_path / "kept")) == [1, 1, 2, 2]


def test_the_window_shows_the_newest_first(serve: Any, tmp_path: Path) -> None:
    with serve() as address:
        assert "Nothing has been served yet" in looked(address)
        names = [ask(address, f"What is {number} and <1>?")["ttcs"]["record"] for number in range(7)]
        ask(address, model="dvts-8")
        text = looked(address)
    index = json.loads(text.partition('id="index">')[2].partition("</script>")[0])
    shown = [problem["id"] for problem in index["problems"] if problem["runs"][1]]
    assert shown == names[:1:-1]  # five of them
    assert [run["title"] for run in index["runs"]] == ["dvts, n = 8, weighted", "best_of_n, n = 8, weighted"]
    assert {problem["id"]: problem["question"] for problem in index["problems"]}[names[6]] == "What is 6 and <1>?"
    assert "<1>" not in text and index["notes"] == []


def test_a_torn_line_hides_nothing(serve: Any, tmp_path: Path) -> None:
    with serve() as address:
        ask(address)
        folder = only(tmp_path / "kept")
        for name in ("records.jsonl", "questions.jsonl"):
            with (folder / name).open("a") as file:
                file.write('{"id": "quest')
        (tmp_path / "kept" / "torn").mkdir()
        (tmp_path / "kept" / "torn" / "records.jsonl").write_text("{")
        assert QUESTION in looked(address)
    with serve() as address:
        told = ask(address)
    assert [record.problem_id for record in Stored.of(folder).records()][1] == told["ttcs"]["record"]


def test_who_looks_has_the_key(serve: Any) -> None:
    with serve("secret") as address:
        with pytest.raises(HTTPError) as told:
            looked(address)
        assert told.value.code == 401 and told.value.headers["WWW-Authenticate"] == 'Basic realm="ttcs"'
        basic = base64.b64encode(b"anybody:secret").decode()
        assert "vote 8" in looked(address, Authorization=f"Basic {basic}")
        with pytest.raises(HTTPError, match="401"):
            looked(address, Authorization="Basic !")
        models = Request(f"{address}/v1/models", headers={"Authorization": f"Basic {basic}"})
        with pytest.raises(HTTPError, match="401"):  # else any page could have a browser ask
            urlopen(models, timeout=30)


def test_without_records_a_page_says_what_is_served(solver: ttcs.Solver) -> None:
    from ttcs.serve.app import app

    with running(app(solver, SETTINGS, None)) as address:
        text = looked(address)
    assert "<dt>vote 8</dt><dd><code>strategy=best_of_n selection=weighted n=8</code></dd>" in text
    assert "serve.records=FOLDER" in text
