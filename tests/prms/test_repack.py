"""The copy of a checkpoint that vLLM is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoTokenizer

from tests import tiny
from tests.prms.families import judge
from ttcs.errors import UserError
from ttcs.prms.repack import repack
from ttcs.prms.skywork import NAMES, Skywork
from ttcs.prms.transformers import TransformersPRM

STEPS = ("One.\nTwo.\n\n", "$3$.")
kinds = pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
shards = pytest.mark.parametrize("shard", ["1GB", "20KB"])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        found |= load_file(file)
    for file in sorted(folder.glob("*.bin")):
        found |= torch.load(file)
    return found


@kinds
@shards
def test_a_copy_differs_in_the_names_of_the_head_and_in_the_config(suffix: str, shard: str) -> None:
    source = Path(tiny.skywork(suffix=suffix, shard=shard))
    settings = Skywork().head.pooling(str(source), None)
    copy = Path(settings["model"])
    before, after = weights(source), weights(copy)
    assert after.keys() == {NAMES.get(name, name) for name in before}
    assert all(torch.equal(tensor, after[NAMES.get(name, name)]) for name, tensor in before.items())
    config = AutoConfig.from_pretrained(copy)
    assert (config.architectures, config.num_labels) == (["Qwen2ForSequenceClassification"], 1)
    assert len(AutoTokenizer.from_pretrained(copy)) == len(AutoTokenizer.from_pretrained(source))
    for index in copy.glob("*.index.json"):
        named = json.loads(index.read_text())["weight_map"]
        assert named.keys() == after.keys() and all((copy / name).exists() for name in named.values())
    written = {file.name for file in copy.iterdir() if not file.is_symlink()}
    assert len(written) <= 2 + 2 * (shard != "1GB")  # the config, one or two shards, the index


def test_it_is_made_once_for_each_state_of_the_checkpoint() -> None:
    source = tiny.skywork()
    first = repack(source, NAMES, {"a": 1})
    made = (Path(first) / "config.json").stat().st_mtime_ns
    assert repack(source, NAMES, {"a": 1}) == first
    assert (Path(first) / "config.json").stat().st_mtime_ns == made
    assert repack(source, NAMES, {"a": 2}) != first
    assert not [folder for folder in Path(first).parent.iterdir() if folder.name.startswith(".")]


def test_a_checkpoint_without_the_head_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no weights v_head.summary.bias, v_head.summary.weight"):
        repack(tiny.qwen_math(), NAMES, {})
    assert not list((tmp_path / "ttcs").iterdir())


@kinds
@shards
def test_all_kinds_of_files_give_the_same_scores(suffix: str, shard: str) -> None:
    folder = tiny.skywork(suffix=suffix, shard=shard)
    (result,) = judge(TransformersPRM(Skywork(), folder, 1), tiny.trajectory(*STEPS))
    (expected,) = judge(TransformersPRM(Skywork(), tiny.skywork(), 1), tiny.trajectory(*STEPS))
    assert result.scores == pytest.approx(expected.scores, abs=1e-6)
