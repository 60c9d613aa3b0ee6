from transformers import AutoTokenizer

from tests import tiny
from ttcs.core import Problem
from ttcs.models.boundaries import Boundaries
from ttcs.models.chat import prompt_ids
from ttcs.training.corpus import encode


def tokenizer():
    return AutoTokenizer.from_pretrained(tiny.folder())


def test_text_survives_the_round_trip():
    text = "## Step 1: $\\frac{12}{7}$ é ∑\n\nTherefore, ...\n"
    encoder = tokenizer()
    assert encoder.decode(encoder(text, add_special_tokens=False).input_ids) == text


def test_digits_are_one_token_each():
    encoder = tokenizer()
    assert [encoder.decode([i]) for i in encoder("12345", add_special_tokens=False).input_ids] == list("12345")


def test_the_template_trims_a_message_so_a_partial_answer_is_continued_by_tokens():
    encoder = tokenizer()
    rendered = encoder.apply_chat_template([{"role": "assistant", "content": "a step\n\n"}], tokenize=False)
    assert "a step<|eot_id|>" in rendered  # the trap: the newlines are gone
    prompt = prompt_ids(encoder, tiny.PROBLEM.question)
    step = encoder("## Step 1: Add: $3 + 4 = 7$.\n\n", add_special_tokens=False).input_ids
    rest = encoder("## Step 2: Add.", add_special_tokens=False).input_ids
    whole = encoder("## Step 1: Add: $3 + 4 = 7$.\n\n## Step 2: Add.", add_special_tokens=False).input_ids
    assert [*prompt, *step, *rest] == [*prompt, *whole]


def test_plain_encoding_adds_a_bos_and_prompts_have_exactly_one():
    encoder = tokenizer()
    assert encoder("text").input_ids[0] == encoder.bos_token_id
    assert prompt_ids(encoder, "question", system="be brief").count(encoder.bos_token_id) == 1


def test_step_ends_are_found_in_whatever_token_they_hide():
    encoder = tokenizer()
    boundaries = Boundaries(encoder)
    for text in ("One.\n\n", "Two: $7$.\n\n", "Three\n\n"):
        previous, ended = None, []
        for token in encoder(text, add_special_tokens=False).input_ids:
            ended.append(boundaries.ends_step(previous, token))
            previous = token
        assert ended == [False] * (len(ended) - 1) + [True], text
    newline = encoder("\n", add_special_tokens=False).input_ids[-1]
    assert boundaries.ends_step(newline, newline)
    assert not boundaries.ends_step(None, newline)


def test_examples_have_loss_on_the_solution_only():
    encoder = tokenizer()
    example = encode(encoder, Problem("p", "question").question, "solution")
    prompt = prompt_ids(encoder, "question")
    assert example["labels"][: len(prompt)] == [-100] * len(prompt)
    assert example["labels"][len(prompt) :] == example["input_ids"][len(prompt) :]
    assert example["input_ids"][-1] == encoder.eos_token_id
