from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from tests import tiny
from ttcs.errors import UserError
from ttcs.prms.conversation import Conversation

STEPS = ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", "## Step 2: Add.\n\n", "The answer is: $\\boxed{31}$.")


def test_tokens_are_those_of_the_templated_chat_and_prefixes_are_prefixes() -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    conversation = Conversation(tokenizer)
    whole, ends = conversation.encode(tiny.PROBLEM, STEPS)
    for depth, end in enumerate(ends, 1):
        assert conversation.encode(tiny.PROBLEM, STEPS[:depth])[0] == whole[:end]
    assert whole.count(tokenizer.bos_token_id) == 1


def test_a_template_that_writes_earlier_turns_in_another_way_is_refused() -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    tokenizer.chat_template = "{{ messages | length }}{% for m in messages %} {{ m['content'] }}{% endfor %}"
    with pytest.raises(UserError, match="another way"):
        Conversation(tokenizer)
