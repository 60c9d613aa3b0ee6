"""Strategies that steer thinking, against the scripted policy and a small real model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests import tiny
from tests.simulation import PROBLEMS, Recorded, one, simulate
from ttcs.choice.reduction import last
from ttcs.choice.selection import Majority
from ttcs.core import Continue, Sample, Stop, Trajectory
from ttcs.errors import UserError
from ttcs.models.reasoning import ReasoningFormat
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.policies.scripted_thinking import ScriptedThinking
from ttcs.policies.transformers import TransformersPolicy
from ttcs.records.grade import grade
from ttcs.records.summary import independent
from ttcs.strategies.budget_forcing import BudgetForcing
from ttcs.strategies.class_conditional import ClassConditional
from ttcs.strategies.rebase import Rebase, shared_out
from ttcs.strategies.rejection_sampling import RejectionSampling
from ttcs.strategies.step_conditional import StepConditional
from ttcs.strategies.token_conditional import TokenConditional

HASTY = ScriptedPolicy(thinking=ScriptedThinking(end=1.0))
ENDLESS = ScriptedPolicy(thinking=ScriptedThinking(end=0.0))


def given(run: Trajectory) -> list[str]:
    return [step.text for step in run.steps if step.given]


@pytest.mark.parametrize("waits", [0, 1, 2, 6])
def test_a_model_that_stops_at_once_gets_exactly_n_waits(waits: int) -> None:
    for outcome in simulate(BudgetForcing(2, 1000, 100, waits), policy=HASTY).values():
        for run in outcome.candidates:
            assert given(run) == ["Wait"] * waits + ["</think>\n"]
            assert sum(step.text.startswith("thought ") for step in run.steps) == waits + 1
            assert run.finished


@pytest.mark.parametrize("policy", [HASTY, ENDLESS, ScriptedPolicy()], ids=["hasty", "endless", "usual"])
@pytest.mark.parametrize("thinking", [1, 7, 50, 120])
@pytest.mark.parametrize("waits", [0, 3])
def test_thinking_is_never_over_budget_and_there_is_always_an_answer(
    policy: ScriptedPolicy, thinking: int, waits: int
) -> None:
    for outcome in simulate(BudgetForcing(3, thinking, 60, waits), policy=policy).values():
        assert len(outcome.candidates) == 3
        for run in outcome.candidates:
            assert run.thinking_tokens <= thinking
            assert run.finished and "boxed" in run.solution
            sampled = [step.stop for step in run.steps if step.thinking and not step.given]
            assert ("Final Answer:" in given(run)) == (sampled[-1] is Stop.CUT)
        record = grade(outcome, Majority(), last, 0.0)
        assert [c.thinking for c in record.candidates] == [run.thinking_tokens for run in outcome.candidates]
        assert all(c.answer is not None for c in record.candidates)


def test_a_run_that_is_cut_off_is_made_to_begin_its_answer() -> None:
    outcome = one(BudgetForcing(1, 30, 60), policy=ENDLESS)
    (run,) = outcome.candidates
    assert run.thinking_tokens == 30
    assert [step.stop for step in run.steps if step.thinking][-2:] == [Stop.CUT, Stop.THOUGHT]
    assert run.solution.startswith("Final Answer:")


def test_thinking_goes_on_until_there_is_enough_of_it() -> None:
    for outcome in simulate(BudgetForcing(2, 400, 60, least=150), policy=HASTY).values():
        for run in outcome.candidates:
            assert 150 <= run.thinking_tokens < 150 + 40
            assert all(text in ("Wait", "</think>\n") for text in given(run))


@pytest.mark.parametrize(("waits", "least"), [(2, None), (0, 150)])
def test_without_a_text_the_thinking_goes_on_all_the_same(waits: int, least: int | None) -> None:
    for outcome in simulate(BudgetForcing(2, 400, 60, waits, least, text=""), policy=HASTY).values():
        for run in outcome.candidates:
            assert given(run) == ["</think>\n"] and run.finished
            thoughts = sum(step.text.startswith("thought ") for step in run.steps)
            assert thoughts == 3 if least is None else run.thinking_tokens >= least


def test_who_ends_the_thinking_although_it_is_suppressed_is_left_alone() -> None:
    class Deaf(ScriptedPolicy):
        def add(self, ticket: int, request: Continue) -> None:
            super().add(ticket, replace(request, suppress=False))

    recorded = Recorded(BudgetForcing(1, 400, 60, least=150, text=""))
    (run,) = one(recorded, policy=Deaf(thinking=ScriptedThinking(end=1.0))).candidates
    assert run.finished and run.thinking_tokens < 150
    assert [request.suppress for request, _ in recorded.log if isinstance(request, Sample)] == [False, True, False]


def test_only_sampled_tokens_are_charged() -> None:
    outcome = one(BudgetForcing(1, 1000, 100, waits=2), policy=HASTY)
    ledger, (run,) = outcome.ledger, outcome.candidates
    sampled = [step for step in run.steps if not step.given]
    assert ledger.thinking_tokens == sum(len(step.tokens) for step in sampled if step.thinking)
    assert run.thinking_tokens == ledger.thinking_tokens + 2 * len(["Wait"])
    assert ledger.discarded_tokens == 3 * 2  # what ended the thinking, three times


def test_fewer_runs_are_a_valid_smaller_one() -> None:
    large, small = one(BudgetForcing(4, 1000, 60)), one(BudgetForcing(2, 1000, 60))
    assert [run.text for run in small.candidates] == [run.text for run in large.candidates[:2]]
    assert [run.subtree for run in large.candidates] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"thinking": 0}, "thinking=0 is less than 1"),
        ({"answer": 0}, "answer=0 is less than 1"),
        ({"waits": -1}, "waits=-1 is less than 0"),
        ({"least": 200}, "least=200 is more than thinking=100"),
    ],
)
def test_bad_budgets_are_said(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        BudgetForcing(**({"n": 1, "thinking": 100, "answer": 50} | settings))


def test_a_model_is_told_what_it_may_think_and_the_problem_stays_what_it_is() -> None:
    recorded = Recorded(TokenConditional(2, 64, 60, False, "Think for up to {tokens} tokens."))
    outcome = one(recorded)
    (request, _) = recorded.log[0]
    assert isinstance(request, Sample)
    assert request.trajectories[0].problem.asked.endswith("\n\nThink for up to 64 tokens.")
    assert all(run.problem == PROBLEMS[4] for run in outcome.candidates)
    texts = {"short": "Be quick.", "long": "Take your time."}
    recorded = Recorded(ClassConditional(1, "long", 64, 60, True, texts))
    outcome = one(recorded, policy=ENDLESS)
    assert recorded.log[0][0].trajectories[0].problem.instruction == "Take your time."
    assert outcome.candidates[0].thinking_tokens == 64
    with pytest.raises(UserError, match="length=medium is none of short, long"):
        ClassConditional(1, "medium", 64, 60, True, texts)


@pytest.mark.parametrize("forced", [False, True])
def test_forcing_is_what_keeps_to_the_budget(forced: bool) -> None:
    strategy = TokenConditional(4, 30, 60, forced, "{tokens}")
    outcome = one(strategy, policy=ENDLESS)
    assert all(run.finished for run in outcome.candidates)
    assert all((run.thinking_tokens == 30) == forced for run in outcome.candidates)


def test_steps_are_counted_down() -> None:
    strategy = StepConditional(1, 3, 500, 60, True, "Think for up to {steps} steps.", "{left} steps left\n")
    (run,) = one(strategy, policy=ENDLESS).candidates
    assert given(run) == ["3 steps left\n", "2 steps left\n", "1 steps left\n", "</think>\n", "Final Answer:"]
    assert sum(step.text.startswith("thought ") for step in run.steps) == 3


def test_steps_end_where_the_thinking_does() -> None:
    strategy = StepConditional(4, 5, 500, 60, True, "{steps}", "{left} left ")
    for run in one(strategy).candidates:
        thoughts = sum(step.text.startswith("thought ") for step in run.steps)
        assert run.finished and given(run)[:thoughts] == [f"{5 - i} left " for i in range(thoughts)]


def test_tries_are_close_to_one_over_the_chance_of_a_short_one() -> None:
    """Thoughts of 10 to 29 tokens, the end after each with chance 0.5: P(at most 29) is known from the draws."""
    policy = ScriptedPolicy(thinking=ScriptedThinking(tokens=20, end=0.5))
    tries, short, drawn = [], 0, 0
    usual: dict[str, Any] = {"policy": policy, "selection": Majority()}
    for seed in range(40):
        for outcome in simulate(RejectionSampling(200, 29, 60), **usual, seed=seed).values():
            tries.append(len(outcome.candidates))
            assert [run.finished for run in outcome.candidates] == [False] * (tries[-1] - 1) + [True]
            assert outcome.candidates[-1].thinking_tokens <= 29
            assert all(run.steps[-1].stop is Stop.CUT for run in outcome.candidates[:-1])
        for outcome in simulate(BudgetForcing(8, 1000, 60), **usual, seed=seed).values():
            short += sum(run.thinking_tokens <= 29 for run in outcome.candidates)
            drawn += 8
    assert sum(tries) / len(tries) == pytest.approx(drawn / short, rel=0.12)


def test_a_thinking_of_exactly_the_budget_is_accepted() -> None:
    policy = ScriptedPolicy(thinking=ScriptedThinking(end=1.0))
    free = one(BudgetForcing(1, 1000, 60), policy=policy, selection=Majority()).candidates[0].thinking_tokens
    for seed in range(20):
        outcome = one(RejectionSampling(5, free, 60), policy=policy, selection=Majority(), seed=seed)
        lengths = [run.thinking_tokens for run in outcome.candidates]
        assert all(length == free + 1 for length in lengths[:-1])
    exact = [
        one(RejectionSampling(40, budget, 60), policy=policy, selection=Majority()).candidates[-1].thinking_tokens
        for budget in range(10, 31)
    ]
    assert any(length == budget for length, budget in zip(exact, range(10, 31), strict=True))


def test_what_a_short_thinking_leaves_is_the_answer_s() -> None:
    recorded = Recorded(BudgetForcing(1, 1000, 60))
    (run,) = one(recorded, policy=HASTY).candidates
    last = [request for request, _ in recorded.log if isinstance(request, Sample)][-1]
    assert (last.thinking, last.total) == (None, 1060)
    assert Continue(run, None, None, None, 0, total=1060).limit == 1060 - run.thinking_tokens > 60
    for forced, total in ((True, 560), (False, None)):
        recorded = Recorded(StepConditional(1, 3, 500, 60, forced, "{steps}", "{left} left "))
        one(recorded, policy=HASTY)
        assert [request for request, _ in recorded.log if isinstance(request, Sample)][-1].total == total


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: TokenConditional(1, 64, 60, False, "Be brief."),
            "instruction='Be brief.' does not say where {tokens}",
        ),
        (lambda: StepConditional(1, 3, 64, 60, False, "{step}", "{left}"), "instruction='{step}' .* {steps} goes"),
        (lambda: StepConditional(1, 3, 64, 60, False, "{steps}", "on "), "countdown='on ' .* {left} goes"),
    ],
)
def test_a_model_that_would_never_be_told_its_budget(make: Callable[[], object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        make()


def test_tries_are_capped() -> None:
    outcome = one(RejectionSampling(3, 29, 60), policy=ENDLESS, selection=Majority())
    assert len(outcome.candidates) == 3 and not any(run.finished for run in outcome.candidates)
    assert grade(outcome, Majority(), last, 0.0).answer is None


def test_children_are_shared_out_by_score() -> None:
    assert shared_out(16, [0.9, 0.1], 0.2) == [16, 0]  # 16 x 0.982 = 15.7, rounded up
    assert shared_out(16, [0.5, 0.5, 0.5, 0.5], 0.2) == [4, 4, 4, 4]
    assert shared_out(4, [0.1, 0.3], 0.2) == [1, 3]  # e : 1 of 4, 2.92 and the rest
    assert shared_out(3, [0.0, 0.0], 1.0) == [2, 1]
    assert sum(shared_out(7, [0.2, 0.4, 0.9, 0.1], 0.5)) == 7


def test_rebase_has_n_solutions_and_a_finished_one_takes_one_off_the_width() -> None:
    recorded = Recorded(Rebase(8, 0.2, 40, last))
    outcome = one(recorded)
    assert len(outcome.candidates) == 8 and all(run.finished for run in outcome.candidates)
    finished = 0
    for request, reply in recorded.log:
        if isinstance(request, Sample):
            assert len(request.trajectories) == 8 - finished
            finished += sum(run.finished for run in reply)
    with pytest.raises(UserError, match="balance=0 is not more than 0"):
        Rebase(8, 0, 40, last)


def test_on_a_real_model_thinking_keeps_to_its_budget() -> None:
    marks = ReasoningFormat(
        "<|start_header_id|>think<|end_header_id|>\n\n", "<|start_header_id|>answer<|end_header_id|>\n\n"
    )
    policy = TransformersPolicy(tiny.folder(), 0.8, 1.0, 200, 8, reasoning=marks, end_at_box=False)
    problems = [replace(tiny.PROBLEM, id=str(i)) for i in range(3)]
    strategy = BudgetForcing(2, 40, 20, waits=2)
    for outcome in simulate(strategy, policy=policy, problems=problems, selection=Majority()).values():
        for run in outcome.candidates:
            assert 0 < run.thinking_tokens <= 40
            assert run.finished and run.thought
            assert sum(len(step.tokens) for step in run.steps if not step.thinking and not step.given) <= 20
    plain = TransformersPolicy(tiny.folder(), 0.8, 1.0, 200, 8)
    with pytest.raises(UserError, match="the policy is none"):
        simulate(strategy, policy=plain, problems=problems, selection=Majority())


def test_steps_that_are_not_forced_go_on() -> None:
    for steps in (1, 50):
        strategy = StepConditional(2, steps, 40, 60, False, "{steps}", "{left} left ")
        for run in one(strategy, policy=ENDLESS).candidates:
            assert run.finished and "Final Answer:" not in given(run)


def test_what_ends_the_thinking_is_no_step_of_a_budget() -> None:
    strategy = StepConditional(2, 4, 400, 60, True, "{steps}", "{left} left ")
    outcome = one(strategy)
    sampled = [step for node in outcome.tree if not (step := node.step).given and step.stop is not Stop.THOUGHT]
    assert outcome.ledger.generations == len(sampled)


def test_nodes_without_a_score_share_alike() -> None:
    assert shared_out(4, [float("-inf")] * 2, 0.2) == [2, 2]
    assert shared_out(4, [float("-inf"), 0.1], 0.2) == [0, 4]


@pytest.mark.parametrize("thinking", [10, 40, 400])
def test_forced_runs_are_independent_samples_and_tries_are_none(thinking: int) -> None:
    outcome = one(BudgetForcing(4, thinking, 60, waits=1))
    assert independent(grade(outcome, Majority(), last, 0.0))
    outcome = one(RejectionSampling(3, 29, 60), policy=ENDLESS, selection=Majority())
    assert not independent(grade(outcome, Majority(), last, 0.0))
