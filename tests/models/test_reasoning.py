"""Thinking told from the answer, token by token."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Metaspace
from transformers import PreTrainedTokenizerFast

from tests import tiny
from ttcs.core import Continue, Problem, Step, Stop, Trajectory, Turn
from ttcs.errors import UserError
from ttcs.models.load import load_tokenizer
from ttcs.models.prompt import Prompt
from ttcs.models.reasoning import ReasoningFormat, Thinking
from ttcs.policies.draft import Draft, rules

LLAMA = ReasoningFormat(
    "<|start_header_id|>think<|end_header_id|>\n\n", "<|start_header_id|>answer<|end_header_id|>\n\n"
)
PLAIN = ReasoningFormat("<think>\n", "\n</think>\n\n", special=False)
FORMATS = pytest.mark.parametrize("format", [LLAMA, PLAIN], ids=["special", "plain"])
TOKENIZER: Any = load_tokenizer(tiny.folder())


def tokens(text: str) -> list[int]:
    ids: list[int] = TOKENIZER(text, add_special_tokens=False).input_ids
    return ids


def read(text: str, format: ReasoningFormat = LLAMA, **request: Any) -> tuple[Step, ...]:
    """A whole text read token by token, as far as it is wanted."""
    thinking = Thinking(format, TOKENIZER)
    made = rules(TOKENIZER, None, False, 200, 500, thinking)
    trajectory = request.pop("trajectory", Trajectory(tiny.PROBLEM))
    asked = Continue(trajectory, request.pop("max_steps", None), None, None, 0, **request)
    draft = Draft(made, asked, made.room(asked, 10))
    for token in tokens(text):
        if draft.finished:
            break
        draft.append(token)
    return draft.steps()


def shape(steps: tuple[Step, ...]) -> list[tuple[Stop, bool]]:
    return [(step.stop, step.thinking) for step in steps]


@FORMATS
def test_a_whole_solution_goes_through_thinking_to_the_answer(format: ReasoningFormat) -> None:
    text = f"So $1$.\n\nWait.{format.end}It is $\\boxed{{1}}$.<|eot_id|>"
    steps = read(text, format)
    assert shape(steps) == [(Stop.STEP, True), (Stop.STEP, True), (Stop.THOUGHT, True), (Stop.END, False)]
    whole = Trajectory(tiny.PROBLEM, steps)
    assert whole.finished and whole.thought
    assert steps[1].text.rstrip("\n") == "Wait."  # nothing of what ends it
    assert whole.solution.strip() == "It is $\\boxed{1}$."
    assert whole.tokens == tuple(tokens(text))
    assert whole.thinking_tokens == sum(len(step.tokens) for step in steps[:2])


@FORMATS
def test_where_only_thinking_is_wanted_its_end_is_a_step_of_its_own(format: ReasoningFormat) -> None:
    steps = read(f"So $1$. Wait.{format.end}It is 1.", format, thinking=50)
    assert shape(steps) == [(Stop.STEP, True), (Stop.THOUGHT, True)]
    assert Trajectory(tiny.PROBLEM, steps).live and not Trajectory(tiny.PROBLEM, steps).finished


@FORMATS
def test_what_must_not_come_next_where_the_end_is_suppressed(format: ReasoningFormat) -> None:
    thinking = Thinking(format, TOKENIZER)
    made = rules(TOKENIZER, None, False, 200, 500, thinking)
    assert made.suppressed == sorted({*made.ends, tokens(format.end.strip())[0]})
    asked = Continue(Trajectory(tiny.PROBLEM), None, None, None, 0, thinking=50, suppress=True)
    draft = Draft(made, asked, 40)
    assert draft.suppressed == made.suppressed
    draft.append(tokens("So")[0])
    assert draft.suppressed == []


def test_a_turn_that_ends_in_the_midst_of_thinking_ends_the_thinking_where_that_is_steered() -> None:
    steered = read("So $1$.<|eot_id|>", thinking=50)
    assert shape(steered) == [(Stop.STEP, True), (Stop.THOUGHT, True)]
    assert steered[0].text == "So $1$." and steered[1].text == ""
    alone = Trajectory(tiny.PROBLEM, read("So $1$.<|eot_id|>"))
    assert alone.finished and alone.solution == ""


def test_thinking_is_cut_at_its_limit_and_what_had_begun_to_end_it_is_taken_off() -> None:
    text = "So $1$. Wait."
    thought = len(tokens(text))
    for extra in range(1, len(tokens(LLAMA.end.strip()))):
        steps = read(text + LLAMA.end, thinking=thought + extra)
        assert shape(steps) == [(Stop.STEP, True), (Stop.THOUGHT, True)]
        assert steps[0].text == text
    steps = read(text + LLAMA.end, thinking=thought - 2)
    assert shape(steps) == [(Stop.CUT, True)]
    assert Trajectory(tiny.PROBLEM, steps).thinking_tokens == thought - 2
    assert Trajectory(tiny.PROBLEM, steps).live


def test_the_limit_is_on_all_of_the_thinking() -> None:
    first = Trajectory(tiny.PROBLEM, read("So $1$.\n\n", thinking=50, max_steps=1))
    steps = read("Wait, let me see once more. And again.", thinking=first.thinking_tokens + 4, trajectory=first)
    assert sum(len(step.tokens) for step in steps) == 4 and steps[-1].stop is Stop.CUT


def test_an_answer_is_taken_as_it_stands_at_its_limit() -> None:
    thought = Trajectory(tiny.PROBLEM, read(f"So.{LLAMA.end}", thinking=50))
    total = thought.thinking_tokens + 5
    steps = read("It is $1$ and so on and on and on.", total=total, trajectory=thought)
    assert shape(steps) == [(Stop.CUT, False)] and len(steps[0].tokens) == 5
    assert thought.extend(steps).finished


def test_a_box_in_the_thinking_ends_nothing() -> None:
    thinking = Thinking(LLAMA, TOKENIZER)
    made = rules(TOKENIZER, None, True, 200, 500, thinking)
    draft = Draft(made, Continue(Trajectory(tiny.PROBLEM), None, None, None, 0), 200)
    for token in tokens(f"Is it $\\boxed{{1}}$?\n\nNo.\n\n{LLAMA.end}$\\boxed{{2}}$.\n\n"):
        draft.append(token)
    assert [step.stop for step in draft.steps()] == [Stop.STEP, Stop.STEP, Stop.THOUGHT, Stop.END]


def test_limits_that_a_policy_cannot_keep_are_said() -> None:
    with pytest.raises(UserError, match=r"may need 2\d\d tokens more, but policy.max_tokens=200 .* leave 200"):
        read("So.", thinking=150, answer=80)
    plain = rules(TOKENIZER, None, False, 200, 500)
    with pytest.raises(UserError, match="steers the thinking of a reasoning model, and the policy is none"):
        plain.room(Continue(Trajectory(tiny.PROBLEM), None, None, None, 0, thinking=50), 10)


def test_a_model_without_the_tokens_is_said() -> None:
    with pytest.raises(UserError, match=r"has no token <\|im_start\|>, so it was not trained to think"):
        Thinking(ReasoningFormat("<|im_start|>think\n", "<|im_start|>answer\n"), TOKENIZER)
    with pytest.raises(UserError, match="has no token <think>"):
        Thinking(ReasoningFormat("<think>\n", "</think>"), TOKENIZER)
    with pytest.raises(UserError, match="end is empty"):
        Thinking(ReasoningFormat("a", " \n"), TOKENIZER)


def test_the_prompt_ends_where_the_thinking_begins_and_says_so_once() -> None:
    thinking = Thinking(LLAMA, TOKENIZER)
    prompt = Prompt(TOKENIZER, thinking=thinking)
    text = TOKENIZER.decode(prompt(tiny.PROBLEM))
    assert text.endswith("assistant<|end_header_id|>\n\n" + LLAMA.begin)
    assert thinking.opened(text) == ""
    told = TOKENIZER.decode(prompt(Problem("p", "What?", instruction="Be brief.")))
    assert "What?\n\nBe brief.<|eot_id|>" in told


def test_what_a_strategy_puts_there_is_given() -> None:
    thinking = Thinking(LLAMA, TOKENIZER)
    (wait,) = thinking.appended("Wait")
    assert wait.given and wait.thinking and TOKENIZER.decode(wait.tokens) == "Wait"
    assert thinking.appended("") == ()
    end, final = thinking.closed(cut=True)
    assert (end.stop, end.thinking, final.thinking, final.text) == (Stop.THOUGHT, True, False, "Final Answer:")
    assert thinking.closed(cut=False) == (end,)


def test_a_sign_that_the_end_also_begins_with_is_thinking() -> None:
    text = "If $a <"
    for format in (LLAMA, PLAIN):
        steps = read(text + " b$ or so.", format, thinking=len(tokens(text)))
        assert shape(steps) == [(Stop.CUT, True)]


def test_white_space_before_the_end_is_not_doubled() -> None:
    thinking = Thinking(PLAIN, TOKENIZER)
    assert thinking.closed(cut=False)[0].text == "</think>\n\n"
    assert thinking.closed(cut=True)[0].text == "\n</think>\n\n"
    written = TOKENIZER.decode(thinking.written(Prompt(TOKENIZER)(tiny.PROBLEM), "So it is.\n\n"))
    assert written == "<think>\nSo it is.\n</think>\n\n"


def test_earlier_attempts_are_shown_without_their_thinking() -> None:
    steps = read(f"So $1$.\n\n{LLAMA.end}It is $1$.<|eot_id|>")
    turns = (Turn(Trajectory(tiny.PROBLEM, steps), "Really?"),) * 2
    text = TOKENIZER.decode(Prompt(TOKENIZER, thinking=Thinking(LLAMA, TOKENIZER))(tiny.PROBLEM, turns))
    assert text.count("It is $1$.<|eot_id|>") == 2 and "So $1$." not in text
    assert text.count(LLAMA.begin) == 1 and text.endswith(LLAMA.begin)


def test_a_mark_of_several_words_is_seen_where_a_token_alone_has_no_space() -> None:
    """As with Llama 2: "▁Final" and "▁Answer" are decoded one by one to "Final" and "Answer"."""
    words = ["<unk>", "</s>", "▁So", "▁one.", "▁Final", "▁Answer:", "▁two"]
    core = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    core.pre_tokenizer, core.decoder = Metaspace(), MetaspaceDecoder()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>", eos_token="</s>")
    assert tokenizer.decode([5]) == "Answer:"
    thinking = Thinking(ReasoningFormat("", " Final Answer:", special=False), tokenizer)
    assert "".join(map(thinking.text, [4, 5])) == " Final Answer:"
