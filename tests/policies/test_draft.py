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
from ttcs.core import Continue, Stop, Trajectory
from ttcs.identity import PACKAGE
from ttcs.models.load import load_tokenizer
from ttcs.policies.draft import Draft, End, Rules, rules

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
