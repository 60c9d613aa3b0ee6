"""Revision models: what they are trained on is what they are asked with."""

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tests import tiny
from ttcs.core import Continue, Problem, Step, Stop, Trajectory, Turn
from ttcs.errors import UserError
from ttcs.models.prompt import Prompt
from ttcs.models.revision import RevisionFormat, revision_format
from ttcs.policies.transformers import TransformersPolicy
from ttcs.training.chats import UNLABELLED, Chat, Encoder, Solutions, datasets
from ttcs.training.revision import Revisions
from ttcs.training.sft import ChatFineTuning

FORMAT = RevisionFormat("Write a better solution.", 4)
ATTEMPTS = ("## Step 1: Add: $1 + 1 = 3$.\n\nThe answer is $3$.", "## Step 1: Add: $1 + 1 = 1$.")
CHAT = Chat("Compute $1 + 1$.", "## Step 1: Add: $1 + 1 = 2$.\n\nThe answer is $2$.", ATTEMPTS)


@pytest.mark.parametrize("folder", [tiny.folder, tiny.qwen_math])
def test_an_example_is_what_a_policy_reads_and_the_loss_is_of_its_answer_alone(folder) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder())
    prompt = Prompt(tokenizer, revision=FORMAT)
    example = Encoder(tokenizer, prompt)(CHAT)
    sampled = [(*tokenizer(text, add_special_tokens=False).input_ids, tokenizer.eos_token_id) for text in ATTEMPTS]
    problem = Problem("p", CHAT.question)
    turns = [
        Turn(Trajectory(problem, (Step(0, tokens, text, Stop.END),)))
        for tokens, text in zip(sampled, ATTEMPTS, strict=True)
    ]
    read = prompt(problem, turns)
    answer = [*tokenizer(CHAT.answer, add_special_tokens=False).input_ids, tokenizer.eos_token_id]
    assert example["input_ids"] == [*read, *answer]
    assert example["labels"] == [UNLABELLED] * len(read) + answer
    text = tokenizer.decode(example["input_ids"])
    assert [text.count(part) for part in (*ATTEMPTS, CHAT.answer, FORMAT.request)] == [1, 1, 1, 2]


def test_no_question_is_on_both_sides_and_longer_examples_are_dropped() -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    problems = [Problem(f"{i}", f"Compute {i % 50}.", "$1$. " * (1 + i // 50)) for i in range(100)]
    encoder = Encoder(tokenizer, Prompt(tokenizer))
    train, held_out = datasets(Solutions(problems), encoder, 0.3, 1000)
    assert held_out is not None and len(train) + len(held_out) == 100 and len(held_out) % 2 == len(train) % 2 == 0
    questions = [{tokenizer.decode(ids).split("Compute")[1].split(".")[0] for ids in side["input_ids"]}
                 for side in (train, held_out)]  # fmt: skip
    assert not questions[0] & questions[1] and len(questions[0] | questions[1]) == 50
    short, none = datasets(Solutions(problems), encoder, 0.0, min(train["length"]) + 1)
    assert none is None and 0 < len(short) <= 50


def test_a_trained_model_says_how_it_is_asked_and_reads_more_than_its_start(tmp_path: Path) -> None:
    lines = [{"question": f"Compute ${i}$.", "attempts": list(ATTEMPTS) * (i % 3), "answer": f"It is ${i}$."}
             for i in range(24)]  # fmt: skip
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ChatFineTuning(
        chats=Revisions([str(tmp_path / "lines.jsonl")]),
        start=tiny.folder(),
        out=str(tmp_path / "out"),
        work=str(tmp_path / "work"),
        seed=0,
        arguments={"max_steps": 2, "per_device_train_batch_size": 8},
        revision=FORMAT,
        positions=768,
    ).run()
    assert revision_format(str(tmp_path / "out")) == FORMAT
    policy = TransformersPolicy(str(tmp_path / "out"), 0.8, 1.0, 20, 4)
    problem = Problem("p", "Compute $1$.")
    attempt = Trajectory(problem, (Step(0, (5, 6, 7) * 40, "text", Stop.END),))
    for turns in ((), (Turn(attempt),) * 4):
        policy.add(len(turns), Continue(Trajectory(problem, (), 0, turns), None, None, None, 0))
    read = {}
    while len(read) < 2:
        read |= {ticket: continued.prompt_tokens for ticket, continued in policy.step()}
    assert 512 < read[4] < 768  # the start's context is 512


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"question": "Q", "answer": "A"}', "1: not a line of stage=revision_data"), ("{", "1: not JSON")],
)
def test_another_file_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "lines.jsonl").write_text(text + "\n")
    with pytest.raises(UserError, match=said):
        list(Revisions([str(tmp_path / "lines.jsonl")]).chats())
