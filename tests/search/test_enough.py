"""Samples until they are enough: what a search is given, what it pays for what ran ahead, and who waits for whom."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.test_parallel import Drawn, DrawnPRM
from tests.simulation import PROBLEMS, CountingPolicy, CountingPRM, comparable, one, simulate, unscored
from ttcs import answers
from ttcs.answers.kinds import Answering, Mathematics
from ttcs.choice.selection import Majority
from ttcs.core import Continued, Parallel, Problem, Sample, Score, Search, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search import reading
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.search.scheduler import run
from ttcs.strategies.best_of_n import BestOfN

N = 12
SPECULATION = (
    *("seconds", "prompt_tokens", "cached_tokens", "decoded_tokens", "speculated_tokens", "thinking_tokens", "rounds"),
    *("policy_calls", "policy_flops", "prm_calls", "prm_tokens", "prm_cached_tokens", "prm_flops", "unread"),
)  # what depends on how far those had come that were not needed any more


@dataclass(frozen=True)
class Agree:
    """Solutions until so many have the same answer; scored: all finished ones must have been read by then."""

    agree: int
    scored: bool = False
    max_steps: int | None = None
    lookahead: bool = False

    def search(self, problem: Problem) -> Search:
        return (yield self.sample(Trajectory(problem)))

    def sample(self, start: Trajectory) -> Sample:
        return Sample((start,) * N, self.max_steps, lookahead=self.lookahead, enough=self.enough, scored=self.scored)

    def enough(self, drawn: tuple[Trajectory, ...], groups: tuple[int | None, ...]) -> bool:
        assert len(drawn) == len(groups)
        assert all(one.scored == self.scored for one in drawn if one.finished)
        votes = [group for group in groups if group is not None]
        return max(map(votes.count, votes), default=0) >= self.agree


@dataclass(frozen=True)
class SideBySide:
    """Searches that draw until it is enough, one after another and beside each other."""

    inner: Agree = Agree(3, scored=True)

    def search(self, problem: Problem) -> Search:
        first = yield Sample((Trajectory(problem),) * 4, max_steps=1, enough=lambda drawn, _: len(drawn) == 3)
        scored = yield Score(first)
        return (yield Parallel(tuple(self.branch(start) for start in scored)))

    def branch(self, start: Trajectory) -> Search:
        if not start.live:
            return ()
        yield self.inner.sample(start)
        return (yield self.inner.sample(start))


SEARCHES = {
    "agree": Agree(3),
    "scored": Agree(3, scored=True),
    "first": Agree(1),
    "never": Agree(N + 1),
    "side by side": SideBySide(),
}
every = pytest.mark.parametrize("name", SEARCHES)
aheads = st.sampled_from([0, 1, 4, None])


def determined(outcomes: dict[str, Outcome]) -> dict[str, Any]:
    """What does not depend on how far those had come that were not needed any more."""
    found = {}
    for name, outcome in outcomes.items():
        ledger = asdict(outcome.ledger)
        known = {key: value for key, value in ledger.items() if key not in SPECULATION}
        needed = ledger["decoded_tokens"] - ledger["speculated_tokens"]
        found[name] = outcome.candidates, outcome.tree, outcome.adaptive, known, needed
    return found


def beginning(pool: Sequence[Trajectory], agree: int) -> int:
    """How many of a pool it takes, counted by hand."""
    for drawn in range(1, len(pool) + 1):
        groups = answers.group([answers.extract(one.solution) if one.finished else None for one in pool[:drawn]])
        votes = [group for group in groups if group is not None]
        if max(map(votes.count, votes), default=0) >= agree:
            return drawn
    return len(pool)


@pytest.mark.parametrize("agree", [1, 3, N + 1])
def test_the_reply_is_the_shortest_beginning_of_what_would_be_drawn_in_full(agree: int) -> None:
    policy = ScriptedPolicy(max_tokens=110)  # some are cut off
    full = simulate(BestOfN(N), policy=policy, selection=Majority())
    drawn = simulate(Agree(agree), policy=policy, selection=Majority())
    sizes = {name: beginning(outcome.candidates, agree) for name, outcome in full.items()}
    assert {name: len(outcome.candidates) for name, outcome in drawn.items()} == sizes
    assert agree != 3 or len(set(sizes.values())) > 2
    for name, outcome in drawn.items():
        assert outcome.candidates == full[name].candidates[: sizes[name]]
        assert outcome.adaptive and not full[name].adaptive
        assert (outcome.ledger.speculated_tokens, outcome.ledger.rounds) == (0, sizes[name])


@every
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), ahead=aheads)
def test_outcomes_are_the_same_in_every_order_of_arrival_whatever_runs_ahead(
    name: str, seed: int, ahead: int | None
) -> None:
    strategy, problems, order = SEARCHES[name], PROBLEMS[:3], random.Random(seed)
    usual = simulate(strategy, problems=problems, policy=ScriptedPolicy(max_tokens=160), selection=Majority())
    drawn = Drawn(max_tokens=160, capacity=order.choice([1, 5, 1000]), order=order), DrawnPRM(order=order)
    again = simulate(
        strategy, problems=problems[::-1], policy=drawn[0], prm=drawn[1], selection=Majority(), ahead=ahead
    )
    assert determined(again) == determined(usual)


@every
@settings(max_examples=15, deadline=None)
@given(capacity=st.sampled_from([1, 3, 11, 1000]), pace=st.sampled_from([None, 1, 7]), ahead=aheads)
def test_outcomes_do_not_depend_on_the_size_of_batches(
    name: str, capacity: int, pace: int | None, ahead: int | None
) -> None:
    problems = PROBLEMS[:4]
    policy = CountingPolicy(ScriptedPolicy(capacity=capacity, pace=pace, shuffle=True))
    prm = ScriptedPRM(capacity=capacity, shuffle=True)
    found = simulate(SEARCHES[name], problems=problems, policy=policy, prm=prm, ahead=ahead)
    assert determined(found) == determined(simulate(SEARCHES[name], problems=problems))
    told = [*policy.given.values(), *(result for result in policy.cancelled.values() if result)]
    ledgers = [outcome.ledger for outcome in found.values()]
    decoded = sum(sum(len(step.tokens) for step in result.steps) + result.unseen for result in told)
    assert sum(ledger.decoded_tokens for ledger in ledgers) == decoded
    assert not policy.given.keys() & policy.cancelled.keys()
    assert policy.given.keys() | policy.cancelled.keys() == policy.asked.keys()


@pytest.mark.parametrize("ahead", [0, 1, 4, None])
def test_no_more_run_ahead_than_may(ahead: int | None) -> None:
    policy = CountingPolicy(ScriptedPolicy(capacity=1000))
    outcome = one(Agree(3), policy=policy, ahead=ahead)
    drawn, begun = len(outcome.candidates), len(policy.asked)
    assert 3 <= drawn < N and (begun == N if ahead is None else drawn <= begun <= drawn + ahead)
    assert (outcome.ledger.speculated_tokens > 0) == (begun > drawn)
    assert outcome.ledger.generations == drawn and outcome.ledger.policy_calls == begun
    assert outcome.ledger.discarded_tokens == 0


def test_more_ahead_takes_fewer_rounds() -> None:
    rounds = [one(Agree(3), policy=ScriptedPolicy(capacity=1000), ahead=ahead).ledger.rounds for ahead in (0, 2, None)]
    assert rounds[0] > rounds[1] > rounds[2] == 1


def test_what_ran_ahead_of_a_rollout_is_speculation_alone() -> None:
    class Rollouts:
        def search(self, problem: Problem) -> Search:
            yield Agree(3, lookahead=True).sample(Trajectory(problem))
            return (yield Sample((Trajectory(problem),)))

    alone, beside = (one(Rollouts(), policy=ScriptedPolicy(capacity=1000), ahead=ahead).ledger for ahead in (0, 4))
    assert beside.lookahead_tokens == alone.lookahead_tokens > 0
    assert beside.decoded_tokens - alone.decoded_tokens == beside.speculated_tokens > 0
    assert beside.generations == alone.generations and beside.discarded_tokens == 0


def test_a_request_that_is_held_back_or_waits_in_a_queue_costs_nothing() -> None:
    policy = CountingPolicy(ScriptedPolicy(capacity=1, pace=5))
    outcome = one(Agree(1), policy=policy, ahead=None)
    assert len(policy.asked) == N and len(policy.cancelled) == N - len(outcome.candidates)
    begun = sum(result is not None for result in policy.cancelled.values())
    assert outcome.ledger.policy_calls == len(policy.given) + begun
    assert outcome.ledger.speculated_tokens <= 5


def test_every_finished_one_is_read_before_it_counts_and_what_is_beyond_leaves_no_score() -> None:
    prm = CountingPRM()
    outcome = one(Agree(3, scored=True), policy=ScriptedPolicy(capacity=1000), prm=prm, ahead=4)
    assert all(candidate.scored for candidate in outcome.candidates)
    assert len(outcome.candidates) < len(prm.asked) == outcome.ledger.prm_calls <= len(outcome.candidates) + 4
    assert len(outcome.tree) == sum(len(candidate.steps) for candidate in outcome.candidates)


def test_one_that_is_too_long_for_the_prm_has_no_answer() -> None:
    @dataclass(frozen=True)
    class Lenient(Agree):
        def enough(self, drawn: tuple[Trajectory, ...], groups: tuple[int | None, ...]) -> bool:
            assert all((group is None) == (not one.finished) for one, group in zip(drawn, groups, strict=True))
            return len(drawn) == N

    outcome = one(Lenient(3, scored=True), prm=ScriptedPRM(context=90), ahead=4)
    stops = [candidate.steps[-1].stop for candidate in outcome.candidates]
    assert Stop.END in stops and stops.count(Stop.LENGTH) == outcome.ledger.unread > 0


@every
def test_a_budget_is_spent_one_by_one_and_never_exceeded(name: str) -> None:
    strategy = SEARCHES[name]
    usual = simulate(strategy, problems=PROBLEMS[:4])
    free = simulate(strategy, problems=PROBLEMS[:4], budget=Budget(10**6, 10**7, 10**15), ahead=None)
    assert comparable(free) == comparable(usual)
    for budget in (Budget(generations=7), Budget(tokens=300), Budget(flops=10**9)):
        policies = ScriptedPolicy(capacity=1), ScriptedPolicy(capacity=5, pace=9, shuffle=True)
        one_, other = (
            comparable(simulate(strategy, problems=PROBLEMS[:4], budget=budget, policy=policy, ahead=ahead))
            for policy, ahead in zip(policies, (4, None), strict=True)
        )
        assert one_ == other
        for _, _, ledger in one_.values():
            assert ledger["speculated_tokens"] == 0
            assert budget.generations is None or ledger["generations"] <= budget.generations
            assert budget.tokens is None or ledger["decoded_tokens"] <= budget.tokens


def test_a_budget_that_runs_out_leaves_what_was_finished() -> None:
    full, cut = one(Agree(N + 1)), one(Agree(N + 1), budget=Budget(generations=5))
    assert [unscored(candidate) for candidate in cut.candidates] == [unscored(one) for one in full.candidates[:5]]


def test_an_error_of_the_rule_reaches_the_caller() -> None:
    @dataclass(frozen=True)
    class Fails(Agree):
        def enough(self, drawn: tuple[Trajectory, ...], groups: tuple[int | None, ...]) -> bool:
            raise ZeroDivisionError(drawn[0].problem.id)

    with pytest.raises(ZeroDivisionError, match="p4"):
        one(Fails(3), ahead=4)


def test_an_error_of_the_reading_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(kind: Mathematics, texts: Sequence[str | None]) -> list[int | None]:
        raise RuntimeError("the answer worker did not start")

    monkeypatch.setattr(Mathematics, "group", broken)
    with pytest.raises(RuntimeError, match="did not start"):
        one(Agree(3), ahead=4)


def test_while_answers_are_read_the_other_problems_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading of p0 takes until all others have ended: they end first, or this waits for ever."""
    others, found = threading.Event(), reading.answer

    def slow(trajectory: Trajectory, kind: Answering) -> str | None:
        if trajectory.problem.id == "p0":
            assert others.wait(60)
        return found(trajectory, kind)

    monkeypatch.setattr(reading, "answer", slow)
    outcomes = run(Agree(3), Majority(), PROBLEMS, ScriptedPolicy(pace=5), ScriptedPRM, Budget(), 0, ahead=2)
    ended: list[str] = []
    for outcome in outcomes:
        ended.append(outcome.problem.id)
        if len(ended) == len(PROBLEMS) - 1:
            others.set()
    assert ended[-1] == "p0"


