"""Which prefixes are read, in what order, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests import tiny
from tests.prms.families import FAMILIES, Family, judge
from ttcs.core import Judge, Judged, Problem
from ttcs.models.pieces import Prefix
from ttcs.prms.prefixes import WORTH, Memo, Reading, reading, sequences, shared, stems, tree_size
from ttcs.zoo.generator import Split, exercises

prefixes = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8).map(tuple), max_size=12)


def nodes(of: list[Prefix]) -> set[Prefix]:
    return {prefix[:end] for prefix in of for end in range(1, len(prefix) + 1)}


def read_words(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
    """One token a word: the question, then the steps."""
    words = [problem.question.split(), *(step.split() for step in steps)]
    tokens = tuple(hash(word) for piece in words for word in piece)
    ends = [sum(map(len, words[: place + 1])) for place in range(1, len(words))]
    return [tokens[:end] for end in ends]


@given(prefixes)
def test_tree_size_counts_every_node_once(of: list[Prefix]) -> None:
    assert tree_size(of) == len(nodes(of))


@given(prefixes)
def test_sequences_hold_every_prefix_once_and_are_fewest(of: list[Prefix]) -> None:
    found = sequences(of)
    assert sorted(tokens[:end] for tokens, ends in found.items() for end in ends) == sorted(set(of))
    assert all(ends == sorted(ends) and ends[-1] == len(tokens) for tokens, ends in found.items())
    leaves = [p for p in set(of) if not any(other != p and other[: len(p)] == p for other in of)]
    assert sorted(found) == sorted(leaves)
    order = [min(of.index(tokens[:end]) for end in ends) for tokens, ends in found.items()]
    assert order == sorted(order)


@given(prefixes, st.integers(1, 4), st.integers(0, 8))
def test_stems_are_shared_worth_it_and_apart(of: list[Prefix], worth: int, held: int) -> None:
    found = stems(of, lambda stem: min(held, len(stem)), worth)
    for stem in found:
        assert sum(tokens[: len(stem)] == stem for tokens in set(of)) > 1
        assert len(stem) - held >= worth
    assert all(one == other or one[: len(other)] != other for one in found for other in found)
    pairs = [(a, b) for a in set(of) for b in set(of) if a < b]
    for a, b in pairs:  # nobody who shares enough is left without
        alike = a[: shared(a, b)]
        assert len(alike) - held < worth or any(alike[: len(stem)] == stem for stem in found)


@given(prefixes)
def test_stems_round_by_round_leave_no_token_to_be_read_twice(of: list[Prefix]) -> None:
    done: set[Prefix] = set()
    cost = 0

    def held(tokens: Prefix) -> int:
        return max(end for end in range(len(tokens) + 1) if not end or tokens[:end] in done)

    while found := stems(of, held, 1):
        cost += sum(len(stem) - held(stem) for stem in found)
        done |= nodes(found)
    assert cost + sum(len(tokens) - held(tokens) for tokens in sequences(of)) == tree_size(of)


@given(st.lists(prefixes, max_size=5))
def test_the_memo_keeps_the_latest(batches: list[list[Prefix]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ttcs.prms.prefixes.MEMO", 5)
        memo = Memo()
        learnt: dict[Prefix, float] = {}
        for number, prefix in enumerate(prefix for batch in batches for prefix in batch):
            memo.learn({prefix: float(number)})
            learnt.pop(prefix, None)
            learnt[prefix] = float(number)
        asked = [Reading(Judge(tiny.trajectory()), tuple(learnt))]
        assert memo.known(asked) == dict(list(learnt.items())[-5:])
        memo.clear()
        assert memo.known(asked) == {}


def test_only_what_has_no_score_is_asked_for() -> None:
    whole = tiny.trajectory("one two", " ", "three", problem=Problem("p", "zero"))
    scored = replace(whole, steps=(replace(whole.steps[0], score=0.5), *whole.steps[1:]))
    fresh, again = reading(Judge(whole), read_words, 99), reading(Judge(scored), read_words, 99)
    assert [prefix and len(prefix) for prefix in fresh.prefixes] == [3, None, 4]
    assert [prefix and len(prefix) for prefix in again.prefixes] == [None, None, 4]
    assert (fresh.tokens, again.tokens) == (4, 4)
    assert again.judged({again.prefixes[2] or (): 0.25}, 3).scores == (0.5, None, 0.25)


def test_a_solution_that_is_too_long_is_not_read_at_all() -> None:
    whole = tiny.trajectory("one two", " ", "three", problem=Problem("p", "zero"))
    scored = replace(whole, steps=(replace(whole.steps[0], score=0.5), *whole.steps[1:]))
    assert reading(Judge(whole), read_words, 4).limit is None
    assert reading(Judge(whole), read_words, 3).judged({}, 0) == Judged((None, None, None), 0, 0, 3)
    assert reading(Judge(scored), read_words, 3).judged({}, 0) == Judged((0.5, None, None), 0, 0, 3)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_one_that_is_too_long_does_not_stop_the_others(family: Family) -> None:
    """On transformers; the engine of the others is asked by the same `reading`."""
    engine = family.prm(batch_size=4)
    long = tiny.trajectory(*["Add $1$ and $2$ and $3$ and $4$.\n\n"] * 120, "So.")
    short = tiny.trajectory("Add.\n\n", "So $\\boxed{1}$.")
    alone = judge(family.prm(batch_size=4), short)
    found = judge(engine, short, long, short)
    assert found[0].scores == pytest.approx(alone[0].scores, nan_ok=False)
    assert found[1] == Judged((None,) * 121, 0, 0, engine._context)
    assert found[2].scores == found[0].scores


@pytest.mark.parametrize("batch_size", [3, 8, 64])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_siblings_cost_the_tree_of_what_they_read(family: Family, batch_size: int) -> None:
    """Solutions of two problems at once: what they share is read once, and each token is charged to one of them."""
    stream = exercises("tests", Split.TEST)
    drawn = [next(stream) for _ in range(2)]
    solutions = [
        tiny.trajectory(*steps, problem=Problem(exercise.question[:9], exercise.question))
        for exercise in drawn
        for steps in variants([f"{step}\n\n" for step in exercise.solution()[0].split("\n\n")])
    ]
    engine = family.prm(batch_size)
    results = judge(engine, *solutions)
    asked = [p for each in solutions for p in reading(Judge(each), engine._reader, 512).prefixes if p]
    computed = sum(result.tokens - result.cached_tokens for result in results)
    pairs = len(sequences(asked))
    assert tree_size(asked) <= computed <= tree_size(asked) + WORTH * pairs
    alone = [judge(family.prm(), solution)[0].scores for solution in solutions]
    assert [result.scores for result in results] == [pytest.approx(scores, abs=1e-5) for scores in alone]


def variants(steps: list[str]) -> list[list[str]]:
    """Six solutions that part early, late, or not at all."""
    return [steps, [*steps[:-1], "So it is 1."], [*steps[:-1], "So it is 2."], ["Guess: 3."], ["No idea."], steps]


def test_a_long_solution_does_not_pad_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FAMILIES[0].prm()
    widths: list[list[int]] = []
    read = engine._model.read

    def watched(first: int, inputs: list[Prefix], starts: list[int]) -> torch.Tensor:
        widths.append([len(tokens) for tokens in inputs])
        return read(first, inputs, starts)

    monkeypatch.setattr(engine._model, "read", watched)
    others = [Problem(str(i), f"{i} of them?") for i in range(3)]
    judge(engine, tiny.trajectory("So on. " * 80), *(tiny.trajectory("It is 1.", problem=other) for other in others))
    assert [len(rows) for rows in widths] == [1, 3]
    assert widths[0][0] > 2 * max(widths[1])
