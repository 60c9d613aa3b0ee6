"""Budgets, from the single decision to whole runs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation import PROBLEMS, STRATEGIES, CountingPolicy, CountingPRM, comparable, one, simulate, unscored
from ttcs.choice import reduction
from ttcs.choice.selection import Majority
from ttcs.core import Continue, ModelSize, Problem, Sample, Search, Step, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search.budget import Bounds, Budget, admit
from ttcs.search.ledger import flops
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.best_of_n import BestOfN
from ttcs.strategies.lookahead import Lookahead

SIZE = ModelSize("tiny", parameters=1000, layers=2, hidden=8)
BOUNDS = Bounds(SIZE, max_tokens=100, prompt_tokens=10)
every = pytest.mark.parametrize("name", STRATEGIES)


def requests(n: int, tokens: int = 0, max_steps: int | None = None) -> list[Continue]:
    steps = (Step(0, (1,) * tokens, "x", Stop.STEP),) if tokens else ()
    trajectory = Trajectory(Problem("p", "?"), steps)
    return [Continue(trajectory, max_steps, None, None, seed) for seed in range(n)]


def test_all_at_once_without_limits() -> None:
    assert admit(requests(5), Budget(), BOUNDS) == requests(5)


def test_generations_admit_the_first_ones() -> None:
    assert admit(requests(5), Budget(generations=3), BOUNDS) == requests(3)
    assert admit(requests(5), Budget(generations=0), BOUNDS) == []


def test_a_rollout_is_worth_its_steps() -> None:
    assert admit(requests(5, max_steps=3), Budget(generations=7), BOUNDS) == requests(2, max_steps=3)
    assert admit(requests(5, max_steps=3), Budget(generations=2), BOUNDS) == requests(1, max_steps=2)


def test_tokens_admit_what_fits_at_its_worst() -> None:
    assert admit(requests(5), Budget(tokens=250), BOUNDS) == requests(2)
    assert admit(requests(5, tokens=60), Budget(tokens=250), BOUNDS) == requests(5, tokens=60)
    assert admit(requests(5, tokens=60), Budget(tokens=130), BOUNDS) == requests(3, tokens=60)
    assert admit(requests(5), Budget(tokens=0), BOUNDS) == []


def test_the_last_one_is_cut_to_what_is_left() -> None:
    (request,) = admit(requests(5), Budget(tokens=30), BOUNDS)
    assert (request.seed, request.max_tokens, request.capped) == (0, 30, True)


@given(st.integers(0, 5_000_000), st.integers(1, 50))
def test_flops_are_never_exceeded(limit: int, tokens: int) -> None:
    admitted = admit(requests(5, tokens), Budget(flops=limit), BOUNDS)
    most = [100 - tokens if request.max_tokens is None else request.max_tokens for request in admitted]
    assert sum(flops(SIZE, 0, 10 + tokens + more) for more in most) <= limit
    if not admitted:
        assert flops(SIZE, 0, 10 + tokens + 1) > limit
    elif admitted[0].capped:
        assert flops(SIZE, 0, 10 + tokens + most[0] + 1) > limit
    elif len(admitted) < 5:
        assert (len(admitted) + 1) * flops(SIZE, 0, 110) > limit


def test_flops_of_a_prompt_of_unknown_length_go_alone() -> None:
    unknown = Bounds(SIZE, max_tokens=100, prompt_tokens=None)
    assert admit(requests(5), Budget(flops=10**12), unknown) == requests(1)
    assert admit(requests(5), Budget(flops=10**12), BOUNDS) == requests(5)


@every
@settings(max_examples=15)
@given(generations=st.integers(0, 80), seed=st.integers(0, 3))
def test_generations_are_never_exceeded(name: str, generations: int, seed: int) -> None:
    outcome = one(STRATEGIES[name], budget=Budget(generations=generations), seed=seed)
    assert outcome.ledger.generations <= generations
    unfinished = name in ("adaptive_dvts", "deepconf", "dvts", "search_and_revise", "rejection_sampling")
    assert all(candidate.finished or unfinished for candidate in outcome.candidates)


@every
@settings(max_examples=15)
@given(tokens=st.integers(0, 1500), seed=st.integers(0, 3))
def test_tokens_are_never_exceeded(name: str, tokens: int, seed: int) -> None:
    policy = ScriptedPolicy(max_tokens=200)
    ledger = one(STRATEGIES[name], budget=Budget(tokens=tokens), seed=seed, policy=policy).ledger
    assert ledger.decoded_tokens <= tokens


@every
@pytest.mark.parametrize("limit", [10**7, 10**8, 10**9, 3 * 10**9])
def test_flops_of_the_policy_are_never_exceeded_but_for_a_prompt(name: str, limit: int) -> None:
    policy = ScriptedPolicy(max_tokens=200)
    outcome = one(STRATEGIES[name], budget=Budget(flops=limit), selection=Majority(), policy=policy)
    ledger = outcome.ledger
    of_the_prompt = flops(policy.size, 0, ledger.prompt_tokens + ledger.decoded_tokens)
    of_the_prompt -= flops(policy.size, 0, ledger.decoded_tokens)
    assert ledger.policy_flops <= limit + (of_the_prompt if ledger.policy_calls == 1 else 0)


@every
@pytest.mark.parametrize(
    "budget", [Budget(generations=19), Budget(tokens=500), Budget(flops=10**9), Budget(30, 700, 2 * 10**9)]
)
def test_budgeted_outcomes_do_not_depend_on_the_interleaving(name: str, budget: Budget) -> None:
    usual = comparable(simulate(STRATEGIES[name], budget=budget))
    for policy in (ScriptedPolicy(capacity=1), ScriptedPolicy(capacity=5, pace=9, shuffle=True)):
        prm = ScriptedPRM(capacity=3, shuffle=True)
        again = simulate(STRATEGIES[name], problems=PROBLEMS[::-1], budget=budget, policy=policy, prm=prm)
        assert comparable(again) == usual


@every
def test_a_budget_that_is_large_enough_changes_nothing(name: str) -> None:
    free = comparable(simulate(STRATEGIES[name]))
    assert comparable(simulate(STRATEGIES[name], budget=Budget(10**6, 10**7, 10**15))) == free


@pytest.mark.parametrize("m", [0, 1, 5, 8])
def test_generations_of_best_of_n_are_a_prefix_of_the_pool(m: int) -> None:
    pool = one(BestOfN(8)).candidates[:m]
    cut = one(BestOfN(8), budget=Budget(generations=m)).candidates
    assert cut == (pool if m > 1 else tuple(map(unscored, pool)))  # one alone is not scored


def test_what_finished_before_the_budget_ran_out_are_the_candidates_scored() -> None:
    policy = ScriptedPolicy(min_depth=2, max_depth=8)
    strategy = BeamSearch(16, 4, 40, reduction.last)
    full = one(strategy, policy=policy)
    prm = CountingPRM()
    cut = one(strategy, policy=policy, prm=prm, budget=Budget(generations=40))
    assert cut.ledger.generations == 40
    assert 0 < len(cut.candidates) < len(full.candidates)
    assert all(candidate.finished and candidate.scored for candidate in cut.candidates)
    steps = {node.step.node: node.step for node in full.tree}
    assert all(step == steps[step.node] for candidate in cut.candidates for step in candidate.steps)


def test_a_finished_rollout_is_no_candidate() -> None:
    policy = ScriptedPolicy(min_depth=2, max_depth=2)
    outcome = one(Lookahead(4, 2, 40, reduction.last, 3), policy=policy, budget=Budget(generations=8))
    assert outcome.ledger.lookahead_generations == 4
    assert outcome.candidates == ()


def test_running_out_of_tokens_is_a_stop_of_its_own() -> None:
    outcome = one(BestOfN(8), budget=Budget(tokens=150))
    stops = [node.step.stop for node in outcome.tree]
    assert stops.count(Stop.BUDGET) == 1 and stops[-1] is Stop.BUDGET
    assert outcome.ledger.decoded_tokens == 150


def test_the_search_is_closed_when_the_budget_is_spent() -> None:
    closed: list[str] = []

    class Endless:
        def search(self, problem: Problem) -> Search:
            try:
                while True:
                    yield Sample((Trajectory(problem),))
            finally:
                closed.append(problem.id)

    outcome = one(Endless(), budget=Budget(generations=5))
    assert closed == ["p4"]
    assert len(outcome.candidates) == 5


def test_a_budget_is_each_problems_own() -> None:
    for outcome in simulate(BestOfN(8), budget=Budget(generations=5)).values():
        assert outcome.ledger.generations == 5


def test_waves_are_wide_while_the_worst_case_fits() -> None:
    policy = CountingPolicy(ScriptedPolicy(max_tokens=200))
    one(BestOfN(8), policy=policy, budget=Budget(tokens=800))
    assert policy.steps < len(policy.asked)