def test_nothing_is_asked_for_nothing() -> None:
    class Empty:
        def search(self, problem: Problem) -> Search:
            return (yield Sample((), enough=lambda drawn, groups: True))

    outcome = one(Empty(), ahead=4)
    assert (outcome.candidates, outcome.ledger.policy_calls, outcome.ledger.rounds) == ((), 0, 0)


def test_what_is_there_already_may_be_enough_and_later_seeds_do_not_mind() -> None:
    @dataclass(frozen=True)
    class Seen:
        needed: int

        def search(self, problem: Problem) -> Search:
            start = (Trajectory(problem),) * 3
            first = yield Sample(start)
            more = yield Sample(start, enough=lambda _, groups: len(groups) >= self.needed, seen=first)
            assert len(more) == self.needed - 3
            return (yield Sample(start))

    none, some = one(Seen(3), ahead=4), one(Seen(5), ahead=4)
    assert (none.ledger.policy_calls, none.ledger.speculated_tokens) == (6, 0)
    assert [candidate.text for candidate in none.candidates] == [candidate.text for candidate in some.candidates]


@dataclass
class Late(ScriptedPolicy):
    """Gives the first sample back last."""

    held: list[tuple[int, Continued]] = field(default_factory=list)
    first: int | None = None

    def step(self) -> list[tuple[int, Continued]]:
        done = super().step()
        if done and self.first is None:
            self.first = min(ticket for ticket, _ in done)
        late = [result for result in done if result[0] == self.first]
        if late:
            self.held += late
        if len(done) == len(late) and self.held:
            done, self.held = self.held, []
            return done
        return [result for result in done if result[0] != self.first]


def test_the_first_in_order_is_waited_for_however_many_have_ended() -> None:
    policy = Late(capacity=3)
    outcome = one(Agree(1), policy=policy, selection=Majority(), ahead=None)
    assert outcome.candidates == one(Agree(1), selection=Majority()).candidates
