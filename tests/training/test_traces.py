"""Examples with thinking: made, read and encoded."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.load import load_tokenizer
from ttcs.models.prompt import Prompt
from ttcs.models.reasoning import ReasoningFormat, Thinking
from ttcs.training.chats import Chat, Encoder, Traces
from ttcs.training.made_traces import MadeTraces
from ttcs.zoo.chains.problems import Chains
from ttcs.zoo.generator import LEVELS, Mistakes

FORMAT = ReasoningFormat(
    "<|start_header_id|>think<|end_header_id|>\n\n", "<|start_header_id|>answer<|end_header_id|>\n\n"
)
TOKENIZER: Any = load_tokenizer(tiny.folder())
CHAT = Chat("What is $1 + 1$?", "Final Answer: $\\boxed{2}$", thinking="Add: $1 + 1 = 2$.\n\n")


def made(tmp_path: Path, **changes: Any) -> list[dict[str, Any]]:
    settings: dict[str, Any] = {
        "out": str(tmp_path / "traces.jsonl"),
        "seed": 0,
        "traces": 400,
        "mistakes": Mistakes([0.2] * len(LEVELS)),
        "care": [1.0, 0.5, 0.0],
        "rounds": [0.5, 0.25, 0.25],
        "words": {"Wait": 3.0, "Hmm": 1.0},
    }
    MadeTraces(**settings | changes).run()
    return [json.loads(line) for line in (tmp_path / "traces.jsonl").read_text().splitlines()]


def test_each_look_is_more_careful_and_the_last_one_is_the_answer(tmp_path: Path) -> None:
    right: dict[int, list[bool]] = defaultdict(list)
    words: Counter[str] = Counter()
    for line in made(tmp_path):
        answers = re.findall(r"it is \$(.*?)\$\.\n\n", line["thinking"])
        assert line["answer"] == rf"Final Answer: $\boxed{{{answers[-1]}}}$"
        for place, answer in enumerate(answers):
            right[place].append(answer == line["reference"])
        words.update(re.findall(r"(\w+), let me compute it again\.", line["thinking"]))
        assert line["thinking"].count("So it is") == 1
        again = re.findall(r"(Again|Now) it is", line["thinking"])
        assert again == ["Again" if a == b else "Now" for a, b in pairwise(answers)]
    rates = [sum(right[place]) / len(right[place]) for place in range(3)]
    assert rates[0] < rates[1] - 0.1 < rates[2] and rates[2] == 1.0
    assert [len(right[place]) / 400 for place in range(3)] == pytest.approx([1.0, 0.5, 0.25], abs=0.07)
    assert words["Wait"] / words.total() == pytest.approx(0.75, abs=0.08)


def test_an_answer_can_be_the_last_attempt_as_it_is_written_for_others(tmp_path: Path) -> None:
    """Of the same mistakes as in the thinking, and its check sees them."""
    plain = made(tmp_path, problems=Chains(), care=[1.0], rounds=[1.0], worked=0.0)
    lines = made(tmp_path, problems=Chains(), care=[1.0], rounds=[1.0], worked=0.5)
    whole = [line for line in lines if "Check:" in line["answer"]]
    assert 160 < len(whole) < 240
    for line in whole:
        notes, said = line["thinking"].split("So it is")
        assert line["answer"].startswith(notes) and "Check:" not in line["thinking"]
        *_, check, final = line["answer"].split("\n\n")
        digits = re.search(r"\$(\d{4})\$", said)[1]  # type: ignore[index]
        assert final == rf"The answer is $\boxed{{{digits}}}$."
        assert check.endswith(": fits.") == (digits == line["reference"])
    assert {line["reference"] == re.findall(r"\d{4}", line["thinking"])[-1] for line in whole} == {True, False}
    assert all(re.fullmatch(r"Final Answer: \$\\boxed\{\d{4}\}\$", line["answer"]) for line in plain)


def test_worked_answers_of_arithmetic_have_its_steps(tmp_path: Path) -> None:
    for line in made(tmp_path, traces=20, worked=1.0):
        assert line["answer"].startswith("## Step 1: ") and "Therefore, the final answer is" in line["answer"]


def test_the_seed_decides(tmp_path: Path) -> None:
    assert made(tmp_path, traces=20) == made(tmp_path, traces=20) != made(tmp_path, traces=20, seed=1)


def test_the_loss_is_on_thinking_and_answer_alone() -> None:
    thinking = Thinking(FORMAT, TOKENIZER)
    example = Encoder(TOKENIZER, Prompt(TOKENIZER), thinking)(CHAT)
    pairs = zip(example["input_ids"], example["labels"], strict=True)
    learnt = TOKENIZER.decode([token for token, label in pairs if label != -100])
    assert learnt == f"{FORMAT.begin}{CHAT.thinking}{FORMAT.end}{CHAT.answer}<|eot_id|>"
    assert all(label in (-100, token) for token, label in zip(example["input_ids"], example["labels"], strict=True))


def test_a_trained_example_begins_as_a_policy_s_prompt_does() -> None:
    thinking = Thinking(FORMAT, TOKENIZER)
    ids = Encoder(TOKENIZER, Prompt(TOKENIZER), thinking)(CHAT)["input_ids"]
    prompt = Prompt(TOKENIZER, thinking=thinking)(Problem("p", CHAT.question))
    assert tuple(ids[: len(prompt)]) == prompt


def test_thinking_and_its_format_come_together() -> None:
    with pytest.raises(UserError, match=r"stage\.reasoning does not say how it is told from the answer"):
        Encoder(TOKENIZER, Prompt(TOKENIZER))(CHAT)
    with pytest.raises(UserError, match=r"an example has no thinking, which stage\.reasoning is for: 'What'"):
        Encoder(TOKENIZER, Prompt(TOKENIZER), Thinking(FORMAT, TOKENIZER))(Chat("What", "2"))


def test_traces_are_read_from_a_curated_file(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps({"question": "q", "thinking": "t", "answer": "a", "domain": None}) + "\n")
    assert list(Traces([str(path)]).chats()) == [Chat("q", "a", thinking="t")]
    path.write_text(json.dumps({"question": "q", "thinking": "", "answer": "a"}) + "\n")
    with pytest.raises(UserError, match=r"data\.jsonl:1: a trace without thinking"):
        list(Traces([str(path)]).chats())
