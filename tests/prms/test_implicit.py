"""Implicit PRMs against likelihoods of whole texts, computed without any cache."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests import tiny
from ttcs.config.components import build
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.core import Judge, Judged, Problem, Stop, Trajectory
from ttcs.errors import UserError, told
from ttcs.models.load import load_model, model_size
from ttcs.prms.implicit import Implicit
from ttcs.prms.prefixes import WORTH, tree_size
from ttcs.prms.rewards import Least, LogRatio, Reward
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.two_models import TwoModelsPRM
from ttcs.running.contents import Contents
from ttcs.search.ledger import Ledger, flops

STEPS = (
    "## Step 1: Multiply first.\n$4 \\cdot 7 = 28$.\n\n",
    "## Step 2: Add: $3 + 28 = 31$.\n\n",
    "The answer is: $\\boxed{31}$.",
)
OTHER = (STEPS[0], "## Step 2: Go from left to right: $3 + 4 = 7$.\n\n", "So $\\boxed{49}$.")
REWARDS: dict[str, Reward] = {
    "step": LogRatio(0.05),
    "cumulative": LogRatio(0.05, cumulative=True),
    "least": Least(-9.0, 2.0),
}
every = pytest.mark.parametrize("reward", REWARDS.values(), ids=REWARDS)


def own() -> str:
    return tiny.folder()


def reference() -> str:
    return tiny.folder(4, 2)


def format(reward: Reward = REWARDS["step"]) -> Implicit:
    return Implicit(reward, reference() if reward.compares else None)


def prm(reward: Reward = REWARDS["step"], batch_size: int = 8, **settings: Any) -> TwoModelsPRM:
    return TwoModelsPRM(format(reward), own(), batch_size, **settings)


def judge(engine: TwoModelsPRM, *trajectories: Trajectory) -> list[Judged]:
    for ticket, trajectory in enumerate(trajectories):
        engine.add(ticket, Judge(trajectory))
    results: dict[int, Judged] = {}
    while len(results) < len(trajectories):
        results |= engine.step()
    return [results[i] for i in range(len(trajectories))]


def encoded(*texts: str) -> list[list[int]]:
    tokenizer = AutoTokenizer.from_pretrained(own())
    return [tokenizer.encode(text, add_special_tokens=False) for text in texts]


def asked() -> list[int]:
    chat = [{"role": "user", "content": tiny.PROBLEM.question}]
    ids: list[int] = AutoTokenizer.from_pretrained(own()).apply_chat_template(
        chat, add_generation_prompt=True, return_dict=False
    )
    return ids


def likelihoods(folder: str, ids: list[int]) -> torch.Tensor:
    """The log-probability of each token but the first."""
    with torch.inference_mode():
        logits = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")(torch.tensor([ids])).logits[0, :-1]
    return logits.double().log_softmax(-1).gather(-1, torch.tensor(ids[1:])[:, None])[:, 0]


def expected(reward: Reward, steps: list[list[int]]) -> list[float]:
    """The score of each step, in the words of the papers."""
    prompt = asked()
    ids = [*prompt, *(token for step in steps for token in step)]
    places = list(pairwise(accumulate(map(len, steps), initial=len(prompt) - 1)))  # of what predicts each token
    mine, theirs = likelihoods(own(), ids), likelihoods(reference(), ids)
    ratio = mine - theirs
    if isinstance(reward, Least):
        least = [mine[len(prompt) - 1 : end].min() for _, end in places]
        return [float(torch.sigmoid((value - reward.centre) / reward.scale)) for value in least]
    begins = [len(prompt) - 1 if reward.cumulative else begin for begin, _ in places]
    sums = [ratio[begin:end].sum() for begin, (_, end) in zip(begins, places, strict=True)]
    return [float(torch.sigmoid(reward.beta * value)) for value in sums]


@every
def test_scores_are_those_of_the_whole_text_in_the_plain_models(reward: Reward) -> None:
    different = set()
    for steps in (STEPS, STEPS[::-1]):
        (result,) = judge(prm(reward), tiny.trajectory(*steps))
        wanted = expected(reward, encoded(*steps))
        assert result.scores == pytest.approx(wanted, abs=1e-5)
        assert (result.tokens, result.cached_tokens) == (len(asked()) + sum(map(len, encoded(*steps))) - 1, 0)
        different |= {round(score, 3) for score in wanted}
    assert len(different) > 1 and all(0.001 < score < 0.999 for score in different)


def test_the_rewards_of_the_steps_add_up_to_that_of_the_solution() -> None:
    steps, whole = (judge(prm(REWARDS[name]), tiny.trajectory(*STEPS))[0].scores for name in ("step", "cumulative"))
    odds = torch.logit(torch.tensor(steps, dtype=torch.double)).cumsum(0)
    assert torch.sigmoid(odds).tolist() == pytest.approx(whole, abs=1e-6)


@every
def test_batched_is_single(reward: Reward) -> None:
    alone = [judge(prm(reward), tiny.trajectory(*steps))[0].scores for steps in (STEPS, OTHER)]
    together = judge(prm(reward), tiny.trajectory(*STEPS), tiny.trajectory(*OTHER))
    assert [result.scores for result in together] == [pytest.approx(scores, abs=1e-6) for scores in alone]


@every
def test_step_by_step_each_token_is_read_once(reward: Reward) -> None:
    engine, whole = prm(reward), tiny.trajectory(*STEPS)
    known: list[float | None] = []
    read = []
    for depth in (1, 2, 3):
        steps = zip(whole.steps[:depth], [*known, None], strict=True)
        grown = replace(whole, steps=tuple(replace(step, score=score) for step, score in steps))
        (result,) = judge(engine, grown)
        assert result.scores[: depth - 1] == tuple(known)
        known = list(result.scores)
        read.append(result.tokens - result.cached_tokens)
    assert known == pytest.approx(expected(reward, encoded(*STEPS)), abs=1e-5)
    assert read == [len(asked()) + len(encoded(STEPS[0])[0]) - 1, *(len(ids) for ids in encoded(*STEPS[1:]))]


def test_what_solutions_begin_with_is_read_once() -> None:
    ends = [f"## Step 2: Add: $3 + {number} = {number + 3}$.\n\n" for number in range(20, 26)]
    results = judge(prm(), *(tiny.trajectory(STEPS[0], end, STEPS[2]) for end in ends))
    texts = [(*asked(), *(token for ids in encoded(STEPS[0], end, STEPS[2]) for token in ids))[:-1] for end in ends]
    computed = sum(result.tokens - result.cached_tokens for result in results)
    assert tree_size(texts) <= computed <= tree_size(texts) + WORTH * len(ends)
    for result, end in zip(results, ends, strict=True):
        assert result.scores == pytest.approx(expected(REWARDS["step"], encoded(STEPS[0], end, STEPS[2])), abs=1e-5)


def test_a_duplicate_is_computed_once() -> None:
    engine = prm()
    first, second = judge(engine, tiny.trajectory(*STEPS), tiny.trajectory(*STEPS))
    (third,) = judge(engine, tiny.trajectory(*STEPS))
    assert first.scores == second.scores == third.scores
    assert (first.cached_tokens, second.cached_tokens) == (0, second.tokens)
    assert third.cached_tokens == third.tokens


def test_nothing_is_left_after_a_reset() -> None:
    engine = prm()
    judge(engine, tiny.trajectory(*STEPS))
    engine.reset()
    assert judge(engine, tiny.trajectory(*STEPS))[0].cached_tokens == 0


@every
def test_what_a_small_cache_dropped_is_computed_again(reward: Reward) -> None:
    engine = prm(reward, cache_gb=1e-6)
    assert engine.cache_tokens is not None and engine.cache_tokens < 5
    for _ in range(2):
        again, other = judge(engine, tiny.trajectory(*STEPS), tiny.trajectory(*OTHER))
        assert again.scores == pytest.approx(expected(reward, encoded(*STEPS)), abs=1e-5)
        assert other.scores == pytest.approx(expected(reward, encoded(*OTHER)), abs=1e-5)


CHECKED = (*STEPS[:2], "Check: $3 + 28 = 30$: does not fit.\n\n", STEPS[2])


def remarking(reward: Reward, batch_size: int = 8) -> TwoModelsPRM:
    return TwoModelsPRM(replace(format(reward), remark="Check:"), own(), batch_size)


def unremarked(reward: Reward) -> list[float]:
    """The scores of the steps but the check, from plain likelihoods of the whole text without those of the check."""
    steps, prompt = encoded(*CHECKED), asked()
    ids = [*prompt, *(token for step in steps for token in step)]
    mine, theirs = (likelihoods(folder, ids)[len(prompt) - 1 :].tolist() for folder in (own(), reference()))
    begin, end = (sum(map(len, steps[:count])) for count in (2, 3))
    del mine[begin:end], theirs[begin:end]
    ends = list(accumulate(len(step) for step in (*steps[:2], steps[3])))
    return [reward(mine[:stop], theirs[:stop], start) for start, stop in pairwise([0, *ends])]


@every
def test_a_check_has_the_score_of_the_step_before_and_counts_in_no_other(reward: Reward) -> None:
    (result,) = judge(remarking(reward), tiny.trajectory(*CHECKED))
    first, second, last = unremarked(reward)
    assert result.scores == pytest.approx([first, second, second, last], abs=1e-5)
    assert result.scores[2] == result.scores[1]
    assert judge(prm(reward), tiny.trajectory(*CHECKED))[0].scores[2] != pytest.approx(second, abs=1e-5)
    assert result.tokens == len(asked()) + sum(map(len, encoded(*CHECKED))) - 1  # what follows goes on from it


@every
def test_a_check_that_is_judged_as_soon_as_it_is_written_is_not_read(reward: Reward) -> None:
    engine, whole = remarking(reward), tiny.trajectory(*CHECKED)
    known: list[float | None] = []
    for depth in range(1, 5):
        steps = zip(whole.steps[:depth], [*known, None], strict=True)
        (result,) = judge(engine, replace(whole, steps=tuple(replace(step, score=score) for step, score in steps)))
        known = list(result.scores)
        if depth == 3:
            assert (result.tokens, result.cached_tokens) == (0, 0)
    first, second, last = unremarked(reward)
    assert known == pytest.approx([first, second, second, last], abs=1e-5)


def test_a_check_of_nothing_has_no_score() -> None:
    least = REWARDS["least"]
    assert judge(remarking(least), tiny.trajectory("\n\n", "Check: fits.\n\n"))[0] == Judged((None, None), 0, 0)
    (result,) = judge(remarking(least), tiny.trajectory(STEPS[0], "\n\n", " Check: fits."))
    assert result.scores == (result.scores[0], None, result.scores[0]) != (None,) * 3


def with_tokens(trajectory: Trajectory, *tokens: list[int]) -> Trajectory:
    steps = zip(trajectory.steps, tokens, strict=True)
    return replace(trajectory, steps=tuple(replace(step, tokens=tuple(ids)) for step, ids in steps))


def test_the_policy_s_tokens_are_read_as_they_are_without_the_end_of_its_turn() -> None:
    tokenizer = AutoTokenizer.from_pretrained(own())
    letters = [
        [token for letter in text for token in tokenizer.encode(letter, add_special_tokens=False)] for text in STEPS
    ]
    assert letters != encoded(*STEPS)
    solution = with_tokens(tiny.trajectory(*STEPS), *letters[:-1], [*letters[-1], tokenizer.eos_token_id])
    (result,) = judge(prm(), solution)
    assert result.scores == pytest.approx(expected(REWARDS["step"], letters), abs=1e-5)


@pytest.mark.parametrize("tokens", [[5, 6, 7], [10**6], [-1]], ids=str)
def test_tokens_that_spell_something_else_here_give_way_to_the_text(tokens: list[int]) -> None:
    (result,) = judge(prm(), with_tokens(tiny.trajectory(*STEPS), tokens, tokens, tokens))
    assert result.scores == pytest.approx(expected(REWARDS["step"], encoded(*STEPS)), abs=1e-5)


def test_blank_steps_have_no_score_and_are_not_read() -> None:
    (result,) = judge(prm(), tiny.trajectory(STEPS[0], "\n\n", STEPS[2], ""))
    (without,) = judge(prm(), tiny.trajectory(STEPS[0], STEPS[2]))
    assert (result.scores[1], result.scores[3]) == (None, None)
    assert (result.scores[0], result.scores[2]) == pytest.approx(without.scores, abs=1e-6)
    assert result.tokens == without.tokens
    assert judge(prm(), tiny.trajectory("\n\n"))[0] == Judged((None,), 0, 0)


def test_what_the_policy_was_told_is_read_too() -> None:
    told = replace(tiny.PROBLEM, instruction="Answer briefly.")
    same = Problem("q", told.asked, "31")
    results = [judge(prm(), tiny.trajectory(*STEPS, problem=problem))[0] for problem in (told, same)]
    assert results[0] == results[1] != judge(prm(), tiny.trajectory(*STEPS))[0]


def test_a_solution_longer_than_the_context_is_said_and_the_others_are_read() -> None:
    long, short = judge(prm(), tiny.trajectory("word " * 600), tiny.trajectory(*STEPS))
    assert (long.scores, long.tokens, long.limit) == ((None,), 0, 512)
    assert short.scores == pytest.approx(expected(REWARDS["step"], encoded(*STEPS)), abs=1e-5)


def test_both_models_are_charged() -> None:
    sizes = [model_size(name, load_model(name, "float32", "cpu")) for name in (own(), reference())]
    engine, ledger = prm(), Ledger()
    (result,) = judge(engine, tiny.trajectory(*STEPS))
    ledger.charge_prm(engine.size, result)
    assert ledger.prm_flops == sum(flops(size, 0, result.tokens) for size in sizes)
    assert prm(REWARDS["least"]).size == sizes[0]


def test_far_below_nothing_likelihoods_are_told_apart() -> None:
    score = Least(-3.0, 0.7)
    low, lower, high = score([-60.0], [], 0), score([-61.0], [], 0), score([0.0], [], 0)
    assert 0 < lower < low < 1e-20 < 0.98 < high < 1
    assert score([-1e9], [], 0) == 0
    assert LogRatio(1.0)([0.0] * 2, [-1e9, 0.0], 0) == 1


def composed(*overrides: str) -> Any:
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))


@pytest.mark.parametrize("preset", ["implicit", "implicit_least", "eurus_stage1", "eurus_stage2"])
def test_presets_read_models_of_their_family(preset: str) -> None:
    second = [] if preset == "implicit_least" else [f"prm.format.reference={reference()}"]
    engine = build(composed(f"prm={preset}", f"prm.model={own()}", *second), "prm")
    assert isinstance(engine, TwoModelsPRM)
    (result,) = judge(engine, tiny.trajectory(*STEPS))
    assert all(score is not None and 0 <= score <= 1 for score in result.scores)


@pytest.mark.parametrize("engine", ["transformers", "vllm"])
def test_other_engines_say_that_they_do_not_read_two_models(engine: str) -> None:
    config = composed("prm=eurus_stage2", f"prm/engine={engine}", f"prm.model={own()}")
    with pytest.raises(Exception, match="prm/engine=implicit is the only one") as caught:
        build(config, "prm")
    assert told(caught.value) is not None


def test_the_engine_says_that_it_reads_no_other_format() -> None:
    with pytest.raises(UserError, match="prm=implicit"):
        TwoModelsPRM(RLHFlow(), own(), 8)


def test_models_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"another vocabulary than prm\.model"):
        TwoModelsPRM(Implicit(LogRatio(), tiny.generative()), own(), 8)
    with pytest.raises(UserError, match=r"is prm\.model itself"):
        TwoModelsPRM(Implicit(LogRatio(), own()), own(), 8)
    with pytest.raises(UserError, match=r"prm\.format\.reference is missing"):
        Implicit(LogRatio())
    with pytest.raises(UserError, match="leave it null"):
        Implicit(Least(), own())
    with pytest.raises(UserError, match=r"prm\.format\.remark is blank"):
        Implicit(Least(), remark=" ")
    with pytest.raises(UserError, match=r"prm\.format\.reference_revision=main: .* is a folder"):
        TwoModelsPRM(Implicit(LogRatio(), reference(), "main"), own(), 8)
    with pytest.raises(UserError, match=r"prm\.format\.chat_template takes one"):
        TwoModelsPRM(Implicit(Least(), None), tiny.math_shepherd(), 8)


def damaged(folder: Path, name: str) -> str:
    shutil.copytree(reference(), folder)
    (folder / name).write_bytes(b"")
    return str(folder)


def test_a_reference_that_is_missing_or_damaged_is_said_in_one_line(tmp_path: Path) -> None:
    names = {
        "there is no model folder": str(tmp_path / "nowhere"),
        "tokenizer.json is empty": damaged(tmp_path / "a", "tokenizer.json"),
        "model.safetensors is empty": damaged(tmp_path / "b", "model.safetensors"),
        "config.json is empty": damaged(tmp_path / "c", "config.json"),
    }
    for said, name in names.items():
        with pytest.raises(UserError, match=said) as caught:
            TwoModelsPRM(Implicit(LogRatio(), name), own(), 8)
        assert "\n" not in str(caught.value)


def test_a_run_is_made_with_both_models(tmp_path: Path) -> None:
    second = tmp_path / "reference"
    shutil.copytree(reference(), second)
    config = composed("prm=implicit", f"prm.model={own()}", f"prm.format.reference={second}")
    before = Contents.of(config, [])
    assert {"prm.model", "prm.format.reference"} <= before.places.keys()
    content = json.loads((second / "config.json").read_text())
    (second / "config.json").write_text(json.dumps(content | {"initializer_range": 0.1}))
    assert (before.changed(Contents.of(config, [])) or "").startswith("prm.format.reference=")


def test_a_cut_off_step_is_read_as_far_as_it_goes() -> None:
    whole = tiny.trajectory(*STEPS[:2])
    cut = replace(whole, steps=(whole.steps[0], replace(whole.steps[1], text="## Step 2: Ad", stop=Stop.LENGTH)))
    (result,) = judge(prm(), cut)
    assert result.scores == pytest.approx(expected(REWARDS["step"], encoded(STEPS[0], "## Step 2: Ad")), abs=1e-5)
