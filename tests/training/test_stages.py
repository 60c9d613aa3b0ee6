"""The training stages on something small, through transformers' Trainer as for large models."""

import itertools
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from datasets import Dataset, load_from_disk
from safetensors.torch import load_file
from transformers import AutoConfig, PreTrainedTokenizerBase

from tests import tiny
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.training.chain_corpus import ChainCorpus
from ttcs.training.chain_graded import GradedChains
from ttcs.training.corpus import Corpus, ProblemSet, Tokenizer
from ttcs.training.fact_corpus import FactCorpus
from ttcs.training.graded import GradedSamples, GradedSolutions, graded
from ttcs.training.sft import SupervisedFineTuning
from ttcs.training.trainer import fit
from ttcs.zoo.chains.problems import Chains
from ttcs.zoo.generator import Mistakes, Split

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
            saved="bfloat16",
        )

    stage(8).run()
    stage(16).run()
    state = json.loads((tmp_path / "work" / "checkpoint-16" / "trainer_state.json").read_text())
    assert state["global_step"] == 16
    assert {weight.dtype for weight in load_file(tmp_path / "out" / "model.safetensors").values()} == {torch.bfloat16}
    assert AutoConfig.from_pretrained(str(tmp_path / "out")).dtype == torch.bfloat16
    dataset = load_from_disk(str(tmp_path / "corpus"))
    assert _loss(str(tmp_path / "out"), dataset) < 0.9 * _loss(tiny.folder(), dataset)


def test_a_precision_that_there_is_not_is_said_before_training(tmp_path):
    with pytest.raises(UserError, match=r"stage\.saved=int8 is not one of null, float32, bfloat16, float16"):
        fit(None, None, None, None, None, str(tmp_path / "out"), str(tmp_path / "work"), 0, {}, saved="int8")


class Killed(Mistakes):
    """The process dies at the fifth solution."""

    drawn = itertools.count()

    def scaled(self, slip, misconceptions):
        return self

    def reasoner(self, rng, level):
        if next(self.drawn) % 5 == 4:
            raise KeyboardInterrupt
        return Mistakes.reasoner(self, rng, level)


@dataclass(frozen=True)
class Few:
    """Problems that end in the middle of it."""

    def exercises(self, seed, split):
        yield from itertools.islice(Chains().exercises(seed, split), 5)
        raise KeyboardInterrupt

    def fixed_set(self, seed, split, size):
        return self.exercises(seed, split)


def torn(self, folder, *_, **__):
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / "part").write_text("{")
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "stage",
    [
        lambda out: GradedSolutions(out, 0, 20, Killed([0.1] * 5)),
        lambda out: GradedChains(out, 0, 20, Killed([0.1] * 5)),
        lambda out: GradedSamples(out, 0, 20, 2, [0.8], ScriptedPolicy(), problems=Few()),
        lambda out: ProblemSet(out, 0, "test", 20, Few()),
        lambda out: Corpus(out, tiny.folder(), 0, 20, 1),
        lambda out: ChainCorpus(out, tiny.folder(), 0, 20, 1, Mistakes()),
        lambda out: FactCorpus(out, tiny.folder(), 0, 20, 0.5),
        lambda out: Tokenizer(out, 0, 300, 20),
    ],
    ids=lambda stage: "-".join(stage.__code__.co_names[:1]),
)
def test_what_a_kill_cuts_short_is_not_there(tmp_path, monkeypatch, stage):
    monkeypatch.setattr(Dataset, "save_to_disk", torn)
    monkeypatch.setattr(PreTrainedTokenizerBase, "save_pretrained", torn)
    with pytest.raises(KeyboardInterrupt):
        stage(str(tmp_path / "out")).run()
    assert not (tmp_path / "out").exists()


def test_what_is_graded_already_is_left_as_it_is(tmp_path, capsys):
    for stage in (
        GradedSolutions(str(tmp_path / "a"), 0, 5, Mistakes()),
        GradedChains(str(tmp_path / "b"), 0, 5, Mistakes()),
        GradedSamples(str(tmp_path / "c"), 0, 20, 2, [0.8], ScriptedPolicy()),
    ):
        stage.run()
        before = (Path(stage.out).stat().st_mtime_ns, Path(stage.out).read_bytes())
        replace(stage, seed=1).run()
        assert (Path(stage.out).stat().st_mtime_ns, Path(stage.out).read_bytes()) == before
        assert f"done: {stage.out} is there" in capsys.readouterr().out


def _loss(folder, dataset):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    with torch.no_grad():
        rows = [(torch.tensor([r["input_ids"]]), torch.tensor([r["labels"]])) for r in dataset.select(range(8))]
        return sum(model(input_ids=ids, labels=labels).loss.item() for ids, labels in rows)


def test_samples_of_the_policy_are_graded(tmp_path):
    GradedSamples(str(tmp_path / "s.jsonl"), 0, 20, 2, [0.8, 1.0], ScriptedPolicy()).run()
    assert (tmp_path / "s.jsonl").exists()
    lines = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert all(not line["correct"] and line["labels"][0] == 0.0 for line in lines)  # it knows nothing of the exercises
    assert lines


def test_a_check_that_slips_leaves_a_solution_right_and_a_wrong_step_makes_it_wrong():
    exercise = next(Chains().exercises("check", Split.TRAIN))
    steps = exercise.graded_right()
    botched = [*steps[:-2], "Check: 1: does not fit.\n\n", steps[-1]]
    line = graded("g", exercise, botched)
    assert (line["correct"], line["right"], set(line["labels"])) == (True, None, {1.0})
    wrong = graded("g", exercise, [*steps[:2], "3: nothing.\n\n", *botched[3:]])
    assert (wrong["correct"], wrong["labels"]) == (False, [1.0, 1.0, *[0.0] * (len(steps) - 2)])
