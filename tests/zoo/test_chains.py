"""The chains: every solution against a replay of its own, read off the question's text."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

import ttcs.zoo
from ttcs.answers.extraction import extract
from ttcs.config.options import CONF
from ttcs.zoo.chains.acts import run
from ttcs.zoo.chains.chain import TOO_FAR
from ttcs.zoo.chains.families import DOWN, DROPS, FAMILIES, RIGHT
from ttcs.zoo.chains.problems import ChainExercise, Chains, exercise, split_of
from ttcs.zoo.generator import LEVELS, Mistakes, Split
from ttcs.zoo.reasoner import Reasoner

CELLS = [(family, level) for family in sorted(FAMILIES) for level in LEVELS]
RULES = {"lock": "forward", "ring": "adding", "row": "other_way", "undo": "again"}


def draws(family: str, level: int, count: int = 30) -> list[ChainExercise]:
    rng = Random(f"{family}{level}")
    return [exercise(rng, Split.TRAIN, family, level) for _ in range(count)]


def corpus_mistakes() -> Mistakes:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        mistakes: Mistakes = instantiate(compose("mistakes/zoo_chains").mistakes, _convert_="all")
    return mistakes


def replayed(question: str) -> str:
    """The answer, by what the question says alone."""
    state = {place: int(digit) for place, digit in re.findall(r"([A-D])(\d)", question)}
    if turns := re.search(r"From (\w) on each in turn (\w+) the digit to its (\w+)", question):
        first, word, side = turns.groups()
        moves = []
        for turn in range(6):
            place = "ABCD"[("ABCD".index(first) + turn) % 4]
            beside = "ABCD"[("ABCD".index(place) + (1 if side == "right" else -1)) % 4]
            moves.append(f"{place} {'up' if word == 'adds' else 'down'} {beside}")
    else:
        moves = re.findall(r"\d: ([^.]+)\.", question)
    for move in moves:
        state = moved(state, move, undone="at first" in question)
    return "".join(str(state[place]) for place in "ABCD")


def moved(state: dict[str, int], move: str, undone: bool) -> dict[str, int]:
    words = move.split()
    if len(words) == 1:
        digits = [state[place] for place in "ABCD"]
        around = digits[1:] + digits[:1] if move == "left" else digits[-1:] + digits[:-1]
        return dict(zip("ABCD", around, strict=True))
    place, word, operand = words
    size = state[operand] if operand in state else int(operand)
    return state | {place: (state[place] + (size if (word == "up") != undone else -size)) % 10}


@pytest.mark.parametrize(("family", "level"), CELLS)
def test_the_solution_is_right_and_its_check_says_so(family: str, level: int) -> None:
    for drawn in draws(family, level):
        solution, answer = drawn.solution()
        assert answer == replayed(drawn.question) == drawn.problem("name").answer == extract(solution)
        *steps, check, final = solution.split("\n\n")
        assert [step.split(":")[0] for step in steps] == list("123456")
        assert check.startswith("Check: ") and check.endswith(" fits.")
        assert final == rf"The answer is $\boxed{{{answer}}}$."
        if family != "undo":
            assert "".join(re.findall(r"\d", steps[-1].split(": ")[-1])) == answer


@pytest.mark.parametrize(("family", "level"), CELLS)
def test_the_wording_tempts_from_level_2_on_and_never_at_the_last_listed_move(family: str, level: int) -> None:
    words = {"lock": DOWN, "undo": DOWN, "row": RIGHT, "ring": DROPS}[family]
    for drawn in draws(family, level):
        tempting = [word for word in re.findall(r"[a-z]+", drawn.question) if word in words]
        assert (level > 1) == bool(tempting)
        assert family == "ring" or not drawn.chain.tempting[-1]


def test_falling_for_the_wording_always_shows_in_the_answer_and_in_the_check() -> None:
    for family, rule in RULES.items():
        for drawn in draws(family, 4):
            reason = Reasoner(Random(0), misconceptions={rule: 1.0})
            solution, answer = drawn.solution(reason)
            assert set(reason.mistakes) == {rule}
            assert answer != drawn.chain.answer
            assert solution.split("\n\n")[-2].endswith(" does not fit.")


def test_one_who_trusts_says_that_a_wrong_solution_fits() -> None:
    for drawn in draws("undo", 3):
        reason = Reasoner(Random(0), misconceptions={"again": 1.0, "trusting": 1.0})
        steps = list(drawn.marked(reason))
        assert steps[-2][0].endswith(" fits.\n\n") and steps[-2][1] is not None
        assert reason.mistakes[-1] == "trusting"


@pytest.mark.parametrize(("family", "rule"), [("lock", "forward"), ("undo", "again"), ("ring", "adding")])
def test_a_check_goes_back_from_the_answer_and_compares_digit_by_digit(family: str, rule: str) -> None:
    for drawn in draws(family, 2):
        for reason in (Reasoner(), Reasoner(Random(0), misconceptions={rule: 1.0})):
            *_, check, final = drawn.solution(reason)[0].split("\n\n")
            *_, same, verdict = check.split(": ")
            found = re.findall(r"([A-D])(\d) (\d) (yes|no)", same)
            assert "".join(other for _, _, other, _ in found) == "".join(map(str, drawn.chain.given))
            state, back = tuple(map(int, final[-7:-3])), tuple(act.inverse for act in reversed(drawn.chain.acts))
            assert tuple(int(one) for _, one, _, _ in found) == run(state, back)
            assert re.findall(r" (\d): ", check) == list("654321")
            assert all((one == other) == (word == "yes") for _, one, other, word in found)
            assert (verdict == "fits.") == all(word == "yes" for *_, word in found)


def odd() -> Reasoner:
    return Reasoner(Random(1), misconceptions={"odd": 0.5})


def test_an_odd_mistake_changes_one_digit_and_the_rest_follows_from_the_text() -> None:
    for drawn in draws("row", 3):
        steps = [text for text, _ in drawn.marked(odd())]
        for before, (text, wrong) in zip(steps, drawn.marked(odd()), strict=True):
            assert before == text and (wrong is None or text[wrong].isdigit())
        worked = drawn.graded_right()
        first = next(place for place, text in enumerate(steps) if text != worked[place])
        assert sum(one != other for one, other in zip(steps[first], worked[first], strict=True)) == 1
        said, (answer, wrong) = re.sub(r"\D", "", steps[-3].split(":")[-1]), list(drawn.marked(odd()))[-1]
        assert sum(one != other for one, other in zip(said, re.sub(r"\D", "", answer), strict=True)) == (
            wrong is not None
        )


def test_a_check_says_what_the_replay_comes_to() -> None:
    mistakes, rng = corpus_mistakes().misconceptions, Random(1)
    quiet = {rule: [0.0] * 5 if rule == "trusting" else rates for rule, rates in mistakes.items()}
    rates = Mistakes([0.15] * 5, quiet)
    verdicts = Counter[tuple[bool, bool]]()
    for drawn in islice(Chains().exercises("check", Split.TRAIN), 400):
        solution, answer = drawn.solution(rates.reasoner(rng, drawn.level))
        verdicts[answer == drawn.chain.answer, solution.split("\n\n")[-2].endswith(" fits.")] += 1
    assert set(verdicts) == {(True, True), (False, False)}
    assert min(verdicts.values()) > 40


def test_a_marked_mistake_is_the_wrong_step_and_graded_is_what_follows_too() -> None:
    (drawn,) = draws("lock", 1, 1)
    steps = list(drawn.marked(Reasoner(Random(3), slip=0.3)))
    graded, _ = drawn.graded(Reasoner(Random(3), slip=0.3))
    own = [wrong is None for _, wrong in steps]
    first = own.index(False)
    assert any(own[first:])
    text, place = steps[first]
    worked = drawn.graded_right()
    assert place is not None
    assert text[:place] == worked[first][:place] and text[place] != worked[first][place]
    assert [right for _, right in graded] == [place < first for place in range(len(steps))]
    assert [text for text, _ in steps][:first] == worked[:first]
    assert steps[first][0] != worked[first]


def test_wrong_chains_seldom_end_right() -> None:
    """Measured on 3,000: 0.5 %."""
    rates, rng = corpus_mistakes(), Random(0)
    wrong = lucky = 0
    for drawn in islice(Chains().exercises("luck", Split.TRAIN), 1500):
        steps, answer = drawn.graded(rates.reasoner(rng, drawn.level))
        wrong += not steps[-3][1]
        lucky += not steps[-3][1] and answer == drawn.chain.answer
    assert wrong > 900
    assert lucky <= 0.01 * wrong


def test_two_or_three_slips_at_one_place_do_not_cancel() -> None:
    assert all(sum(slips) % 10 for count in (1, 2, 3) for slips in product(TOO_FAR, repeat=count))


def test_levels_are_apart_under_the_corpus_mistakes() -> None:
    rates, rng = corpus_mistakes(), Random(0)
    right = Counter[int]()
    for drawn in islice(Chains().exercises("levels", Split.TRAIN), 2000):
        right[drawn.level] += drawn.graded(rates.reasoner(rng, drawn.level))[1] == drawn.chain.answer
    assert [right[level] for level in LEVELS] == sorted(right.values(), reverse=True)
    assert right[1] > 3 * right[3] > 9 * right[5] > 0


def test_answers_are_of_ten_thousand() -> None:
    answers = Counter(drawn.chain.answer for drawn in islice(Chains().exercises("answers", Split.TRAIN), 1500))
    assert all(len(answer) == 4 for answer in answers)
    assert answers.most_common(1)[0][1] <= 5


def test_a_problem_is_in_one_split_in_whatever_words() -> None:
    for split in Split:
        stream: Any = Chains().exercises("x", split)
        assert {split_of(drawn.chain) for drawn in islice(stream, 200)} == {split}
    for drawn in draws("ring", 2, 40):
        chain = replace(drawn.chain, question=drawn.question.replace(DROPS[0], DROPS[3]))
        assert chain.question != drawn.question
        assert split_of(chain) is Split.TRAIN


def test_exercises_may_be_short() -> None:
    lengths = Counter(len(drawn.chain.acts) for drawn in islice(Chains(3).exercises("short", Split.TRAIN), 200))
    assert set(lengths) == {3, 4, 5, 6}
    for drawn in islice(Chains(1).exercises("short", Split.TRAIN), 200):
        solution, answer = drawn.solution()
        assert "1: " in solution and answer == drawn.chain.answer


def test_fixed_sets_are_distinct_even_and_reproducible() -> None:
    one, two = (Chains().fixed_set("a", Split.VALIDATION, 60) for _ in range(2))
    assert [drawn.question for drawn in one] == [drawn.question for drawn in two]
    assert len({drawn.chain.key for drawn in one}) == 60
    assert set(Counter((drawn.family, drawn.level) for drawn in one).values()) == {3}


def test_the_test_set_of_the_repository() -> None:
    path = Path(ttcs.zoo.__file__).parent / "data" / "chains.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    drawn = Chains().fixed_set("0", Split.TEST, 500)
    assert [(line["question"], line["answer"]) for line in lines] == [(one.question, one.chain.answer) for one in drawn]
    assert len({line["id"] for line in lines}) == 500
