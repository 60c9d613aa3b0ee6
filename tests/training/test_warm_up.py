"""The warm-up of the zoo's PRM: solutions whose single tokens are labelled, and a deeper model."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests import tiny
from tests.training.solutions import ARGUMENTS, STOPPING
from ttcs.errors import UserError
from ttcs.models.load import load_config
from ttcs.prms.conversation import Conversation
from ttcs.training.chain_graded import GradedChains
from ttcs.training.graded import GradedSolutions, graded
from ttcs.training.steps import SIGNALS, Collator, Early, StepLoss, encode
from ttcs.training.warm_up import WarmUp, deepened
from ttcs.zoo.generator import Mistakes, Split, exercises


def stage(tmp_path, **changes):
    settings = {
        "solutions": str(tmp_path / "graded"),
        "start": tiny.folder(),
        "deepen": 1,
        "token_loss": 1.0,
        "next_loss": 0.3,
        "out": str(tmp_path / "out"),
        "work": str(tmp_path / "work"),
        "seed": 0,
        "validation": 0.2,
        "patience": 3,
        "arguments": ARGUMENTS | STOPPING | {"num_train_epochs": 2, "learning_rate": 3e-3},
    }
    return WarmUp(**(settings | changes))


def test_it_learns_from_graded_solutions_and_saves_a_deeper_model(tmp_path):
    GradedSolutions(str(tmp_path / "graded" / "0.jsonl"), 0, 120, Mistakes([0.1] * 5, {})).run()
    arguments = stage(tmp_path).arguments | {"remove_unused_columns": False}
    stage(tmp_path, arguments=arguments, saved="bfloat16").run()
    assert load_config(str(tmp_path / "out")).num_hidden_layers == 3
    assert load_config(str(tmp_path / "out")).dtype == torch.bfloat16
    (*_, state) = sorted((tmp_path / "work").glob("checkpoint-*/trainer_state.json"))
    first, second = [log["eval_loss"] for log in json.loads(state.read_text())["log_history"] if "eval_loss" in log][:2]
    assert second < first


def test_marks_of_single_steps_are_learnt_a_layer_below(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    conversation = Conversation(tokenizer)
    GradedChains(str(tmp_path / "graded" / "0.jsonl"), 0, 60, Mistakes([0.2] * 5, {"odd": [0.1] * 5})).run()
    lines = [json.loads(line) for line in (tmp_path / "graded" / "0.jsonl").read_text().splitlines()]
    wrong = next(line for line in lines if any(place is not None for place in line["own"][:4]))
    own = encode(tokenizer, conversation, wrong)["own"]
    assert own.count(0) == sum(place is not None for place in wrong["own"])
    step = next(number for number, place in enumerate(wrong["own"]) if place is not None)
    ids, _ = conversation.encode(tiny.Problem("q", wrong["question"]), wrong["steps"])
    before = tokenizer.decode(ids[: own.index(0)]).rpartition("\n")[2]
    assert before.endswith(wrong["steps"][step][: wrong["own"][step]].rpartition(" ")[2])
    arguments = stage(tmp_path).arguments | {"remove_unused_columns": False}
    stage(tmp_path, own_loss=1.0, arguments=arguments).run()
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_a_mark_is_judged_by_what_the_layer_before_the_last_says():
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32")
    early = Early(model)
    ids, labels = torch.arange(6)[None], torch.full((1, 6, len(SIGNALS)), -1.0)
    labels[0, 2, SIGNALS.index("steps")], labels[0, 3, SIGNALS.index("own")] = 1.0, 0.0
    outputs = model(ids)
    with torch.no_grad():
        model.model.layers[-1].self_attn.o_proj.weight.zero_()
        model.model.layers[-1].mlp.down_proj.weight.zero_()
        margin = (without := model(ids).logits)[0, 3, 5] - without[0, 3, 6]
    with_marks, without_marks = (StepLoss(5, 6, own=w, early=early)(outputs, labels) for w in (2.0, 0.0))
    assert (with_marks - without_marks).item() == pytest.approx(
        2 * torch.nn.functional.softplus(margin).item(), rel=1e-4
    )


def test_no_graded_solutions_is_said(tmp_path):
    with pytest.raises(UserError, match="no rollouts"):
        stage(tmp_path, solutions=str(tmp_path)).run()


def test_labels_stand_where_the_answer_is_predicted_and_the_loss_reads_there():
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    conversation = Conversation(tokenizer)
    line = {"problem_id": "q", "question": "Q", "steps": ["one", "two"], "labels": [1.0, 0.25]}
    example = encode(tokenizer, conversation, line)
    _, ends = conversation.encode(tiny.Problem("q", "Q"), ["one", "two"])
    assert [i for i, label in enumerate(example["steps"]) if label >= 0] == [end - 1 for end in ends]
    logits = torch.zeros(1, example["length"], 8)
    logits[0, ends[0] - 1, 3], logits[0, ends[1] - 1, 3] = 50.0, -torch.log(torch.tensor(3.0))
    outputs = type("Outputs", (), {"logits": logits})
    loss = StepLoss(3, 4, 1.0, 1.0)(outputs, Collator(0)([example])["labels"])  # no tokens are labelled
    entropy = -(0.25 * torch.log(torch.tensor(0.25)) + 0.75 * torch.log(torch.tensor(0.75)))
    assert loss.item() == pytest.approx(entropy.item() / 2, abs=1e-5)


def test_tokens_are_labelled_right_up_to_the_first_wrong_one():
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    conversation = Conversation(tokenizer)
    exercise = next(exercises("labels", Split.TRAIN))
    texts = exercise.graded_right()
    slipped = [*texts[:-1], texts[-1].replace("boxed{", "boxed{9")]
    for steps, wrong in ((texts, 0), (slipped, 1)):
        line = graded("g", exercise, steps)
        assert (line["labels"], line["correct"]) == ([1.0] * (len(texts) - 1) + [1.0 - wrong], not wrong)
        example = encode(tokenizer, conversation, line)
        ids, labels = example["input_ids"], example["tokens"]
        read = "".join(tokenizer.decode([i]) for i, label in zip(ids, labels, strict=True) if label == 1)
        missing = "" if not wrong else slipped[-1][line["right"] :].strip()
        said = "".join(step.strip() for step in steps)
        assert said.startswith(read) and len(said) - len(missing) - 8 < len(read) <= len(said) - len(missing)
        after = [int(i) for i in example["next"] if i >= 0]
        assert after == [i for i, label in zip(ids, labels, strict=True) if label == 1]


def test_a_deepened_model_says_at_first_what_it_said():
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()
    deeper = deepened(model, 2).eval()
    ids = torch.arange(20)[None]
    assert deeper.config.num_hidden_layers == model.config.num_hidden_layers + 2
    assert torch.allclose(deeper(ids).logits, model(ids).logits, atol=1e-5)
