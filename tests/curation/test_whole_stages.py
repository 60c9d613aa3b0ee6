"""How stages are grouped into passes, and those that ask a policy."""

import json

import pytest

from tests.curation.rows import read, row, write
from ttcs import answers
from ttcs.choice.selection import Majority
from ttcs.config.components import build
from ttcs.config.composed import composed
from ttcs.core import Problem, Step, Stop, Trajectory
from ttcs.curation import answer_file, asking
from ttcs.curation.answer_file import answered
from ttcs.curation.asked_domain import AskedDomain, named
from ttcs.curation.asking import ask
from ttcs.curation.difficulty import Difficulty, verdict
from ttcs.curation.domains import GivenDomain
from ttcs.curation.duplicates import Duplicates
from ttcs.curation.full import Full
from ttcs.curation.row import Drop
from ttcs.curation.stage import Pass, passes
from ttcs.errors import UserError
from ttcs.search.budget import Budget
from ttcs.search.scheduler import run
from ttcs.strategies.greedy import Greedy

ROWS = [row(id=str(i), question=f"What is {i} + 1?", reference=str(i + 1)) for i in range(60)]
FIRST, SECOND = ["scripted", "policy.spread=1.0"], ["scripted", "policy.spread=1.0", "policy.seed=7"]


def solved_by(words):
    """Ids of what a policy solves, by the scheduler and the graders alone."""
    problems = [Problem(row.key, row.question, row.reference) for row in ROWS]
    policy = build(composed("policy", words), "policy")
    outcomes = run(Greedy(), Majority(), problems, policy, asking._no_prm, Budget(), 0)
    texts = {outcome.problem: outcome.candidates[0].text for outcome in outcomes}
    return {p.id for p, text in texts.items() if answers.equivalent(answers.extract(text), p.answer)}


def judged(stage, folder, rows=ROWS):
    asked = stage.ask(lambda: iter(rows), folder / "asked" / "difficulty-0")
    return [asked.judge(row) for row in rows]


def test_what_either_policy_solves_is_dropped(tmp_path):
    first, second = solved_by(FIRST), solved_by(SECOND)
    assert first - second and second - first and len(first | second) < len(ROWS)
    for row_, result in zip(ROWS, judged(Difficulty({"a": FIRST, "b": SECOND}), tmp_path), strict=True):
        if row_.key in first:
            assert result == Drop("solved by a")
        elif row_.key in second:
            assert result == Drop("solved by b")
        else:
            assert result == row_
    asked = {line["key"] for line in read(tmp_path / "asked" / "difficulty-0-b.jsonl")}
    assert asked == {row.key for row in ROWS} - first  # the second one is spared what the first has solved


@pytest.mark.parametrize("torn", [1, 30, 500])
def test_verdicts_survive_a_kill_and_no_row_is_asked_about_twice(tmp_path, monkeypatch, torn):
    stage = Difficulty({"a": FIRST})
    before = judged(stage, tmp_path)
    path = tmp_path / "asked" / "difficulty-0-a.jsonl"
    path.write_bytes(path.read_bytes()[:-torn])
    there = path.read_bytes().rpartition(b"\n")[0].count(b"\n") + 1
    seen = []
    monkeypatch.setattr(asking, "run", lambda *given: seen.extend(given[2]) or run(*given))
    assert judged(stage, tmp_path) == before
    assert len(seen) == len(ROWS) - there
    assert sorted(line["key"] for line in read(path)) == sorted(row.key for row in ROWS)


def test_a_finished_file_loads_no_policy(tmp_path, monkeypatch):
    stage = Difficulty({"a": FIRST})
    before = judged(stage, tmp_path)
    monkeypatch.setattr(asking, "build", None)
    assert judged(stage, tmp_path) == before


def test_verdicts_that_are_given(tmp_path):
    lines = [{"key": ROWS[0].key, "solved": True}, {"key": ROWS[1].key, "solved": False}]
    given = write(tmp_path / "theirs.jsonl", lines)
    rows = [ROWS[0], ROWS[1], row(id="c", solved=("model_right",))]
    assert judged(Difficulty({}, [str(given)]), tmp_path, rows) == [
        Drop("solved by theirs.jsonl"),
        ROWS[1],
        Drop("solved by model_right"),
    ]


def test_replies_may_hold_any_character(tmp_path):
    reply = "one\u2028two\u2029three\x85four"
    path = tmp_path / "asked.jsonl"
    path.write_text(json.dumps({"key": "k", "reply": reply}, ensure_ascii=False) + "\n\n", encoding="utf-8")
    assert answered(path) == answer_file.read(path) == {"k": {"key": "k", "reply": reply}}


