import json
import re
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

import ttcs.zoo
from ttcs import answers
from ttcs.zoo.families.count import Count
from ttcs.zoo.families.linear import Linear
from ttcs.zoo.families.mean import Mean
from ttcs.zoo.families.order import Order
from ttcs.zoo.families.remainder import Remainder
from ttcs.zoo.families.sequence import Sequence
from ttcs.zoo.generator import (
    FAMILIES,
    LEVELS,
    Exercise,
    Mistakes,
    Split,
    _bucket,
    exercise,
    exercises,
    fixed_set,
    split_of,
)
from ttcs.zoo.reasoner import Reasoner, latex

CELLS = [(family, level) for family in sorted(FAMILIES) for level in LEVELS]
RULES = {
    "across": "fraction",
    "add_rates": "percent",
    "collect_sign": "linear",
    "expand_first": "linear",
    "fence_post": "count",
    "half_difference": "midpoint",
    "half_way": "midpoint",
    "known_only": "mean",
    "left_to_right": "order",
    "move_sign": "linear",
    "next_multiple": "remainder",
    "off_by_one": "sequence",
    "rate_as_amount": "percent",
}


def draws(family, level, count=40):
    rng = Random(f"{family}{level}")
    return [exercise(rng, Split.TRAIN, family, level) for _ in range(count)]


def expected(instance):
    """The answer by another way than the solution takes."""
    match instance:
        case Order():
            return eval(instance.expression.replace(r"\cdot", "*"))
        case Remainder():
            return eval(instance.expression.replace(r"\cdot", "*")) % instance.modulus
        case Count():
            return sum(1 for i in range(instance.low, instance.high + 1) if i % instance.divisor == 0)
        case Sequence():
            terms = [instance.first + i * instance.step for i in range(instance.n)]
            return sum(terms) if instance.total else terms[-1]
        case Mean():
            return instance.mean * (len(instance.known) + 1) - sum(instance.known)
        case Linear():
            a, b, c, d = instance.a, instance.b, instance.c, instance.d
            return Fraction(c, a) - b if instance.form == "bracket" else Fraction(c - b, a - d)


@pytest.mark.parametrize(("family", "level"), CELLS)
def test_without_mistakes_the_answer_is_right_and_the_format_holds(family, level):
    for drawn in draws(family, level):
        solution, answer = drawn.solution()
        if (value := expected(drawn.instance)) is not None:
            assert answer == latex(value)
        assert answers.extract(solution) == answer
        parts = solution.split("\n\n")
        assert parts[-1] == rf"Therefore, the final answer is: $\boxed{{{answer}}}$. I hope it is correct."
        assert [re.match(r"## Step (\d+): \S", part)[1] for part in parts[:-1]] == [
            str(k) for k in range(1, len(parts))
        ]


@pytest.mark.parametrize("rule", RULES)
def test_a_misconception_changes_answers_and_only_where_it_is_invited(rule):
    changed = total = 0
    for level in LEVELS:
        for drawn in draws(RULES[rule], level):
            misled = drawn.solution(Reasoner(Random(0), misconceptions={rule: 1.0}))[1]
            changed += misled != drawn.solution()[1]
            total += 1
    assert 0.02 * total < changed < 0.9 * total


def test_slips_come_at_their_rate_per_digit():
    reason = Reasoner(Random(0), slip=0.1)
    assert sum(reason.value(7) != 7 for _ in range(5000)) / 5000 == pytest.approx(0.1, abs=0.02)
    assert sum(reason.value(-345) != -345 for _ in range(5000)) / 5000 == pytest.approx(0.3, abs=0.03)
    assert all(len(str(reason.value(100))) == 3 for _ in range(500))


def test_splits_are_disjoint_and_a_stream_stays_in_its_own():
    questions = {}
    for split in Split:
        stream = exercises("x", split)
        drawn = [next(stream).instance for _ in range(300)]
        assert {split_of(instance) for instance in drawn} == {split}
        wordings = [w for instance in drawn for w in (instance, instance.other_wording()) if w]
        questions[split] = {w.question for w in wordings}
    train = {q for q in questions[Split.TRAIN] if _is_train(q)}
    assert not train & (questions[Split.TEST] | questions[Split.VALIDATION])


def _is_train(question):
    return _bucket(question) is Split.TRAIN


@pytest.mark.parametrize(("family", "level"), CELLS)
def test_the_other_wording_is_the_same_problem_and_back_again(family, level):
    for drawn in draws(family, level, 10):
        twin = drawn.instance.other_wording()
        if twin is not None:
            assert twin.question != drawn.question
            assert twin.other_wording() == drawn.instance
            assert Exercise(family, level, twin).solution()[1] == drawn.solution()[1]


def test_fixed_sets_are_distinct_and_reproducible():
    one, two = fixed_set("a", Split.VALIDATION, 120), fixed_set("a", Split.VALIDATION, 120)
    assert [e.question for e in one] == [e.question for e in two]
    assert len({e.question for e in one}) == 120


def test_the_test_set_of_the_repository():
    path = Path(ttcs.zoo.__file__).parent / "data" / "test.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({line["id"] for line in lines}) == len({line["question"] for line in lines}) == len(lines) == 500
    assert {_bucket(line["question"]) for line in lines} == {Split.TEST}
    assert {line["level"] for line in lines} == set(LEVELS)
    drawn = fixed_set("0", Split.TEST, 500)
    assert [line["answer"] for line in lines] == [e.solution()[1] for e in drawn]
    assert [line["question"] for line in lines] == [e.question for e in drawn]


def test_mistakes_are_looked_up_by_level():
    mistakes = Mistakes((0.0, 0.1, 0.2, 0.3, 0.4), {"off_by_one": (0.0, 0.0, 0.0, 0.0, 1.0)})
    assert mistakes.reasoner(Random(0), 5).misled("off_by_one")
    assert not mistakes.reasoner(Random(0), 1).misled("off_by_one")
    assert mistakes.reasoner(Random(0), 2).slip == 0.1


def test_an_exercise_is_a_problem():
    problem = Exercise("order", 1, Order(((1, (3,)), (1, (4, 7))))).problem("name")
    assert (problem.id, problem.question, problem.answer, problem.level) == (
        "name",
        r"Compute $3 + 4 \cdot 7$.",
        "31",
        1,
    )
