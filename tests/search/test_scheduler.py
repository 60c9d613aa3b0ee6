from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.simulation import PROBLEMS, STRATEGIES, CountingPolicy, CountingPRM, Recorded, comparable, one, simulate
from ttcs.choice import reduction
from ttcs.choice.selection import Best, Majority
from ttcs.core import Continue, Continued, Judged, Problem, Sample, Score, Search, Step, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search.budget import Budget
from ttcs.search.scheduler import run
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.best_of_n import BestOfN

every = pytest.mark.parametrize("name", STRATEGIES)


@every
@pytest.mark.parametrize(
    ("policy", "prm", "reverse"),
    [
        (ScriptedPolicy(capacity=1), ScriptedPRM(capacity=1), False),
        (ScriptedPolicy(capacity=3, shuffle=True), ScriptedPRM(capacity=5, shuffle=True), True),
        (ScriptedPolicy(capacity=1000), ScriptedPRM(capacity=1000), False),
        (ScriptedPolicy(capacity=11, pace=7), ScriptedPRM(capacity=2), False),
        (ScriptedPolicy(capacity=11, pace=7, shuffle=True), ScriptedPRM(capacity=100, shuffle=True), True),
    ],
)
def test_outcomes_do_not_depend_on_the_interleaving(
    name: str, policy: ScriptedPolicy, prm: ScriptedPRM, reverse: bool
) -> None:
    problems = PROBLEMS[::-1] if reverse else PROBLEMS
    usual = comparable(simulate(STRATEGIES[name]))
    assert comparable(simulate(STRATEGIES[name], problems=problems, policy=policy, prm=prm)) == usual


@every
def test_outcomes_do_not_depend_on_the_other_problems(name: str) -> None:
    alone = simulate(STRATEGIES[name], problems=PROBLEMS[3:4])
    assert comparable(alone)["p3"] == comparable(simulate(STRATEGIES[name]))["p3"]


def test_requests_have_seeds_of_their_own() -> None:
    policy = CountingPolicy()
    simulate(BeamSearch(8, 4, 40, reduction.last), policy=policy)
    seeds = {request.seed for request in policy.asked.values()}
    assert len(seeds) == len(policy.asked)
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_nodes_are_numbered_by_turn_and_index() -> None:
    recorded = Recorded(BeamSearch(8, 4, 40, reduction.last))
    policy = ScriptedPolicy(capacity=3, pace=5, shuffle=True)
    outcome = one(recorded, policy=policy)
    sampled = [reply for request, reply in recorded.log if isinstance(request, Sample)]
    assert [child.steps[-1].node for reply in sampled for child in reply] == list(range(len(outcome.tree)))
    assert [node.step.node for node in outcome.tree] == list(range(len(outcome.tree)))


class Slow(ScriptedPolicy):
    """Keeps the requests of one problem for `delay` engine steps."""

    delay = 200

    def __init__(self) -> None:
        super().__init__(capacity=16, min_depth=4, max_depth=4)
        self.kept: list[tuple[int, int, Continue]] = []
        self.now = 0

    def add(self, ticket: int, request: Continue) -> None:
        if request.trajectory.problem.id == "p0":
            self.kept.append((self.now + self.delay, ticket, request))
        else:
            super().add(ticket, request)

    def cancel(self, ticket: int) -> Continued | None:
        self.kept = [entry for entry in self.kept if entry[1] != ticket]
        return super().cancel(ticket)

    def step(self) -> list[tuple[int, Continued]]:
        self.now += 1
        ready = [(ticket, self.continued(request)) for due, ticket, request in self.kept if due <= self.now]
        self.kept = [entry for entry in self.kept if entry[0] > self.now]
        return [*super().step(), *ready]


def test_a_slow_problem_holds_up_no_other() -> None:
    policy, prm = Slow(), ScriptedPRM(capacity=32)
    ends: dict[str, int] = {}
    strategy = BeamSearch(4, 2, 40, reduction.last)
    for outcome in run(strategy, Best(), PROBLEMS, policy, lambda: prm, Budget(), 0):
        ends[outcome.problem.id] = policy.now
    assert len(ends) == len(PROBLEMS)
    assert list(ends)[-1] == "p0" and ends["p0"] >= 4 * Slow.delay
    assert max(end for name, end in ends.items() if name != "p0") < Slow.delay / 2


def test_problems_are_admitted_as_long_as_the_policy_has_room() -> None:
    admitted: list[str] = []

    def arrivals() -> Iterator[Problem]:
        for problem in PROBLEMS:
            admitted.append(problem.id)
            yield problem

    policy = ScriptedPolicy(capacity=6)
    outcomes = run(BestOfN(4), Majority(), arrivals(), policy, ScriptedPRM, Budget(), 0)
    assert admitted == []
    next(outcomes)
    assert admitted == ["p0", "p1"]
    assert len(list(outcomes)) == len(PROBLEMS) - 1


