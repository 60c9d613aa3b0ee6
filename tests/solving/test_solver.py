"""The library: what it finds is what a run records, however many calls are under way."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

import ttcs
from tests.simulation import PROBLEMS
from ttcs import __main__ as command
from ttcs.config.identity import plain, portable
from ttcs.core import Continue, Continued, Problem, Sample, Score, Search, Trajectory
from ttcs.errors import EngineError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.records.record import Record
from ttcs.records.record_file import read
from ttcs.search.ledger import Ledger

WORDS = "policy=scripted", "prm=scripted", "n=8"
HERE = __name__


@pytest.fixture
def solver() -> Iterator[ttcs.Solver]:
    with ttcs.solver(*WORDS) as made:
        yield made


def timeless(record: Record) -> Record:
    return replace(record, run_seconds=0.0, ledger=replace(record.ledger, seconds=0.0))


def recorded(folder: Path) -> dict[str, Record]:
    return {record.problem_id: timeless(record) for record in read(folder / "records.jsonl")}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Record]]:
    """The records of `python -m ttcs` on the problems."""
    monkeypatch.chdir(tmp_path)
    rows = [{"id": p.id, "question": p.question, "answer": p.answer, "level": p.level} for p in PROBLEMS]
    file = Path("solved.jsonl")  # no other test's: a process remembers the problem sets that it has read
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = "dataset=jsonl", f"dataset.path={file}", "dataset.columns.level=level"

    def start(*overrides: str) -> dict[str, Record]:
        monkeypatch.setattr(sys, "argv", ["ttcs", *WORDS, *data, "picture=none", "hydra.run.dir=out", *overrides])
        command.main()
        return recorded(Path("out"))

    return start


def test_a_question_is_answered(solver: ttcs.Solver) -> None:
    found = solver.solve("What is 1 and 1?", strategy="dvts")
    assert found.problem.question == "What is 1 and 1?" and found.record.correct is None
    assert len(found.candidates) == 8 and found.ledger.generations > 8
    again = solver.solve("What is 1 and 1?", strategy="dvts")
    assert timeless(again.record) == timeless(found.record)
    assert timeless(solver.solve("What is 1 and 1?", strategy="dvts", seed=1).record) != timeless(found.record)


def test_its_record_is_the_one_that_a_run_writes(run: Callable[..., dict[str, Record]], solver: ttcs.Solver) -> None:
    """While calls of other kinds are under way."""
    expected = run("strategy=beam_search", "selection=best", "reduction=min", "seed=3")
    others = [solver.submit(problem, strategy="dvts") for problem in PROBLEMS]
    mine = {"strategy": "beam_search", "selection": "best", "reduction": "min", "seed": 3}
    found = {one.problem.id: timeless(one.record) for one in solver.map(PROBLEMS, **mine)}  # type: ignore[arg-type]
    assert found == expected
    assert all(future.result().candidates for future in others)


def test_words_go_where_settings_have_no_name(run: Callable[..., dict[str, Record]], solver: ttcs.Solver) -> None:
    expected = run("strategy=beam_search", "strategy.width=2", "n=4", "budget=tokens", "budget.tokens=300")
    found = solver.map(PROBLEMS, "strategy=beam_search", "strategy.width=2", n=4, tokens=300)
    assert {one.problem.id: timeless(one.record) for one in found} == expected
    never = solver.solve(PROBLEMS[0], "strategy=adaptive_vote", "stopping=never")
    assert len(never.candidates) == 8 and never.record.adaptive


@dataclass(frozen=True)
class Own:
    """Two solutions, each scored."""

    temperature: list[float | None] = field(default_factory=list)

    def search(self, problem: Problem) -> Search:
        return (yield Score((yield Sample((Trajectory(problem),) * 2))))


def test_a_strategy_may_be_an_object_of_ones_own(solver: ttcs.Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    heat: list[float | None] = []
    continued = ScriptedPolicy.continued

    def noting(self: ScriptedPolicy, request: Continue) -> Continued:
        heat.append(request.temperature)
        return continued(self, request)

    monkeypatch.setattr(ScriptedPolicy, "continued", noting)
    assert len(solver.solve(PROBLEMS[0], strategy=Own()).candidates) == 2
    assert len(solver.solve(PROBLEMS[0], strategy=Own(), temperature=0.25).candidates) == 2
    assert heat == [None, None, 0.25, 0.25]


@pytest.mark.parametrize("strategy", ["best_of_n", "beam_search", "dvts", "adaptive_vote"])
def test_solutions_are_as_long_as_a_call_says(strategy: str, solver: ttcs.Solver) -> None:
    """Those that are shorter anyway are as they were."""
    whole = solver.solve(PROBLEMS[0], strategy=strategy)
    short = solver.solve(PROBLEMS[0], strategy=strategy, max_tokens=70)
    assert max(one.tokens or 0 for one in whole.candidates) > 70 >= max(one.tokens or 0 for one in short.candidates)
    for node in short.tree:
        assert node.stop in ("step", "end", "length")
    if strategy == "best_of_n":
        cut = [one for one in short.candidates if one.stop == "length"]
        assert [one.tokens for one in cut] == [70] * len(cut) and not any(one.answer for one in cut)
        for before, after in zip(whole.candidates, short.candidates, strict=True):
            assert after in cut or (before.tokens, before.answer) == (after.tokens, after.answer)
    with pytest.raises(ttcs.UserError, match="max_tokens=0 is not a whole number"):
        solver.solve(PROBLEMS[0], max_tokens=0)


@dataclass
class Sleepy(ScriptedPolicy):
    """Never comes to the end of problem p0; says what was given up."""

    kept: set[int] = field(default_factory=set)
    given_up: list[int] = field(default_factory=list)
    failing: list[BaseException] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        ENGINES.append(self)

    def add(self, ticket: int, request: Continue) -> None:
        if request.trajectory.problem.id != "p0":
            return ScriptedPolicy.add(self, ticket, request)
        self.kept.add(ticket)
        return self.asked.set()

    def cancel(self, ticket: int) -> Continued | None:
        self.given_up.append(ticket)
        self.kept.discard(ticket)
        return ScriptedPolicy.cancel(self, ticket)

    def step(self) -> list[tuple[int, Continued]]:
        sleep(0.001)
        if self.failing:
            raise self.failing.pop()
        return ScriptedPolicy.step(self)


ENGINES: list[Sleepy] = []


@pytest.fixture
def sleepy() -> Iterator[tuple[ttcs.Solver, Sleepy]]:
    with ttcs.solver(*WORDS, f"policy._target_={HERE}.Sleepy", "policy.capacity=16") as made:
        yield made, ENGINES.pop()


def test_many_at_once_on_one_event_loop_and_one_is_cancelled(sleepy: tuple[ttcs.Solver, Sleepy]) -> None:
    solver, engine = sleepy

    async def ask() -> list[ttcs.Found]:
        waiting = asyncio.create_task(solver.asolve(PROBLEMS[0]))
        found = await asyncio.gather(*(solver.asolve(problem, n=4) for problem in PROBLEMS[1:]))
        assert not waiting.done() and len(engine.kept) == 8
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return found

    found = asyncio.run(ask())
    assert [one.problem for one in found] == PROBLEMS[1:]
    until(lambda: len(engine.given_up) == 8 and not engine.kept)


def test_the_time_in_the_queue_counts(sleepy: tuple[ttcs.Solver, Sleepy]) -> None:
    solver, engine = sleepy
    first = solver.submit(PROBLEMS[0], n=16)  # which leaves no room
    assert engine.asked.wait(60)
    late = solver.solve(PROBLEMS[1], seconds=0.2)
    assert (late.late, late.candidates, late.answer, late.ledger.policy_calls) == (True, (), None, 0)
    first.cancel()
    assert not solver.solve(PROBLEMS[1], seconds=600).late


def test_whoever_stops_listening_ends_what_is_under_way(sleepy: tuple[ttcs.Solver, Sleepy]) -> None:
    solver, engine = sleepy
    found = solver.map(PROBLEMS)
    assert next(found).problem.id != "p0"
    found.close()  # type: ignore[attr-defined]
    until(lambda: len(engine.given_up) >= 8 and not engine.kept)
    assert solver.solve(PROBLEMS[3]).candidates


def test_problems_are_taken_as_there_is_room(solver: ttcs.Solver) -> None:
    taken: list[str] = []

    def endless() -> Iterator[Problem]:
        number = 0
        while True:
            taken.append(f"e{number}")
            yield Problem(f"e{number}", "1 + 1?", "2")
            number += 1

    found = solver.map(endless(), n=2)
    for _ in range(5):
        next(found)
    found.close()  # type: ignore[attr-defined]
    assert len(taken) < 100


class Failing:
    def search(self, problem: Problem) -> Search:
        yield Sample((Trajectory(problem),))
        raise ZeroDivisionError("of its own")


class Unable:
    def search(self, problem: Problem) -> Search:
        raise KeyError("at once")


def test_what_one_call_fails_with_is_its_own(sleepy: tuple[ttcs.Solver, Sleepy]) -> None:
    solver, _ = sleepy
    others = [solver.submit(problem) for problem in PROBLEMS[1:]]
    with pytest.raises(ZeroDivisionError, match="of its own"):
        solver.solve(PROBLEMS[1], strategy=Failing())
    with pytest.raises(KeyError, match="at once"):
        solver.solve(PROBLEMS[1], strategy=Unable())
    assert all(future.result(30).candidates for future in others)


class Panic(BaseException):
    """As a library in Rust raises."""


@pytest.mark.parametrize("error", [EngineError("the engine gave out"), Panic("the engine gave out")])
def test_what_an_engine_fails_with_is_told_to_all_and_later_calls_go_on(
    sleepy: tuple[ttcs.Solver, Sleepy], error: BaseException
) -> None:
    solver, engine = sleepy
    waiting = solver.submit(PROBLEMS[0])
    assert engine.asked.wait(30)
    other = solver.submit(replace(PROBLEMS[0], question="Another one"))
    until(lambda: len(engine.kept) == 16)
    engine.failing.append(error)
    for future in (waiting, other):
        with pytest.raises(EngineError, match="the engine gave out"):
            future.result(30)
    assert not engine.kept
    assert solver.solve(PROBLEMS[2]).candidates


def test_closing_ends_what_is_under_way_and_the_thread(sleepy: tuple[ttcs.Solver, Sleepy]) -> None:
    solver, engine = sleepy
    waiting = solver.submit(PROBLEMS[0])
    assert engine.asked.wait(30)
    solver.close()
    with pytest.raises(ttcs.UserError, match="the solver is closed"):
        waiting.result(30)
    with pytest.raises(ttcs.UserError, match="the solver is closed"):
        solver.solve(PROBLEMS[1])
    assert not engine.kept and "searches" not in {thread.name for thread in threading.enumerate()}


def test_one_that_is_forgotten_ends_by_itself() -> None:
    made = ttcs.solver(*WORDS)
    made.solve(PROBLEMS[0])
    assert "searches" in {thread.name for thread in threading.enumerate()}
    del made

    def gone() -> bool:
        gc.collect()
        return "searches" not in {thread.name for thread in threading.enumerate()}

    until(gone)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"strategy": "dvt"}, "strategy has no option dvt (nearest: dvts"),
        ({"n": 0}, "n=0 is not a whole number of at least 1"),
        ({"n": None, "strategy": "dvts", "words": ["n=null"]}, "n=None is not a whole number"),
        ({"n": 7, "strategy": "dvts"}, "n=7 is not a multiple of width=4"),
        ({"seed": -1}, "seed=-1 is not a whole number of at least 0"),
        ({"temperature": -0.5}, "temperature=-0.5 is not a number of at least 0"),
        ({"width": 4}, "width is none of strategy, selection"),
        ({"budget": "shared"}, "budget=shared is of a run over a problem set"),
        ({"budget": "tokens", "tokens": 0}, "budget.tokens=0 is not a whole number of at least 1"),
        ({"strategy": "{_target_:os.abort}"}, "strategy has no option {_target_:os.abort}"),
        ({"selection": "${oc.env:PATH}"}, "selection has no option ${oc.env:PATH}"),
        ({"reduction": "../reduction/min"}, "reduction has no option ../reduction/min"),
        ({"selection": "[best,majority]"}, "selection has no option [best,majority]"),
        ({"budget": "null"}, "budget has no option null"),
        ({"selection": 7}, "selection has no option 7"),
        ({"n": "${oc.env:HOME}"}, "n=${oc.env:HOME} is not a whole number"),
        ({"n": 10**400}, "n is a number beyond 9223372036854775807"),
        ({"seconds": 10**400}, "seconds is a number beyond 9223372036854775807"),
        ({"tokens": "9,8"}, "budget.tokens=9,8 is not a whole number"),
        ({"words": ["policy=zoo"]}, "policy=zoo cannot differ from call to call"),
        ({"words": ["strategy.widht=4"]}, "there is no key strategy.widht"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(settings: dict[str, object], line: str, solver: ttcs.Solver) -> None:
    words = settings.pop("words", [])
    with pytest.raises(ttcs.UserError) as told:
        solver.solve(PROBLEMS[0], *words, **settings)  # type: ignore[misc, arg-type]
    assert str(told.value).startswith(line) and "\n" not in str(told.value)
    assert solver.solve(PROBLEMS[0]).candidates


def test_other_numbers_are_put_in_without_composing_anew(solver: ttcs.Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    solver.check(strategy="search_and_revise", tokens=100)
    numbered = [solver.composed(strategy="search_and_revise", n=n, tokens=n * 50) for n in (8, 16)]
    with monkeypatch.context() as patched:
        patched.setattr("ttcs.config.composer.loaded", lambda *given: pytest.fail("composed anew"))
        assert solver.solve(PROBLEMS[0], strategy="search_and_revise", n=8, tokens=10_000).candidates
    words = [f"strategy=search_and_revise n={n} budget=tokens budget.tokens={n * 50}".split() for n in (8, 16)]
    composed = [solver.composed(*each) for each in words]
    assert [plain(one)["strategy"]["searched"] for one in numbered] == [4, 8]
    for own, other in zip(numbered, composed, strict=True):
        assert own["hydra"]["runtime"]["choices"] == other["hydra"]["runtime"]["choices"]
        assert portable(own) == portable(other)
    with pytest.raises(ttcs.UserError, match=r"strategy\.first\.n=0 is not a whole number of at least 1"):
        solver.solve(PROBLEMS[0], strategy="search_and_revise", n=1)
    assert len(solver.solve(PROBLEMS[0], n=np.int64(3)).candidates) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("question", ["", "  \n", None, 7])
def test_no_question_is_refused(question: object, solver: ttcs.Solver) -> None:
    with pytest.raises(ttcs.UserError, match="is no question"):
        solver.solve(question)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["policy=zo"], "policy has no option zo"),
        (["workers=2"], "workers=2: a solver searches in this process"),
        (["policy=custom"], "model has no default"),
        (["strategy=dvts", "n=6"], "n=6 is not a multiple of width=4"),
    ],
)
def test_a_solver_that_cannot_be_made_says_why(words: list[str], line: str) -> None:
    with pytest.raises(ttcs.UserError, match=line):
        ttcs.solver(*words)


def test_ones_own_yamls_are_found(tmp_path: Path) -> None:
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "own.yaml").write_text(f"_target_: {HERE}.Own\n")
    with ttcs.solver(*WORDS, config_dir=tmp_path) as solver:
        assert len(solver.solve(PROBLEMS[0], strategy="own").candidates) == 2
    with pytest.raises(ttcs.UserError, match="is no folder with yamls of your own"):
        ttcs.solver(config_dir=tmp_path / "elsewhere")


def test_a_problem_set_is_read() -> None:
    assert len(ttcs.dataset("dataset.limit=3")) == 3


def test_importing_it_loads_nothing() -> None:
    code = "import ttcs, sys; print([m for m in ('torch', 'hydra', 'transformers', 'numpy') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
    assert set(ttcs.__all__) <= set(dir(ttcs))
    with pytest.raises(AttributeError, match="no attribute 'solvers'"):
        _ = ttcs.solvers  # type: ignore[attr-defined]


def until(holds: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    ends = monotonic() + 30
    while not holds():
        assert monotonic() < ends
        sleep(0.01)


def test_costs_are_those_of_a_ledger(solver: ttcs.Solver) -> None:
    assert isinstance(solver.solve(PROBLEMS[0]).ledger, Ledger)


def test_the_strategy_of_the_page_works(solver: ttcs.Solver) -> None:
    page = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
    (code,) = (block for block in page.split("```python\n") if block.startswith("from dataclasses"))
    names: dict[str, object] = {"solver": solver, "problem": PROBLEMS[0], "__name__": HERE}
    exec(code.partition("```")[0].replace("solver.solve", "found = solver.solve"), names)
    found = names["found"]
    assert isinstance(found, ttcs.Found) and len(found.candidates) in (8, 16)


ENDED: list[ScriptedPolicy | ScriptedPRM] = []
MADE: list[weakref.ref[ScriptedPolicy | ScriptedPRM]] = []


@dataclass(weakref_slot=True, slots=True)
class EndingPolicy(ScriptedPolicy):
    def __post_init__(self) -> None:
        MADE.append(weakref.ref(self))

    def close(self) -> None:
        ENDED.append(self)


@dataclass(weakref_slot=True, slots=True)
class EndingPRM(ScriptedPRM):
    def __post_init__(self) -> None:
        MADE.append(weakref.ref(self))

    def close(self) -> None:
        ENDED.append(self)


@pytest.mark.parametrize("scored", [True, False])
def test_closing_ends_the_engines_and_keeps_nothing_of_them(scored: bool) -> None:
    """Those that there are: a PRM that was never asked was never loaded. The solver itself may be kept."""
    ENDED.clear()
    MADE.clear()
    solver = ttcs.solver(f"policy._target_={HERE}.EndingPolicy", f"prm._target_={HERE}.EndingPRM", *WORDS)
    found = solver.solve("1 + 1?", selection="weighted" if scored else "majority")
    assert not ENDED and len(MADE) == 1 + scored
    solver.close()
    solver.close()
    assert [type(one) for one in ENDED] == [EndingPolicy, EndingPRM][: len(MADE)]
    ENDED.clear()
    gc.collect()
    assert [made() for made in MADE] == [None] * len(MADE) and found.candidates
    with pytest.raises(ttcs.UserError, match="the solver is closed"):
        solver.solve("1 + 1?")
