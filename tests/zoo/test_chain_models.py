"""The trained pair of the chains, through `import ttcs`."""

from __future__ import annotations

import ttcs
from ttcs.answers import equivalent

PAIR = ("policy=zoo_chains", "prm=zoo_chains_least", "reduction=last")


def solved(words: tuple[str, ...], limit: int) -> list[bool]:
    problems = {problem.id: problem for problem in ttcs.dataset("dataset=zoo_chains", f"dataset.limit={limit}")}
    with ttcs.solver(*words) as solver:
        answers = {found.record.problem_id: found.answer for found in solver.map(problems.values())}
    assert answers.keys() == problems.keys()
    return [equivalent(answers[name] or "", problem.answer or "?") for name, problem in problems.items()]


def test_the_exact_model_solves_chains_without_a_mistake() -> None:
    assert all(solved(("policy=zoo_chains_exact", "strategy=greedy", "selection=majority"), 10))


def test_a_search_by_steps_under_it_solves_what_the_policy_alone_does_not() -> None:
    alone = solved(("policy=zoo_chains", "strategy=greedy", "selection=majority"), 10)
    assert not all(alone)
    assert all(solved((*PAIR, "strategy=beam_search", "n=16"), 10))


def test_one_that_is_not_yet_exact_is_worth_a_search_too() -> None:
    alone = solved(("policy=zoo_chains", "strategy=greedy", "selection=majority"), 10)
    words = ("policy=zoo_chains", "prm=zoo_chains_early", "reduction=last", "strategy=dvts", "n=16")
    assert sum(solved(words, 10)) > sum(alone)
