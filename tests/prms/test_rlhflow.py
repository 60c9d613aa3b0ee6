import dataclasses

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests import tiny
from ttcs.core import Judge
from ttcs.errors import UserError
from ttcs.prms.conversation import Conversation
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.transformers import TransformersPRM
from ttcs.prms.verdict import token_id

STEPS = ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", "## Step 2: Add.\n\n", "The answer is: $\\boxed{31}$.")
OTHER = ("## Step 1: Go from left to right: $3 + 4 = 7$.\n\n", "So $\\boxed{49}$.")


def judge(engine, *trajectories):
    for ticket, trajectory in enumerate(trajectories):
        engine.add(ticket, Judge(trajectory))
    results = {}
    while len(results) < len(trajectories):
        results.update(engine.step())
    return [results[i] for i in range(len(trajectories))]


def prm(batch_size=8):
    return TransformersPRM(RLHFlow(), tiny.folder(), batch_size)


def plain_scores(texts):
    """As RLHFlow's own example does it: template the whole chat, read the logits where each "+" is predicted."""
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()
    chat, scores = [], []
    plus, minus = (token_id(tokenizer, sign, "tiny") for sign in "+-")
    for place, text in enumerate(texts):
        content = f"{tiny.PROBLEM.question} {text.strip()}" if place == 0 else text.strip()
        chat += [{"role": "user", "content": content}, {"role": "assistant", "content": "+"}]
        ids = tokenizer.apply_chat_template(chat, tokenize=True, return_dict=False)
        logits = model(torch.tensor([ids])).logits[0, -3]  # "+" and the end of the turn come after it
        scores.append(torch.softmax(logits[[plus, minus]], -1)[0].item())
    return scores


def test_scores_are_those_of_the_templated_chat():
    (result,) = judge(prm(), tiny.trajectory(*STEPS))
    assert result.scores == pytest.approx(plain_scores(STEPS), abs=1e-5)
    assert result.cached_tokens == 0


def test_batched_is_single():
    alone = [judge(prm(), tiny.trajectory(*steps))[0].scores for steps in (STEPS, OTHER)]
    together = [result.scores for result in judge(prm(), tiny.trajectory(*STEPS), tiny.trajectory(*OTHER))]
    assert together[0] == pytest.approx(alone[0], abs=1e-6)
    assert together[1] == pytest.approx(alone[1], abs=1e-6)


def test_a_prefix_already_scored_is_not_computed_again():
    engine = prm()
    whole = tiny.trajectory(*STEPS)
    known, before = [], 0
    for _ in whole.steps:
        steps = tuple(dataclasses.replace(s, score=k) for s, k in zip(whole.steps, [*known, None], strict=False))
        (result,) = judge(engine, dataclasses.replace(whole, steps=steps))
        assert result.cached_tokens == before
        before, known = result.tokens, list(result.scores)
    assert known == pytest.approx(plain_scores(STEPS), abs=1e-5)


def test_duplicates_are_computed_once():
    first, second = judge(prm(), tiny.trajectory(*STEPS), tiny.trajectory(*STEPS))
    assert first.scores == second.scores
    assert first.cached_tokens == 0
    engine = prm()
    judge(engine, tiny.trajectory(*STEPS))
    (again,) = judge(engine, tiny.trajectory(*STEPS))
    assert again.scores == first.scores
    assert again.cached_tokens == again.tokens


def test_blank_steps_have_no_score():
    (result,) = judge(prm(), tiny.trajectory(STEPS[0], "\n\n", STEPS[2], ""))
    assert [score is None for score in result.scores] == [False, True, False, True]
    (without,) = judge(prm(), tiny.trajectory(STEPS[0], STEPS[2]))
    assert [s for s in result.scores if s is not None] == pytest.approx(list(without.scores))


def test_tokens_of_a_prefix_are_a_prefix_of_the_tokens():
    conversation = Conversation(AutoTokenizer.from_pretrained(tiny.folder()))
    whole, ends = conversation.encode(tiny.PROBLEM, list(STEPS))
    for depth, end in enumerate(ends, 1):
        assert conversation.encode(tiny.PROBLEM, list(STEPS[:depth]))[0] == whole[:end]
    assert whole.count(AutoTokenizer.from_pretrained(tiny.folder()).bos_token_id) == 1


def test_forgotten_scores_and_prefixes_are_computed_again(monkeypatch):
    monkeypatch.setattr("ttcs.prms.readings.MEMO", 0)
    engine = TransformersPRM(RLHFlow(), tiny.folder(), 8, cache_gb=1e-6)
    (first,) = judge(engine, tiny.trajectory(*STEPS))
    again, other = judge(engine, tiny.trajectory(*STEPS), tiny.trajectory(*OTHER))
    assert again.scores == pytest.approx(first.scores, abs=1e-6)
    assert other.scores == pytest.approx(plain_scores(OTHER), abs=1e-5)


def test_a_solution_longer_than_the_context_is_said():
    engine = prm()
    with pytest.raises(UserError, match="context of 512"):
        judge(engine, tiny.trajectory("word " * 600))
