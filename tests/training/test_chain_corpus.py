"""The corpora of the chains, and the other stages on their problems."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from datasets import load_from_disk
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ttcs.models.boundaries import Boundaries
from ttcs.models.chat import prompt_ids
from ttcs.training.chain_corpus import ChainCorpus, encode
from ttcs.training.corpus import ProblemSet, Tokenizer
from ttcs.training.fact_corpus import FactCorpus, fact
from ttcs.zoo.chains.problems import ChainExercise, Chains, exercise
from ttcs.zoo.generator import Mistakes, Split
from ttcs.zoo.reasoner import Reasoner

SLIPS = Mistakes([0.3] * 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = str(tmp_path_factory.mktemp("chains") / "tokenizer")
    Tokenizer(out, 0, 512, 200, Chains()).run()
    return out


@pytest.fixture(scope="module")
def tokenizer(folder: str) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder)


def drawn() -> ChainExercise:
    return exercise(Random(0), Split.TRAIN, "lock", 1)


def test_a_wrong_step_is_no_lesson_and_all_else_is(tokenizer: PreTrainedTokenizerBase) -> None:
    example = encode(tokenizer, drawn(), Reasoner(Random(3), slip=0.3), learnt=False)
    steps = list(drawn().marked(Reasoner(Random(3), slip=0.3)))
    assert not all(wrong is None for _, wrong in steps)
    lessons = "".join(text for text, wrong in steps if wrong is None)
    pairs = list(zip(example["input_ids"], example["labels"], strict=True))
    assert tokenizer.decode([label for _, label in pairs if label >= 0]) == f"{lessons}<|eot_id|>"
    assert all(label in (-100, token) for token, label in pairs)
    assert " does not fit." in lessons
    prompt = prompt_ids(tokenizer, drawn().question)
    assert example["input_ids"][: len(prompt)] == prompt
    whole = tokenizer("".join(text for text, _ in steps), add_special_tokens=False).input_ids
    assert example["input_ids"][len(prompt) : -1] == whole  # as a policy would be shown it
    assert example["length"] == len(pairs)


def test_what_is_learnt_is_learnt_with_its_mistakes(tokenizer: PreTrainedTokenizerBase) -> None:
    example = encode(tokenizer, drawn(), Reasoner(Random(3), slip=0.3), learnt=True)
    prompt = len(prompt_ids(tokenizer, drawn().question))
    assert example["labels"] == [-100] * prompt + example["input_ids"][prompt:]


def test_every_step_ends_in_one_token_that_ends_steps(tokenizer: PreTrainedTokenizerBase) -> None:
    boundaries = Boundaries(tokenizer)
    for text, _ in drawn().marked(Reasoner()):
        *_, before, last = tokenizer(text, add_special_tokens=False).input_ids
        assert boundaries.ends_step(before, last) == text.endswith("\n\n")


def test_a_corpus_is_reproducible_and_errs_in_the_share_it_is_told(tmp_path: Path, folder: str) -> None:
    def corpus(name: str, erring: float, learnt: bool = False) -> list[list[int]]:
        ChainCorpus(str(tmp_path / name), folder, 0, 60, 1, SLIPS, erring, learnt).run()
        labels: list[list[int]] = load_from_disk(str(tmp_path / name))["labels"][:]
        return labels

    def masked(labels: list[list[int]]) -> int:
        """Rows in which a lesson stands before something that is none."""
        return sum(any(a >= 0 and b < 0 for a, b in pairwise(row)) for row in labels)

    half = corpus("a", 0.5)
    assert half == corpus("b", 0.5)
    assert masked(corpus("c", 0.0)) == masked(corpus("d", 1.0, learnt=True)) == 0
    assert 5 < masked(half) < masked(corpus("e", 1.0))


def test_a_problem_set_of_chains(tmp_path: Path) -> None:
    ProblemSet(str(tmp_path / "test.jsonl"), 0, "test", 40, Chains()).run()
    lines = [json.loads(line) for line in (tmp_path / "test.jsonl").read_text().splitlines()]
    assert {line["family"] for line in lines} == {"lock", "ring", "row", "undo"}
    assert all(rf"\boxed{{{line['answer']}}}" in line["solution"] for line in lines)


def test_facts_are_right_and_only_the_result_is_a_lesson(tmp_path: Path, folder: str) -> None:
    FactCorpus(str(tmp_path / "facts"), folder, 0, 200, 0.5).run()
    rows = load_from_disk(str(tmp_path / "facts"))
    encoder = AutoTokenizer.from_pretrained(folder)
    for ids, labels in zip(rows["input_ids"], rows["labels"], strict=True):
        text = encoder.decode(ids)
        one, sign, other, result = re.fullmatch(  # type: ignore[union-attr]
            r"<\|begin_of_text\|>[1-6]: [A-D](\d)([+-])[A-D]?(\d)=[A-D](\d)", text
        ).groups()
        assert eval(f"({one} {sign} {other} - {result}) % 10") == 0
        assert labels == [-100] * (len(ids) - 1) + ids[-1:]


def test_small_facts_come_as_often_as_told() -> None:
    rng = Random(0)
    assert all(re.search(r"[+-][A-D]?[12]=", fact(rng, 1.0)) for _ in range(50))
    assert {re.search(r"(\d)=", fact(rng, 0.0))[1] for _ in range(200)} == set("0123456789")  # type: ignore[index]


def test_a_fact_is_written_as_in_a_step(tokenizer: PreTrainedTokenizerBase) -> None:
    rng = Random(0)
    step = drawn().graded_right()[0]
    sizes = {len(tokenizer(f"1: {fact(rng, 0.5)}", add_special_tokens=False).input_ids) for _ in range(50)}
    assert sizes == {len(tokenizer(step.rpartition(": ")[0], add_special_tokens=False).input_ids)}