def test_without_a_reference_nothing_is_solved(tmp_path):
    bare = row(reference=None)
    assert judged(Difficulty({"a": ["scripted"]}), tmp_path, [bare]) == [bare]


def solution(text, stop=Stop.END):
    return Trajectory(Problem("p", "?"), (Step(0, (1,), text, stop),))


def test_only_a_finished_solution_has_an_answer():
    problem = Problem("p", "?", "1/2")
    assert verdict(problem, solution(r"\boxed{0.5}")) == {"solved": True, "answer": "0.5"}
    assert verdict(problem, solution(r"\boxed{0.5}", Stop.LENGTH)) == {"solved": False, "answer": None}
    assert not verdict(problem, solution(r"\boxed{2}"))["solved"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "a policy is named by an option of the group policy"),
        (["custom"], r"policy\.model has no default"),
        (["zo"], r"policy has no option zo \(nearest: zoo"),
        (["zoo", "policy.temprature=1"], r"there is no key policy\.temprature \(nearest: policy\.temperature"),
    ],
)
def test_a_policy_that_is_none_is_told_before_anything_is_done(words, line):
    with pytest.raises(UserError, match=line):
        Difficulty({"a": words})


@pytest.mark.parametrize(
    ("lines", "line"),
    [(None, "does not exist"), ("{", ":1: not JSON"), ('{"solved": true}', ":1: a line .* was expected")],
)
def test_bad_files_of_verdicts(tmp_path, lines, line):
    path = tmp_path / "v.jsonl"
    if lines is not None:
        path.write_text(lines)
    with pytest.raises(UserError, match=line):
        Difficulty({}, [str(path)]).ask(lambda: iter(()), tmp_path / "x")


@pytest.mark.parametrize(
    ("reply", "domain"),
    [
        (r"It is \boxed{Number theory}.", "Number theory"),
        (r"Geometry? No: \boxed{geometry and topology}", "Topology"),
        ("Not algebra but algebraic geometry", "Algebraic geometry"),
        ("I do not know.", None),
        (r"Algebra. \boxed{12}", "Algebra"),
    ],
)
def test_a_domain_is_read_from_a_reply(reply, domain):
    assert named(reply, ["Algebra", "Algebraic geometry", "Geometry", "Number theory", "Topology"]) == domain


def test_domains_that_a_policy_names(tmp_path):
    """The scripted policy answers in numbers."""
    stage = AskedDomain(["scripted"], ["0", "x0"], "{question} is of which of {domains}?", "other")
    rows = [row(id=str(i), domain=None, question=f"q{i}") for i in range(20)] + [row(id="g", domain="given")]
    asked = stage.ask(lambda: iter(rows), tmp_path / "domain-0")
    found = [asked.judge(row).domain for row in rows]
    lines = {line["key"]: line["domain"] for line in read(tmp_path / "domain-0-domains.jsonl")}
    assert found == [*(lines[row.key] or "other" for row in rows[:-1]), "given"]
    assert set(found) == {"0", "x0", "other", "given"} and "traces/g" not in lines
    with pytest.raises(UserError, match=r"domain\.request has no \{domains\}"):
        AskedDomain(["scripted"], ["a"], "{question}", None)


def test_passes():
    whole, one, asked = Duplicates(), GivenDomain(None), Difficulty({})
    assert passes({}) == [Pass(None, (), ())]
    assert passes({"a": one, "b": one, "w": whole, "v": Full()}) == [
        Pass(None, (("a", one), ("b", one)), (("w", whole), ("v", Full())))
    ]
    assert passes({"d": asked, "a": one}) == [Pass(("d", asked), (("a", one),), ())]
    assert passes({"a": one, "d": asked, "w": whole, "b": one}) == [
        Pass(None, (("a", one),), ()),
        Pass(("d", asked), (), (("w", whole),)),
        Pass(None, (("b", one),), ()),
    ]
    assert passes({"w": whole, "d": asked}) == [Pass(None, (), (("w", whole),)), Pass(("d", asked), (), ())]


def test_a_policy_that_is_asked_in_the_order_of_its_file(tmp_path):
    problems = [Problem(str(i), "?", "1") for i in range(5)]
    said = ask(["scripted"], problems, tmp_path / "a.jsonl", verdict, "test")
    assert list(said) == [line["key"] for line in read(tmp_path / "a.jsonl")]
