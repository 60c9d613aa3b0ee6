"""What a policy has written, cut into steps: on real tokenizers, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders

from tests import tiny
from ttcs.config.identity import PACKAGE
from ttcs.core import Continue, Stop, Trajectory
from ttcs.errors import UserError
from ttcs.models.load import load_tokenizer
from ttcs.policies.draft import Draft, End, Rules, rules
from ttcs.policies.limits import check_step_tokens

FOLDERS: dict[str, Any] = {
    "bytes": tiny.folder,
    "qwen": tiny.qwen_math,
    "sentencepiece": tiny.math_shepherd,
    "stripping": tiny.math_shepherd,  # of the space that a text begins with, as Llama 2's does
    "zoo": lambda: str(PACKAGE / "zoo" / "models" / "policy"),
}
every = pytest.mark.parametrize("name", FOLDERS)
PIECES = (
    "So",
    " $3 + 4$",
    "\n\n",
    "\n",
    " ",
    ".\n\n",
    "x",
    "7",
    "é",
    "ки",
    "数学",
    "🙂",
    "👩‍🔬",
    "\ufffd",
    "\t",
    "##",
    " \\boxed{1}",
)


@cache
def made(name: str, **limits: Any) -> tuple[Any, Rules]:
    tokenizer = load_tokenizer(FOLDERS[name]())
    if name == "stripping":
        strip = decoders.Strip(" ", 1, 0)
        steps = decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), strip
        tokenizer.backend_tokenizer.decoder = decoders.Sequence(list(steps))
    return tokenizer, rules(tokenizer, None, False, 10**6, 10**6, **limits)


def drafted(made: Rules, tokens: Sequence[int], max_steps: int | None = None, **request: Any) -> Draft:
    draft = Draft(made, Continue(Trajectory(tiny.PROBLEM), max_steps, None, None, 0, **request), 10**6)
    for token in tokens:
        if draft.finished:
            break
        draft.append(token)
    return draft


def texts(draft: Draft) -> list[str]:
    """As defined: what the text up to the end of a step has beyond that up to its beginning."""
    ends = [end.at for end in draft._ends]
    decoded = [draft.rules.decode(draft.tokens[:end]) for end in (0, *ends)]
    return [after[len(before) :] for before, after in pairwise(decoded)]


@every
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_texts_of_steps_that_end_anywhere_even_within_a_character(name: str, data: st.DataObject) -> None:
    tokenizer, made_rules = made(name)
    text = "".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=30)))
    tokens = tokenizer(text, add_special_tokens=False).input_ids
    if data.draw(st.booleans()):  # what no text is written as, a sampler may draw
        tokens = data.draw(st.permutations(tokens))
    if data.draw(st.booleans()):
        tokens = [*tokens, *data.draw(st.lists(st.integers(0, len(tokenizer) - 1), max_size=12)), *tokens]
    draft = drafted(made_rules, ())
    draft.tokens = list(tokens)
    ends = sorted(data.draw(st.sets(st.integers(1, len(tokens)), max_size=8))) if tokens else []
    draft._ends = [End(at, Stop.STEP, False) for at in ends]
    draft.logprobs = [0.0] * len(tokens)
    assert [step.text for step in draft.steps()] == texts(draft)


def test_bytes_of_a_character_meet_across_a_special_token() -> None:
    tokenizer, made_rules = made("bytes")
    first, second, third = tokenizer("\ufffd", add_special_tokens=False).input_ids
    draft = drafted(made_rules, ())
    draft.tokens = [second, first, third, tokenizer.convert_tokens_to_ids("<|end_of_text|>"), second, first]
    draft.logprobs = [0.0] * len(draft.tokens)
    draft._ends = [End(at, Stop.STEP, False) for at in (1, 2, 4, 5)]
    assert [step.text for step in draft.steps()] == texts(draft)


@every
def test_a_long_solution_is_decoded_a_few_times_not_once_a_step(name: str) -> None:
    tokenizer, made_rules = made(name)
    lengths: list[int] = []

    def decode(tokens: Sequence[int]) -> str:
        lengths.append(len(tokens))
        return made_rules.decode(tokens)

    tokens = tokenizer("So $3 + 4 = 7$.\n\n" * 300, add_special_tokens=False).input_ids
    draft = drafted(made_rules, tokens)
    draft.rules = replace(made_rules, decode=decode)
    assert len(draft.steps()) > 250
    assert sum(lengths) < 4 * len(tokens)


def test_a_step_that_runs_away_is_cut_off() -> None:
    tokenizer, limited = made("bytes", step_tokens=6)
    short, long = "So.\n\n", "So " * 20
    assert len(tokenizer(short, add_special_tokens=False).input_ids) <= 6
    tokens = tokenizer(short + long, add_special_tokens=False).input_ids
    steps = drafted(limited, tokens, max_steps=9).steps()
    assert [step.stop for step in steps] == [Stop.STEP, Stop.STEP_LENGTH] and len(steps[-1].tokens) == 6
    assert Trajectory(tiny.PROBLEM, steps).cut_off
    exact = tokenizer(short, add_special_tokens=False).input_ids
    (step,) = drafted(made("bytes", step_tokens=len(exact))[1], exact, max_steps=1).steps()
    assert step.stop is Stop.STEP


def test_what_is_asked_for_whole_or_has_a_limit_of_its_own_has_none_on_its_steps() -> None:
    tokenizer, limited = made("bytes", step_tokens=6)
    tokens = tokenizer("So " * 20, add_special_tokens=False).input_ids
    assert drafted(limited, tokens)._ends == []
    assert drafted(limited, tokens, max_steps=1, thinking=50)._ends == []


def test_the_limit_of_the_solution_goes_before_that_of_the_step() -> None:
    tokenizer, limited = made("bytes", step_tokens=6)
    tokens = tokenizer("So " * 20, add_special_tokens=False).input_ids
    draft = Draft(limited, Continue(Trajectory(tiny.PROBLEM), 1, 6, None, 0, capped=True), 6)
    for token in tokens[:6]:
        assert draft.left_of_step == draft.left == 6 - len(draft.tokens)
        draft.append(token)
    assert [step.stop for step in draft.steps()] == [Stop.BUDGET]


@pytest.mark.parametrize("size", [0, -3])
def test_a_step_has_room_for_a_token(size: int) -> None:
    with pytest.raises(UserError, match=rf"^policy.step_tokens={size} is less than 1$"):
        check_step_tokens(size)
