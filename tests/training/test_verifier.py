"""Training of verifiers of every format, on models of a few thousand weights, through transformers' Trainer."""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig

from tests import tiny
from tests.prms.families import FAMILIES, Family, judge
from tests.training.solutions import ARGUMENTS, STOPPING, stage
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.load import load_tokenizer
from ttcs.prms.format import Format
from ttcs.prms.math_shepherd import MathShepherd
from ttcs.prms.outcome import Outcome
from ttcs.prms.qwen_math import QwenMath
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.skywork import Skywork
from ttcs.prms.transformers import TransformersPRM
from ttcs.training import verifier
from ttcs.training.examples import UNLABELLED, Collator, encode
from ttcs.training.judging import LabelLoss, dropouts, judging
from ttcs.training.labelled import Labelled, flipped
from ttcs.training.rollout_file import RolloutFolder
from ttcs.training.split import held_out

QUESTION = Problem("x", "Compute 40.")
RIGHT, WRONG = "## Step 1: Add: $80 + 1 = 81$.", "## Step 1: Add: $81 + 1 = 0$."
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models that have been trained, as they are in memory at the end."""
    kept: list[Any] = []
    fit = verifier.fit

    def keep(model: Any, *arguments: Any, **settings: Any) -> None:
        fit(model, *arguments, **settings)
        kept.append(model)

    monkeypatch.setattr(verifier, "fit", keep)
    return kept


@families
def test_the_saved_prm_scores_as_the_trained_module_does(family: Family, tmp_path: Path, trained: list[Any]) -> None:
    stage(tmp_path, family.format, family.folder(), dropout=0.05).run()
    engine = TransformersPRM(family.format, str(tmp_path / "out"), 8)
    results = judge(engine, *(tiny.trajectory(step, "So it is.", problem=QUESTION) for step in (RIGHT, WRONG)))
    reader = family.format.reader(load_tokenizer(str(tmp_path / "out")), "out")
    for step, result in zip((RIGHT, WRONG), results, strict=True):
        found = in_memory(trained[0], family.format, reader, Labelled(QUESTION, (step, "So it is."), (0.0, 0.0)))
        assert [score for score in result.scores if score is not None] == pytest.approx(found, abs=1e-5)
    (before, after) = (
        judge(prm, tiny.trajectory(WRONG, problem=QUESTION))[0].scores[0] for prm in (family.prm(), engine)
    )
    assert abs(after - before) > 1e-3  # it has learnt something


def in_memory(model: Any, format: Format, reader: Any, solution: Labelled) -> list[float]:
    """Scores of a module in training, from a padded batch."""
    batch = Collator()([*encode(reader, solution), {"input_ids": [1] * 300, "labels": [UNLABELLED] * 300}])
    labels = batch.pop("labels")
    model.eval()
    with torch.no_grad():
        scores = format.head.scores(model(**batch).logits.float())
    return scores[labels != UNLABELLED].tolist()


def test_the_loss_reaches_the_entropy_of_the_labels(tmp_path: Path) -> None:
    arguments = ARGUMENTS | STOPPING | {"num_train_epochs": 20, "learning_rate": 3e-3, "save_total_limit": 1}
    stage(tmp_path, RLHFlow(), tiny.folder(), arguments=arguments).run()
    (*_, state) = sorted((tmp_path / "work").glob("checkpoint-*/trainer_state.json"))
    entropy = -(0.75 * log(0.75) + 0.25 * log(0.25)) / 4  # of one label in four, the others are certain
    assert json.loads(state.read_text())["best_metric"] == pytest.approx(entropy, abs=0.03)


@pytest.mark.parametrize("accumulated", [1, 4])
def test_no_loss_is_below_the_entropy_and_that_of_the_labels_themselves_is_there(accumulated: int) -> None:
    """A batch in parts adds up to the mean over all of its labels, though one part has more of them than another."""
    soft = torch.tensor([0.75, 0.5, 0.25, 0.9, 0.1])
    logits = torch.logit(soft)[:, None, None]
    entropy = -(soft * soft.log() + (1 - soft) * (1 - soft).log()).mean()
    loss = LabelLoss(RLHFlow())
    parts = [
        loss(type("Outputs", (), {"logits": part}), labels[:, None], 5)
        for part, labels in zip(logits.chunk(accumulated), soft.chunk(accumulated), strict=True)
    ]
    assert sum(parts).item() == pytest.approx(entropy.item(), abs=1e-6)
    off = loss(type("Outputs", (), {"logits": logits + 0.5}), soft[:, None])
    assert off > entropy


def test_no_question_is_on_both_sides_of_the_split(tmp_path: Path) -> None:
    made = stage(tmp_path, RLHFlow(), tiny.folder())
    tokenizer = load_tokenizer(tiny.folder())
    sides = [
        {tokenizer.decode(ids).split("Compute ")[1].split(".")[0] for ids in dataset["input_ids"]}
        for dataset in made.datasets(RLHFlow().reader(tokenizer, "m"))
    ]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == {str(i) for i in range(80)}
    assert sides[1] == {str(i) for i in range(80) if held_out(f"Compute {i}.", 0.2)}


def test_the_share_held_out_is_the_one_asked_for() -> None:
    assert sum(held_out(f"q{i}", 0.1) for i in range(5000)) / 5000 == pytest.approx(0.1, abs=0.02)


@families
def test_labels_stand_where_the_format_reads_its_scores(family: Family) -> None:
    solution = Labelled(tiny.PROBLEM, ("One.", "Two.", "Three."), (0.25, None, 1.0))
    reader = family.format.reader(load_tokenizer(family.folder()), "m")
    prefixes = reader(solution.problem, solution.steps)
    marked = {
        tuple(example["input_ids"][: place + 1]): label
        for example in encode(reader, solution)
        for place, label in enumerate(example["labels"])
        if label != UNLABELLED
    }
    expected = {prefixes[0]: 0.25, prefixes[2]: 1.0}
    assert marked == {prefix: label for prefix, label in expected.items() if prefix is not None}


def test_an_outcome_model_learns_the_last_label_alone_and_reads_earlier_attempts() -> None:
    tokenizer = load_tokenizer(tiny.outcome())
    solution = Labelled(tiny.PROBLEM, ("One.\n\n", "Two."), (0.25, 1.0), ("Five.", "Four."))
    alone, shown = (
        list(encode(Outcome(attempts=attempts, request="Again.").reader(tokenizer, "m"), solution))
        for attempts in (0, 1)
    )
    for (example,), texts in ((alone, "One."), (shown, "Four.")):
        assert [label for label in example["labels"] if label != UNLABELLED] == [1.0]
        assert texts in tokenizer.decode(example["input_ids"])
    assert "Four." not in tokenizer.decode(alone[0]["input_ids"])
    assert "Five." not in tokenizer.decode(shown[0]["input_ids"])


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_share_of_labels_that_is_flipped(share: float) -> None:
    solutions = [Labelled(Problem(f"{i}", f"q{i}"), ("a", "b", "c"), (1.0, None, 0.25)) for i in range(2000)]
    weak = [flipped(solution, share, 0).labels for solution in solutions]
    assert sum(labels[0] == 0.0 for labels in weak) / 2000 == pytest.approx(share, abs=0.03)
    assert sum(labels[2] == 0.75 for labels in weak) / 2000 == pytest.approx(share, abs=0.03)
    assert all(labels[1] is None for labels in weak)
    assert weak == [flipped(solution, share, 0).labels for solution in solutions]
    assert share in (0.0, 1.0) or weak != [flipped(solution, share, 1).labels for solution in solutions]


@pytest.mark.parametrize(
    ("format", "start"), [(Outcome(), tiny.folder), (Skywork(), tiny.qwen_math), (QwenMath(), tiny.skywork)]
)
def test_a_model_without_the_head_gets_a_new_one_where_that_is_wanted(
    format: Format, start: Any, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"has no weights (score|v_head)"):
        stage(tmp_path, format, start()).run()
    arguments = ARGUMENTS | STOPPING | {"num_train_epochs": 6, "learning_rate": 3e-3}
    stage(tmp_path, format, start(), new_head=True, arguments=arguments).run()
    engine = TransformersPRM(format, str(tmp_path / "out"), 8)
    right, wrong = judge(engine, *(tiny.trajectory(step, "So it is.", problem=QUESTION) for step in (RIGHT, WRONG)))
    assert right.scores[-1] > wrong.scores[-1] + 0.2


def test_a_new_head_is_no_excuse_for_other_weights_that_are_missing(tmp_path: Path) -> None:
    config = AutoConfig.from_pretrained(tiny.folder())
    config.num_hidden_layers += 1
    start = tmp_path / "start"
    load_tokenizer(tiny.folder()).save_pretrained(start)
    (start / "model.safetensors").write_bytes((Path(tiny.folder()) / "model.safetensors").read_bytes())
    config.save_pretrained(start)
    with pytest.raises(UserError, match=r"has no weights model\.layers\.2"):
        stage(tmp_path, Outcome(), str(start), new_head=True).run()


def test_dropout_is_where_the_architecture_has_it() -> None:
    assert dropouts(tiny.folder(), 0.05) == {"attention_dropout": 0.05}
    tokenizer = load_tokenizer(tiny.folder())
    scorer = RLHFlow().head.load(tiny.folder(), tokenizer, "float32", "cpu", **dropouts(tiny.folder(), 0.9))
    model, batch = judging(scorer), {"input_ids": torch.arange(40)[None], "attention_mask": torch.ones(1, 40)}
    with torch.no_grad():
        assert not torch.allclose(model.train()(**batch).logits, model(**batch).logits)
        assert torch.allclose(model.eval()(**batch).logits, model(**batch).logits)


def test_only_two_rows_of_the_vocabulary_are_multiplied() -> None:
    folder = tiny.math_shepherd()
    scorer = MathShepherd().head.load(folder, load_tokenizer(folder), "float32", "cpu")
    model = judging(scorer)
    logits = model(input_ids=torch.arange(12)[None], attention_mask=torch.ones(1, 12)).logits
    assert logits.shape == (1, 12, 1)
    logits.sum().backward()
    rows = model.get_output_embeddings().weight.grad.abs().sum(-1)
    assert (rows > 0).sum() == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"solutions": RolloutFolder("/nowhere")}, r"no rollouts \(\*\.jsonl\) in /nowhere"),
        ({"format": QwenMath()}, "'<extra_0>' is not one token of its tokenizer"),
        (
            {"validation": 0.0},
            "=0.0 leaves 160 examples of at most 512 tokens to train on and 0 held out",
        ),
        (
            {"validation": 1.0},
            "=1.0 leaves 0 examples of at most 512 tokens to train on and 160 held out",
        ),
        ({"max_length": 5}, r"leaves 0 examples of at most 5 tokens to train on and 0 held out"),
        ({"start": "/nowhere"}, "there is no model folder /nowhere"),
    ],
)
def test_what_cannot_be_trained_on_is_said(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        stage(tmp_path, changes.pop("format", RLHFlow()), changes.pop("start", tiny.folder()), **changes).run()


def test_examples_that_are_too_long_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = stage(tmp_path, RLHFlow(), tiny.folder(), max_length=53)
    train, validation = made.datasets(RLHFlow().reader(load_tokenizer(tiny.folder()), "m"))
    kept = len(train) + len(validation)
    assert 0 < kept < 160
    dropped = [int(line.split(" dropped")[0].split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert sum(dropped) == 160 - kept
    assert max(train["length"]) <= 53


def test_a_longer_context_is_the_saved_model_s_too(tmp_path: Path) -> None:
    stage(tmp_path, Outcome(), tiny.folder(), new_head=True, positions=4096, saved="bfloat16").run()
    config = AutoConfig.from_pretrained(tmp_path / "out")
    assert (config.max_position_embeddings, config.dtype) == (4096, torch.bfloat16)
    assert load_tokenizer(str(tmp_path / "out")).model_max_length == 4096


@pytest.mark.parametrize(
    ("format", "start", "fields"),
    [(RLHFlow(), tiny.folder, {}), (Outcome(), tiny.generative, {"modules_to_save": ["score"]})],
)
def test_a_merged_adapter_scores_as_the_trained_module_does(
    format: Format, start: Any, fields: dict[str, Any], tmp_path: Path, trained: list[Any]
) -> None:
    """The head that the start lacks is trained whole, as an adapter of nothing would be nothing."""
    lora = {"r": 4, "target_modules": "all-linear", **fields}
    arguments = ARGUMENTS | STOPPING | {"num_train_epochs": 5, "learning_rate": 1e-2}
    stage(tmp_path, format, start(), new_head=True, lora=lora, arguments=arguments).run()
    engine = TransformersPRM(format, str(tmp_path / "out"), 8)
    (result,) = judge(engine, tiny.trajectory(WRONG, "So it is.", problem=QUESTION))
    reader = format.reader(load_tokenizer(str(tmp_path / "out")), "out")
    found = in_memory(trained[0], format, reader, Labelled(QUESTION, (WRONG, "So it is."), (0.0, 0.0)))
    assert [score for score in result.scores if score is not None] == pytest.approx(found, abs=1e-4)
    assert found[-1] < 0.2
