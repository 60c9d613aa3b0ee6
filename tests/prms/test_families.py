"""What holds for the PRMs of every family."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from transformers import AutoTokenizer

from tests import tiny
from tests.prms.families import FAMILIES, Family, judge
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.core import Trajectory
from ttcs.errors import UserError
from ttcs.prms import math_shepherd
from ttcs.prms.generative import Generative
from ttcs.prms.outcome import Outcome
from ttcs.prms.prefixes import shared
from ttcs.prms.transformers import TransformersPRM

STEPS = (
    "## Step 1: Multiply first.\n$4 \\cdot 7 = 28$.\n\n",
    "## Step 2: Add: $3 + 28 = 31$.\n\n",
    "The answer is: $\\boxed{31}$.",
)
LINES = ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", *STEPS[1:])
OTHER = ("## Step 1: Go from left to right: $3 + 4 = 7$.\n\n", "So $\\boxed{49}$.")

families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def named(name: str) -> Family:
    (found,) = (family for family in FAMILIES if family.name == name)
    return found


def steps_of(family: Family) -> tuple[str, ...]:
    """Math-Shepherd alone writes a step of several lines on one."""
    return LINES if family.name == "math_shepherd" else STEPS


def with_scores(trajectory: Trajectory, scores: list[float | None]) -> Trajectory:
    steps = zip(trajectory.steps, [*scores, *[None] * len(trajectory.steps)], strict=False)
    return replace(trajectory, steps=tuple(replace(step, score=score) for step, score in steps))


@families
@pytest.mark.parametrize("side", ["left", "right"])
def test_scores_are_those_of_the_whole_text_in_the_plain_model(family: Family, side: str) -> None:
    texts = steps_of(family)
    (result,) = judge(family.prm(), tiny.trajectory(*texts))
    expected = family.expected(texts, side)
    assert result.scores[-1] == pytest.approx(expected[-1], abs=1e-5)
    if family.last_only:
        assert result.scores[:-1] == (None, None)
    else:
        assert result.scores == pytest.approx(expected, abs=1e-5)
    assert 0.01 < expected[-1] < 0.99  # says something
    assert result.cached_tokens == 0


@families
def test_batched_is_single(family: Family) -> None:
    alone = [judge(family.prm(), tiny.trajectory(*steps))[0].scores for steps in (STEPS, OTHER)]
    together = judge(family.prm(), tiny.trajectory(*STEPS), tiny.trajectory(*OTHER))
    assert [result.scores for result in together] == [pytest.approx(scores, abs=1e-6) for scores in alone]


@families
def test_step_by_step_is_all_at_once(family: Family) -> None:
    """What a search does: score, grow, score; only new tokens are computed."""
    engine, whole = family.prm(), tiny.trajectory(*steps_of(family))
    known: list[float | None] = []
    before = 0
    for depth in (1, 2, 3):
        (result,) = judge(engine, with_scores(whole.prefix(depth), known))
        assert result.cached_tokens >= 0.6 * before
        if not family.last_only:
            assert result.scores[: depth - 1] == tuple(known)
        known, before = list(result.scores), result.tokens
    expected = family.expected(steps_of(family))
    assert [score for score in known if score is not None] == pytest.approx(expected, abs=1e-5)


@families
def test_tokens_do_not_change_when_more_steps_come(family: Family) -> None:
    read = family.format.reader(AutoTokenizer.from_pretrained(family.folder()), "m")
    whole = [read(tiny.PROBLEM, STEPS[:depth])[-1] or () for depth in (1, 2, 3)]
    for shorter, longer in pairwise(whole):
        # A tail may share a token with the step that it follows.
        tail = shared(shorter[::-1], longer[::-1]) + 1 if family.tailed else 0
        assert shared(shorter, longer) >= len(shorter) - tail > 10
    if not family.last_only:
        assert read(tiny.PROBLEM, STEPS) == whole


@families
def test_a_duplicate_is_computed_once(family: Family) -> None:
    engine = family.prm()
    first, second = judge(engine, tiny.trajectory(*STEPS), tiny.trajectory(*STEPS))
    (third,) = judge(engine, tiny.trajectory(*STEPS))
    assert first.scores == second.scores == third.scores
    assert (first.cached_tokens, second.cached_tokens) == (0, second.tokens)
    assert third.cached_tokens == third.tokens


@families
def test_blank_steps_have_no_score_and_are_not_read(family: Family) -> None:
    (result,) = judge(family.prm(), tiny.trajectory(STEPS[0], "\n\n", STEPS[2], ""))
    (without,) = judge(family.prm(), tiny.trajectory(STEPS[0], STEPS[2]))
    assert (result.scores[1], result.scores[3]) == (None, None)
    assert (result.scores[0], result.scores[2]) == pytest.approx(without.scores, abs=1e-6)


@families
def test_what_was_forgotten_is_computed_again(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttcs.prms.prefixes.MEMO", 0)
    engine = family.prm(cache_gb=1e-6)
    (first,) = judge(engine, tiny.trajectory(*STEPS))
    again, other = judge(engine, tiny.trajectory(*STEPS), tiny.trajectory(*OTHER))
    assert again.scores == pytest.approx(first.scores, abs=1e-6)
    assert other.scores == pytest.approx(judge(family.prm(), tiny.trajectory(*OTHER))[0].scores, abs=1e-6)


@families
def test_a_solution_longer_than_the_context_is_said(family: Family) -> None:
    (result,) = judge(family.prm(), tiny.trajectory("word " * 600))
    assert (result.scores, result.limit) == ((None,), 512)


@families
def test_vllm_is_told_what_to_serve(family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = family.format.head.pooling(family.folder(), AutoTokenizer.from_pretrained(family.folder()))
    assert settings["runner"] == "pooling"
    verdict = {"rlhflow": ["-", "+"], "math_shepherd": ["▁-", "▁+"]}.get(family.name, ["No", "Yes"])
    if "hf_overrides" in settings:
        assert settings["hf_overrides"]["classifier_from_token"] == verdict


@pytest.mark.parametrize(
    ("family", "folder", "missing"),
    [
        ("rlhflow", tiny.math_shepherd, "chat template"),
        ("math_shepherd", tiny.folder, "'ки' is not one token"),
        ("qwen_math", tiny.folder, "'<extra_0>' is not one token"),
        ("outcome", tiny.math_shepherd, "chat template"),
        ("generative", tiny.folder, "'Yes' is not one token"),
    ],
)
def test_a_tokenizer_without_what_the_format_needs_is_said(
    family: str, folder: Callable[[], str], missing: str
) -> None:
    with pytest.raises(UserError, match=missing):
        named(family).format.reader(AutoTokenizer.from_pretrained(folder()), "m")


def test_skywork_needs_a_beginning() -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny.skywork())
    tokenizer.bos_token = None
    with pytest.raises(UserError, match="beginning of a text"):
        named("skywork").format.reader(tokenizer, "m")


@pytest.mark.parametrize(
    ("family", "folder"), [("skywork", tiny.qwen_math), ("qwen_math", tiny.skywork), ("outcome", tiny.folder)]
)
def test_a_checkpoint_without_the_head_is_said(family: str, folder: Callable[[], str]) -> None:
    with pytest.raises(UserError, match=r"has no weights (score|v_head)"):
        named(family).format.head.load(folder(), None, "auto", "cpu")


def test_three_classes_make_no_score() -> None:
    with pytest.raises(UserError, match="3 classes"):
        Outcome().head.load(tiny.outcome(labels=3), None, "auto", "cpu")


def test_rewards_far_apart_have_scores_apart() -> None:
    low, high = Outcome().head.scores(torch.tensor([[20.0], [25.0]]))
    assert low < high < 1


@pytest.mark.parametrize("prompt", ["{problem}", "{problem} {solution} {solution}"])
def test_the_prompt_of_a_generative_verifier_has_both_places_once(prompt: str) -> None:
    with pytest.raises(UserError, match="solution"):
        Generative(prompt).reader(AutoTokenizer.from_pretrained(tiny.generative()), "m")


PRESETS = {
    "rlhflow": tiny.folder,
    "rlhflow_deepseek": tiny.folder,
    "rlhflow_mistral": tiny.folder,
    "math_shepherd": tiny.math_shepherd,
    "skywork_o1_1_5b": tiny.skywork,
    "skywork_o1_7b": tiny.skywork,
    "qwen2_5_math_prm_7b": tiny.qwen_math,
    "qwen2_5_math_prm_72b": tiny.qwen_math,
    "qwen2_5_math_7b_prm800k": tiny.qwen_math,
    "outcome": tiny.outcome,
    "generative": tiny.generative,
}


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_read_models_of_their_family(preset: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        # The largest is on vLLM unless one says otherwise.
        engine = ["prm/engine=transformers"] if preset.endswith("72b") else []
        config = compose("config", [f"prm={preset}", f"prm.model={PRESETS[preset]()}", *engine])
    engine = build(config, "prm")
    assert isinstance(engine, TransformersPRM)
    (result,) = judge(engine, tiny.trajectory(*STEPS))
    assert result.scores[-1] is not None and 0 < result.scores[-1] < 1


def test_every_preset_is_tested() -> None:
    ours = {"zoo", "zoo_orm", "zoo_weak", "zoo_revision_orm", "zoo_revision_orm_alone"}  # tests/zoo
    chains = {"zoo_chains", *(f"zoo_chains_{name}" for name in ("least", "orm", "trained", "weak"))}
    simulated = {"scripted", "random", "simulated"}
    implicit = {"implicit", "implicit_least", "eurus_stage1", "eurus_stage2"}  # test_implicit
    assert {file.stem for file in (CONF / "prm").glob("*.yaml")} == {*PRESETS, *simulated, *ours, *chains, *implicit}


def test_the_example_in_the_docs_is_true() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (CONF.parent / "docs" / "prms.md").read_text(), re.DOTALL)
    names = {**vars(math_shepherd), "__name__": math_shepherd.__name__}
    exec(example, names)

    def written(tokenizer: Any, texts: Sequence[str]) -> tuple[list[int], int]:
        ids = tokenizer.encode("\n".join([tiny.PROBLEM.question, *texts, ""]), add_special_tokens=False)
        return ids, len(ids) - 1

    lines = Family("lines", names["Lines"](), tiny.folder, written, named("rlhflow").scored)
    (result,) = judge(lines.prm(), tiny.trajectory("One.\n\n", "Two."))
    assert result.scores == pytest.approx(lines.expected(["One.", "Two."]), abs=1e-5)