def test_the_engines_work_on_full_batches() -> None:
    problems = [Problem(f"q{i}", "?", "1") for i in range(60)]
    policy, prm = CountingPolicy(ScriptedPolicy(capacity=64)), CountingPRM(ScriptedPRM(capacity=32))
    simulate(BeamSearch(4, 2, 40, reduction.last), problems=problems, policy=policy, prm=prm)
    assert policy.steps < 1.5 * len(policy.asked) / 64
    assert len(prm.batches) < 1.5 * len(prm.asked) / 32


@dataclass
class Aside(CountingPRM):
    """Works by itself, like an engine in another process: it has something only after the policy was stepped too."""

    policy: CountingPolicy = field(default_factory=CountingPolicy)
    seen: int = 0

    def step(self) -> list[tuple[int, Judged]]:
        busy = len(self.policy.given) < len(self.policy.asked)
        if busy and self.policy.steps == self.seen:
            return []
        self.seen = self.policy.steps
        return super().step()


def test_while_a_prm_works_by_itself_the_policy_goes_on() -> None:
    strategy, policy = BeamSearch(8, 4, 40, reduction.last), CountingPolicy(ScriptedPolicy(capacity=64, pace=5))
    found = simulate(strategy, policy=policy, prm=Aside(ScriptedPRM(capacity=1000), policy=policy))
    assert comparable(found) == comparable(simulate(strategy))


def test_the_prm_is_loaded_once_and_only_when_something_is_scored() -> None:
    loaded: list[ScriptedPRM] = []

    def load() -> ScriptedPRM:
        loaded.append(ScriptedPRM())
        return loaded[-1]

    for _ in run(BestOfN(4), Majority(), PROBLEMS, ScriptedPolicy(), load, Budget(), 0):
        assert loaded == []
    for _ in run(BestOfN(4), Best(), PROBLEMS, ScriptedPolicy(), load, Budget(), 0):
        assert len(loaded) == 1


def test_no_problems_no_outcomes() -> None:
    assert simulate(BestOfN(4), problems=[]) == {}


class Twice:
    """Has the same two trajectories scored again and again, and returns one of them three times."""

    def search(self, problem: Problem) -> Search:
        a, b = yield Sample((Trajectory(problem),) * 2)
        yield Score((a, b, a))
        scored = yield Score((b, a))
        assert all(trajectory.scored for trajectory in scored)
        assert [trajectory.text for trajectory in scored] == [b.text, a.text]
        return a, a, a


def test_nothing_is_judged_twice_and_forgotten_scores_are_remembered() -> None:
    prm = CountingPRM()
    outcome = one(Twice(), prm=prm)
    assert len(prm.asked) == outcome.ledger.prm_calls == 2
    assert all(candidate.scored for candidate in outcome.candidates)
    assert outcome.ledger.discarded_tokens > 0


class Empty:
    def search(self, problem: Problem) -> Search:
        nothing = yield Sample(())
        same = yield Score(())
        return nothing + same


def test_empty_requests_come_back_empty() -> None:
    outcome = one(Empty())
    assert (outcome.candidates, outcome.tree) == ((), ())
    assert outcome.ledger.policy_calls == outcome.ledger.prm_calls == 0


class ReturnsARollout:
    def search(self, problem: Problem) -> Search:
        return (yield Sample((Trajectory(problem),), lookahead=True))


def test_a_lookahead_rollout_is_no_candidate() -> None:
    with pytest.raises(ValueError, match="candidate 0 of problem p4 has steps outside its tree"):
        one(ReturnsARollout())


class Blank(ScriptedPolicy):
    """Every solution ends in a blank step."""

    def continued(self, request: Continue) -> Continued:
        result = super().continued(request)
        *steps, last = result.steps
        blank = Step(-1, (7,), "\n\n", last.stop)
        return replace(result, steps=(*steps, replace(last, stop=Stop.STEP), blank))


def test_a_blank_step_has_no_score_and_is_not_asked_about_again() -> None:
    prm = CountingPRM()
    outcome = one(Twice(), policy=Blank(), prm=prm)
    assert len(prm.asked) == 2
    (candidate, *_) = outcome.candidates
    assert candidate.steps[-1].score is None and len(candidate.scores) == len(candidate.steps) - 1


def test_an_error_of_the_strategy_reaches_the_caller() -> None:
    class Fails:
        def search(self, problem: Problem) -> Search:
            yield Sample((Trajectory(problem),))
            raise ZeroDivisionError(problem.id)

    with pytest.raises(ZeroDivisionError, match="p4"):
        one(Fails())
