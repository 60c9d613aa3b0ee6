"""The training stages on something small, through transformers' Trainer as for large models."""

import json

import pytest
import torch
from datasets import load_from_disk
from transformers import AutoTokenizer

from tests import tiny
from ttcs.core import Judge
from ttcs.errors import UserError
from ttcs.prms.conversation import Conversation
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.transformers import TransformersPRM
from ttcs.training.corpus import Corpus, ProblemSet
from ttcs.training.graded import GradedSamples, GradedSolutions, graded
from ttcs.training.prm import ProcessRewardModel, deepened, held_out
from ttcs.training.sft import SupervisedFineTuning
from ttcs.training.steps import Collator, StepLoss, encode
from ttcs.zoo.generator import Mistakes, Split, exercises

ARGUMENTS = {"per_device_train_batch_size": 8, "report_to": "none", "logging_steps": 50, "disable_tqdm": True}


def test_corpus_is_reproducible_and_errs_only_when_told_to(tmp_path):
    def corpus(name, **mistakes):
        Corpus(str(tmp_path / name), tiny.folder(), 0, 60, 1, **mistakes).run()
        return load_from_disk(str(tmp_path / name))

    clean, again = corpus("a"), corpus("b")
    assert clean["input_ids"][:] == again["input_ids"][:]
    noisy = corpus("c", mistakes=Mistakes([0.3] * 5, {"off_by_one": [1.0] * 5}))
    assert noisy["input_ids"][:] != clean["input_ids"][:]
    assert clean["length"][:] == [len(ids) for ids in clean["input_ids"][:]]


def test_graded_solutions_are_right_up_to_the_first_mistake(tmp_path):
    def graded(rate):
        out = tmp_path / f"{rate}.jsonl"
        GradedSolutions(str(out), 0, 80, Mistakes([rate] * 5, {})).run()
        return [json.loads(line) for line in out.read_text().splitlines()]

    assert all(line["correct"] and set(line["labels"]) == {1.0} for line in graded(0.0))
    noisy = graded(0.1)
    assert 10 < sum(line["correct"] for line in noisy) < 70
    for line in noisy:
        assert line["labels"] == sorted(line["labels"], reverse=True)
        assert line["correct"] == (line["labels"][-1] == 1.0)


def test_test_set_is_written_as_problems(tmp_path):
    ProblemSet(str(tmp_path / "x" / "test.jsonl"), 0, "test", 20).run()
    lines = [json.loads(line) for line in (tmp_path / "x" / "test.jsonl").read_text().splitlines()]
    assert len(lines) == 20
    assert set(lines[0]) == {"id", "question", "answer", "level", "family", "solution"}


def test_fine_tuning_lowers_the_loss_and_goes_on_from_a_checkpoint(tmp_path):
    Corpus(str(tmp_path / "corpus"), tiny.folder(), 0, 64, 1).run()
    arguments = ARGUMENTS | {"learning_rate": 3e-3, "save_steps": 8}

    def stage(steps):
        return SupervisedFineTuning(
            corpus=str(tmp_path / "corpus"),
            out=str(tmp_path / "out"),
            work=str(tmp_path / "work"),
            tokenizer=tiny.folder(),
            start=tiny.folder(),
            seed=0,
            arguments=arguments | {"max_steps": steps},
        )

    stage(8).run()
    stage(16).run()
    state = json.loads((tmp_path / "work" / "checkpoint-16" / "trainer_state.json").read_text())
    assert state["global_step"] == 16
    dataset = load_from_disk(str(tmp_path / "corpus"))
    assert _loss(str(tmp_path / "out"), dataset) < 0.9 * _loss(tiny.folder(), dataset)


def _loss(folder, dataset):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    with torch.no_grad():
        rows = [(torch.tensor([r["input_ids"]]), torch.tensor([r["labels"]])) for r in dataset.select(range(8))]
        return sum(model(input_ids=ids, labels=labels).loss.item() for ids, labels in rows)


def solutions(count=160):
    """Steps whose text tells their label: the loss can reach the labels' entropy."""
    for i in range(count):
        good = i % 2 == 0
        step = f"## Step 1: Add: ${i} + 1 = {i + 1 if good else 0}$."
        yield {
            "problem_id": f"q{i // 2}",
            "question": f"Compute {i // 2}.",
            "steps": [step],
            "labels": [0.75 if good else 0.0],
        }


def prm_stage(tmp_path, **changes):
    folder = tmp_path / "rollouts"
    folder.mkdir(exist_ok=True)
    (folder / "0.jsonl").write_text("".join(json.dumps(s) + "\n" for s in solutions()) + '{"done": "q0"}\n')
    arguments = ARGUMENTS | {
        "num_train_epochs": 12,
        "learning_rate": 3e-3,
        "remove_unused_columns": False,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }
    settings = {
        "rollouts": str(folder),
        "start": tiny.folder(),
        "out": str(tmp_path / "prm"),
        "work": str(tmp_path / "work"),
        "seed": 0,
        "validation": 0.2,
        "patience": 12,
        "arguments": arguments,
    }
    return ProcessRewardModel(**(settings | changes))


def test_prm_training_reaches_the_entropy_of_the_labels(tmp_path):
    prm_stage(tmp_path).run()
    engine = TransformersPRM(RLHFlow(), str(tmp_path / "prm"), 8)
    for ticket, text in enumerate(("## Step 1: Add: $500 + 1 = 501$.", "## Step 1: Add: $500 + 1 = 0$.")):
        engine.add(ticket, Judge(tiny.trajectory(text, problem=tiny.Problem("x", "Compute 500."))))
    scores = dict(engine.step())
    assert scores[0].scores[0] == pytest.approx(0.75, abs=0.2)
    assert scores[1].scores[0] < 0.1


def test_no_question_is_on_both_sides_of_the_split(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(tiny.folder())
    sides = prm_stage(tmp_path)._datasets(tokenizer)
    conversation = Conversation(tokenizer)
    for side, dataset in enumerate(sides):
        own = [solution for solution in solutions() if held_out(solution["question"], 0.2) == bool(side)]
        assert 0 < len(own) < 160
        assert dataset["input_ids"][:] == [encode(tokenizer, conversation, s)["input_ids"] for s in own]
    assert sum(map(len, sides)) == 160


def test_the_share_held_out_is_the_one_asked_for():
    assert sum(held_out(f"q{i}", 0.1) for i in range(5000)) / 5000 == pytest.approx(0.1, abs=0.02)


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


def test_no_rollouts_is_said(tmp_path):
    with pytest.raises(UserError, match="no rollouts"):
        prm_stage(tmp_path, rollouts=str(tmp_path / "none")).run()


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


def test_samples_of_the_policy_are_graded(tmp_path):
    from ttcs.policies.scripted import ScriptedPolicy

    GradedSamples(str(tmp_path / "s.jsonl"), 0, 20, 2, [0.8, 1.0], ScriptedPolicy()).run()
    assert (tmp_path / "s.jsonl").exists()
    lines = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert all(not line["correct"] and line["labels"][0] == 0.0 for line in lines)  # it knows nothing of the exercises
    assert lines


def test_a_deepened_model_says_at_first_what_it_said():
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()
    deeper = deepened(model, 2).eval()
    ids = torch.arange(20)[None]
    assert deeper.config.num_hidden_layers == model.config.num_hidden_layers + 2
    assert torch.allclose(deeper(ids).logits, model(ids).logits, atol=1e-5)
