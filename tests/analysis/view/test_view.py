"""Records become a page that holds all of them, as they are, and that nothing in them can break."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zlib import decompress

import pytest

from analysis.view import page as pages
from analysis.view.__main__ import main, view
from analysis.view.search import DIGITS, STOPS
from tests.analysis.view.runs import GOLDEN, HOSTILE, copied, hostile, records, wrong
from tests.typed import typed
from ttcs.config.components import forget

PAGE = Path(pages.__file__).parent / "page"


class Elements(HTMLParser):
    """What a browser finds: the texts of its scripts by their id, of its style, and its other tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[str] = []
        self.policy = self.style = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        known = dict(attrs)
        if known.get("http-equiv"):
            self.policy = known["content"] or ""
        self._inside = (known.get("id") or "main") if tag == "script" else "style" if tag == "style" else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.style += data
        elif self._inside:
            self.scripts[self._inside] = self.scripts.get(self._inside, "") + data

    @property
    def index(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.scripts["index"])
        return found

    def search(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(decompress(b64decode(self.scripts[name])))
        return found


@pytest.fixture(autouse=True)
def nothing_is_shared() -> None:
    """Problem sets are kept by the path they are given, which another test has somewhere else."""
    forget()


@pytest.fixture
def shown(tmp_path: Path) -> Callable[..., Elements]:
    def call(*folders: Path) -> Elements:
        return Elements(view(folders, tmp_path / "made" / "search.html").read_text(encoding="utf-8"))

    return call


Shown = Callable[..., Elements]


def test_every_search_is_there_as_recorded(shown: Shown) -> None:
    found = shown(GOLDEN / "run")
    rows = {row["problem_id"]: row for row in records(GOLDEN / "run")}
    assert [problem["id"] for problem in found.index["problems"]] == ["a", "b", "c"]
    for at, row in enumerate(rows.values()):
        search = found.search(f"c0-{at}")
        numbers = [node["node"] for node in row["tree"]]
        nodes, candidates = search["nodes"], search["candidates"]
        assert nodes["text"] == [node["text"] for node in row["tree"]]
        assert [None if at is None else numbers[at] for at in nodes["parent"]] == [
            node["parent"] for node in row["tree"]
        ]
        assert nodes["score"] == [round(node["score"], DIGITS) for node in row["tree"]]
        assert [STOPS[stop] for stop in nodes["stop"]] == [node["stop"] for node in row["tree"]]
        assert [numbers[leaf] for leaf in candidates["leaf"]] == [one["leaf"] for one in row["candidates"]]
        assert [candidates[name] for name in ("answer", "group", "correct", "tokens")] == [
            [one[name] for one in row["candidates"]] for name in ("answer", "group", "correct", "tokens")
        ]
        assert search["chosen"] == row["chosen"]
        assert search["ledger"] == {name: count for name, count in row["ledger"].items() if count}
        assert not {"flags", "subtree", "revises"} & {*nodes, *candidates}  # nothing to say


def test_the_index_says_what_the_list_shows(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)  # where the problem set of the run is found
    index = shown(GOLDEN / "run").index
    (run,) = index["runs"]
    assert (run["title"], run["selection"], run["right"], run["graded"]) == (
        "best_of_n, n = 8, weighted",
        "weighted",
        3,
        3,
    )
    assert ["strategy.n", "8"] in run["facts"] and index["notes"] == []
    first = index["problems"][0]
    assert (first["question"], first["reference"]) == ("What is 2 and 2?", "4")
    answer, correct, tokens, share = first["runs"][0]
    assert (answer, correct, tokens, share) == ("4", True, 695, 1.0)


def test_questions_that_are_not_at_hand_are_told_of(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    index = shown(GOLDEN / "run").index
    assert index["problems"][0]["question"] is None
    assert len(index["notes"]) == 1 and "problems.jsonl" in index["notes"][0]


def test_questions_that_have_changed_are_not_shown(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(GOLDEN)
    folder = copied(tmp_path / "run")
    (folder / "fingerprint.json").write_text(json.dumps({"places": {}, "problems": {"b": "00000000"}}))
    index = shown(folder).index
    assert index["problems"][1]["question"] is None and "another question has the id b" in index["notes"][0]


def test_a_record_cannot_break_out(shown: Shown, tmp_path: Path) -> None:
    plain, found = shown(GOLDEN / "run"), shown(copied(tmp_path / "run", hostile))
    assert not {"<", ">"} & set(found.scripts["index"])
    assert found.tags == plain.tags and found.scripts["main"] == plain.scripts["main"]
    assert found.index["problems"][0]["runs"][0][0] == found.index["problems"][0]["family"] == HOSTILE
    assert set(found.search("c0-0")["nodes"]["text"]) == {HOSTILE}


def test_nothing_but_the_script_and_the_style_of_the_page_is_let_in(shown: Shown) -> None:
    found = shown(GOLDEN / "run")
    for kind, text in (("script", found.scripts["main"]), ("style", found.style)):
        own = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{own}';" in found.policy
    assert found.policy.startswith("default-src 'none';")
    assert not re.search(r"https?://(?!www\.w3\.org/(2000/svg|1998/Math/MathML))", found.scripts["main"] + found.style)


def test_the_script_makes_no_markup_of_texts() -> None:
    for file in sorted(PAGE.glob("*.js")):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|</script", file.read_text())


def test_script_and_records_name_stops_and_flags_alike() -> None:
    script = (PAGE / "data.js").read_text()
    told = re.search(r"const STOPPED = \{(.*?)\};", (PAGE / "steps.js").read_text(), re.DOTALL)
    assert told is not None and set(re.findall(r"(\w+): '", told[1])) == set(STOPS)
    assert "const THINKING = 1, GIVEN = 2;" in script
    assert {file.name for file in PAGE.glob("*.js")} == set(pages.SCRIPTS)


def test_two_runs_on_the_same_problems(shown: Shown, tmp_path: Path) -> None:
    other = copied(tmp_path / "other", lambda rows: (wrong(rows), rows.pop()))
    found = shown(GOLDEN / "run", other)
    assert [[own and own[:2] for own in problem["runs"]] for problem in found.index["problems"]] == [
        [["4", True], ["5", False]], [["7", True], ["7", True]], [["11", True], None]]  # fmt: skip
    assert {"c0-2", "c1-1"} < set(found.scripts) and "c1-2" not in found.scripts


def test_what_only_some_methods_have(shown: Shown, tmp_path: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        row = rows[0]
        row["tree"][0] |= {"thinking": True, "given": True}
        row["candidates"][1] |= {"revises": [row["candidates"][0]["leaf"]], "subtree": 2, "thinking": 5}
        row["candidates"][2] |= {"confidence": [12.5, None], "stop": "doubt", "answer": None, "group": None}

    search = shown(copied(tmp_path / "run", change)).search("c0-0")
    assert search["nodes"]["flags"][:2] == [3, 0]
    assert search["candidates"]["revises"][:3] == [None, [search["candidates"]["leaf"][0]], None]
    assert search["candidates"]["subtree"][:2] == [None, 2] and search["candidates"]["thinking"][1] == 5
    assert search["candidates"]["confidence"][1:3] == [None, 12.5]
    assert STOPS[search["candidates"]["stop"][2]] == "doubt"


BROKEN: list[tuple[Callable[[list[dict[str, Any]]], object], str]] = [
    (lambda rows: rows[0]["tree"].pop(5), "malformed record of problem a: there is no step 5"),
    (lambda rows: rows[0]["tree"].reverse(), "a step stands before the one that it continues"),
    (lambda rows: rows[0]["tree"][1].update(node=0), "two steps have one number"),
    (lambda rows: rows[0].update(chosen=99), "candidate 99 is chosen, of 8"),
    (lambda rows: rows[0]["tree"][0].update(text=5), "5 is not text"),
    (lambda rows: rows[0]["tree"][0].update(score="high"), "malformed record of problem a"),
    (lambda rows: rows[0].pop("ledger"), "records.jsonl:1: not a record of this version"),
    (lambda rows: rows[1].update(problem_id="a"), "problem a is there twice"),
    (lambda rows: rows.clear(), "no records yet"),
]


@pytest.mark.parametrize(("change", "line"), BROKEN, ids=[line for _, line in BROKEN])
def test_a_broken_record_is_one_line(
    change: Callable[[list[dict[str, Any]]], object], line: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = copied(tmp_path / "run", change)
    code, out, err = typed("analysis.view", main, monkeypatch, capsys)(str(folder), "--out", str(tmp_path / "x.html"))
    assert (code, out, err.count("\n")) == (2, "", 1) and line in err
    assert not (tmp_path / "x.html").exists()


def test_what_is_no_run_or_no_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = typed("analysis.view", main, monkeypatch, capsys)
    run, file = str(GOLDEN / "run"), tmp_path / "file"
    file.write_text("")
    other = copied(tmp_path / "other", lambda rows: rows[0].update(reference="5"))
    for arguments, told in (
        ([str(tmp_path)], "is not the folder of a run"),
        ([run, run], "the same run is named twice"),
        ([run, "--out", str(tmp_path)], "is a folder, not a file"),
        ([run, "--out", str(file / "x.html")], "is no folder"),
        ([run, str(other)], "problem a has the reference 4 in"),
        ([], "RUN"),
    ):
        code, out, err = command(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1) and told in err, arguments
