"""Prompts that hold earlier attempts."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests import tiny
from ttcs.core import Continue, Message, Step, Stop, Trajectory, Turn
from ttcs.errors import UserError
from ttcs.models.load import load_tokenizer
from ttcs.models.prompt import Prompt
from ttcs.models.revision import RevisionFormat, revision_format
from ttcs.policies.transformers import TransformersPolicy

ASKED = "Write a better solution."
TRAINED = RevisionFormat(ASKED, attempts=2)
TEXTS = ["## Step 1: Multiply.\n\n$28$", "It is $\\boxed{31}$."]


def attempt(text: str, end: bool = True) -> Trajectory:
    """As a policy writes it: with the token that ends its turn, unless its answer ended it."""
    tokenizer = load_tokenizer(tiny.folder())
    tokens = tokenizer(text + (tokenizer.eos_token if end else ""), add_special_tokens=False).input_ids
    return Trajectory(tiny.PROBLEM, (Step(0, tuple(tokens), text, Stop.END),))


@pytest.mark.parametrize("end", [True, False])
def test_a_history_is_the_chat_that_the_template_writes(end: bool) -> None:
    tokenizer = load_tokenizer(tiny.folder())
    prompt = Prompt(tokenizer, "be brief", revision=TRAINED)
    history = tuple(Turn(attempt(text, end)) for text in TEXTS)
    chat = [{"role": "system", "content": "be brief"}, {"role": "user", "content": tiny.PROBLEM.question}]
    for text in TEXTS:
        chat += [{"role": "assistant", "content": text}, {"role": "user", "content": ASKED}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert tokenizer.decode(prompt(tiny.PROBLEM, history)) == text
    assert prompt.messages(tiny.PROBLEM, history) == chat


@pytest.mark.parametrize("system", [None, "be brief"])
def test_what_was_said_before_comes_before(system: str | None) -> None:
    tokenizer = load_tokenizer(tiny.folder())
    said = (Message("system", "in French"), Message("user", "Say one"), Message("assistant", "un"))
    problem = replace(tiny.PROBLEM, before=said)
    prompt, history = Prompt(tokenizer, system, revision=TRAINED), (Turn(attempt(TEXTS[0])),)
    told = "in French" if system is None else "be brief\n\nin French"
    chat = [{"role": "system", "content": told}, {"role": "user", "content": "Say one"}]
    chat += [{"role": "assistant", "content": "un"}, {"role": "user", "content": tiny.PROBLEM.question}]
    for turns in ((), history):
        if turns:
            chat += [{"role": "assistant", "content": TEXTS[0]}, {"role": "user", "content": ASKED}]
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        assert tokenizer.decode(prompt(problem, turns)) == text
        assert prompt.messages(problem, turns) == chat
    assert prompt(problem.alone) == prompt(tiny.PROBLEM)


def test_a_template_that_drops_what_was_said_before_is_told() -> None:
    last = "{{ bos_token }}{% for message in messages[-1:] %}{{ message['content'] }}{% endfor %}"
    problem = replace(tiny.PROBLEM, before=(Message("user", "Say one"), Message("assistant", "un")))
    prompt = Prompt(load_tokenizer(tiny.folder()), chat_template=last)
    assert prompt(tiny.PROBLEM)
    with pytest.raises(UserError, match=r"the chat template of .* writes the (question|assistant)"):
        prompt(problem)


def test_such_a_conversation_is_refused_before_others_notice() -> None:
    last = "{{ bos_token }}{% for message in messages[-1:] %}{{ message['content'] }}{% endfor %}"
    engine = TransformersPolicy(tiny.folder(), 0.8, 1.0, 4, 4, chat_template=last)
    problem = replace(tiny.PROBLEM, before=(Message("user", "Say one"), Message("assistant", "un")))
    engine.add(0, Continue(Trajectory(tiny.PROBLEM), None, None, None, 0))
    with pytest.raises(UserError, match="the chat template"):
        engine.add(1, Continue(Trajectory(problem), None, None, None, 0))
    done: list[int] = []
    while not done:
        done += [ticket for ticket, _ in engine.step()]
    assert done == [0]


def test_the_tokens_of_an_attempt_stay_what_they_were() -> None:
    """A prompt begins with the one before it, so nothing that was computed is computed again."""
    prompt = Prompt(load_tokenizer(tiny.folder()), revision=TRAINED)
    first, second = (Turn(attempt(text)) for text in TEXTS)
    shorter = prompt(tiny.PROBLEM, (first,))
    said = (*prompt(tiny.PROBLEM), *first.attempt.tokens)
    assert shorter[: len(said)] == said
    assert prompt(tiny.PROBLEM, (first, second))[: len(shorter)] == shorter


def test_what_the_user_says_may_be_said_with_the_attempt() -> None:
    tokenizer = load_tokenizer(tiny.folder())
    ids = Prompt(tokenizer)(tiny.PROBLEM, (Turn(attempt(TEXTS[0]), "Really?"),))
    assert tokenizer.decode(ids).count("Really?") == 1


def test_a_policy_that_was_not_trained_to_revise() -> None:
    prompt = Prompt(load_tokenizer(tiny.folder()))
    with pytest.raises(UserError, match=r"was not trained to revise.*strategy=self_refine"):
        prompt(tiny.PROBLEM, (Turn(attempt(TEXTS[0])),))


def test_more_attempts_than_it_was_trained_on() -> None:
    prompt = Prompt(load_tokenizer(tiny.folder()), revision=TRAINED)
    with pytest.raises(UserError, match=r"3 attempts in context.*at most 2: strategy.window=2"):
        prompt(tiny.PROBLEM, (Turn(attempt(TEXTS[0])),) * 3)


def test_a_model_says_how_it_was_trained(tmp_path: Path) -> None:
    TRAINED.save(str(tmp_path))
    assert revision_format(str(tmp_path)) == revision_format(str(tmp_path), TRAINED) == TRAINED
    with pytest.raises(UserError, match=r"was trained to revise on '.*' with at most 2"):
        revision_format(str(tmp_path), RevisionFormat("Again!", 2))
    (tmp_path / "revision.json").write_text(json.dumps({"attempts": 2}))
    with pytest.raises(UserError, match="not a revision format"):
        revision_format(str(tmp_path))


def test_a_model_that_says_nothing_is_taken_at_the_users_word() -> None:
    assert revision_format(tiny.folder()) is None
    assert revision_format(tiny.folder(), TRAINED) == TRAINED


def policy(folder: Path, max_tokens: int = 40) -> TransformersPolicy:
    shutil.copytree(tiny.folder(), folder, dirs_exist_ok=True)
    TRAINED.save(str(folder))
    return TransformersPolicy(str(folder), 0.8, 1.0, max_tokens, 4)


def test_a_revision_is_written_behind_its_history(tmp_path: Path) -> None:
    engine = policy(tmp_path)
    history = tuple(Turn(attempt(text)) for text in TEXTS)
    engine.add(0, Continue(Trajectory(tiny.PROBLEM, history=history), None, None, None, 0))
    engine.add(1, Continue(Trajectory(tiny.PROBLEM), None, None, None, 0))
    done: dict[int, int] = {}
    while len(done) < 2:
        done |= {ticket: continued.prompt_tokens for ticket, continued in engine.step()}
    expected = Prompt(load_tokenizer(tiny.folder()), revision=TRAINED)
    assert done == {0: len(expected(tiny.PROBLEM, history)), 1: len(expected(tiny.PROBLEM))}


def test_a_chain_longer_than_the_context(tmp_path: Path) -> None:
    engine = policy(tmp_path, max_tokens=2000)
    long = attempt("word " * 300)
    engine.add(0, Continue(Trajectory(tiny.PROBLEM, history=(Turn(long),) * 2), None, None, None, 0))
    with pytest.raises(UserError, match=r"problem p: 2 earlier attempts take \d+ of the \d+ tokens .* strategy.window"):
        engine.step()
