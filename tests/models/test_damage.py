"""Model folders that are not whole: one line each, on every engine, and before anything is loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import tiny
from ttcs.errors import UserError
from ttcs.models.load import load_model, pick_device
from ttcs.policies.transformers import TransformersPolicy
from ttcs.policies.vllm import VLLMPolicy
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.transformers import TransformersPRM
from ttcs.prms.vllm import VLLMPRM
from ttcs.vllm.lora import lora_arguments

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 2471645608\n"
WEIGHTS, INDEX, BIN = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"
SECOND = "model-00002-of-00002.safetensors"

Damage = Callable[[Path], object]


def written(name: str, content: str | bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(_bytes(content))


def gone(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def shortened(name: str, share: float) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(share * len(content))])

    return damage


def configured(**fields: Any) -> Damage:
    def damage(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | fields))

    return damage


def as_torch(share: float) -> Damage:
    def damage(folder: Path) -> None:
        torch.save(load_file(folder / WEIGHTS), folder / BIN)
        (folder / WEIGHTS).unlink()
        shortened(BIN, share)(folder)

    return damage


def sharded(folder: Path) -> None:
    """The first of two files, and an index of both."""
    weights = load_file(folder / WEIGHTS)
    first = sorted(weights)[:3]
    save_file({name: weights[name] for name in first}, folder / SECOND.replace("2-of", "1-of"), {"format": "pt"})
    places = {name: SECOND.replace("2-of", "1-of") if name in first else SECOND for name in weights}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))
    (folder / WEIGHTS).unlink()


def both(*damages: Damage) -> Damage:
    return lambda folder: [damage(folder) for damage in damages]


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


EVERYWHERE = {
    "pointer": (written(WEIGHTS, POINTER), rf"{WEIGHTS} is a git-lfs pointer"),
    "cut": (shortened(WEIGHTS, 0.5), rf"{WEIGHTS} has [\d,]+ bytes, and its header says [\d,]+"),
    "cut early": (shortened(WEIGHTS, 0.001), rf"{WEIGHTS} ends after 187 bytes, within its header of [\d,]+"),
    "empty": (written(WEIGHTS, ""), rf"{WEIGHTS} is empty"),
    "a page": (written(WEIGHTS, "<!doctype html><title>404</title>"), rf"{WEIGHTS} \(33 bytes\) is no safetensors"),
    "header": (written(WEIGHTS, b"\x0a" + bytes(7) + b'{"a": 12.}'), "its header is no safetensors header"),
    "no config": (gone("config.json"), r"has no config\.json"),
    "config": (written("config.json", "{oops"), r"config\.json is not JSON"),
    "config in bytes": (written("config.json", b"\xff\xfe\x00"), r"config\.json is not JSON"),
    "config of a list": (written("config.json", "[1]"), r"config\.json has no JSON object"),
    "config of a pointer": (written("config.json", POINTER), r"config\.json is a git-lfs pointer"),
    "config of nothing": (written("config.json", "{}"), "Should have a `model_type` key"),
    "config of a word": (configured(hidden_size="many"), "'hidden_size' expected int, got str"),
    "generation config": (written("generation_config.json", "{oops"), r"generation_config\.json is not JSON"),
    "tokenizer": (written("tokenizer.json", "{oops"), "cannot load a tokenizer from"),
    "tokenizer of nothing": (written("tokenizer.json", "{}"), "cannot load a tokenizer from"),
    "tokenizer of a pointer": (written("tokenizer.json", POINTER), r"tokenizer\.json is a git-lfs pointer"),
    "no tokenizer": (gone("tokenizer.json"), "has no tokenizer"),
    "not torch": (both(gone(WEIGHTS), written(BIN, "hello")), rf"{BIN} \(5 bytes\) is no file of torch's"),
    "torch, empty": (both(gone(WEIGHTS), written(BIN, "")), rf"{BIN} is empty"),
    "torch, cut": (as_torch(0.5), rf"{BIN} ends after [\d,]+ bytes"),
    "torch, pointer": (both(gone(WEIGHTS), written(BIN, POINTER)), rf"{BIN} is a git-lfs pointer"),
    "a shard": (sharded, f"{SECOND} is missing"),
    "a shard's pointer": (both(sharded, written(SECOND, POINTER)), f"{SECOND} is a git-lfs pointer"),
    "index": (both(sharded, written(INDEX, "{oops")), "index.json is not JSON"),
    "index of nothing": (both(sharded, written(INDEX, "{}")), "index.json has no weight_map"),
}
# What only the engine itself finds.
LOADING = {
    "no weights": (gone(WEIGHTS), "cannot load a model from .* no file named model.safetensors"),
    "pickle": (both(gone(WEIGHTS), written(BIN, b"\x80\x02junk")), "cannot load a model from .*"),
    "shapes": (configured(intermediate_size=65), "down_proj.weight are 32 x 64, and by its config they are 32 x 65"),
    "vocabulary": (configured(vocab_size=100), "weight are 400 x 32, and by its config they are 100 x 32"),
    "layers": (configured(num_hidden_layers=3), "has no weights model.layers.2"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny.folder(), tmp_path / "model"))


def refused(folder: Path, line: str, *makers: Callable[[str], object]) -> None:
    for make in makers:
        with pytest.raises(UserError, match=line) as caught:
            make(str(folder))
        assert "\n" not in str(caught.value)


def policy(folder: str) -> object:
    return TransformersPolicy(folder, 0.8, 1.0, 40, 4)


def prm(folder: str) -> object:
    return TransformersPRM(RLHFlow(), folder, 4)


def vllm_policy(folder: str) -> object:
    return VLLMPolicy(folder, 0.8, 1.0, 40, 4)


def vllm_prm(folder: str) -> object:
    return VLLMPRM(RLHFlow(), folder, 4)


@pytest.mark.parametrize(("damage", "line"), EVERYWHERE.values(), ids=EVERYWHERE)
def test_a_folder_that_no_engine_can_load(folder: Path, damage: Damage, line: str) -> None:
    """vLLM need not be installed: its processes are not started for such a folder."""
    damage(folder)
    refused(folder, line, policy, prm, vllm_policy, vllm_prm)


@pytest.mark.parametrize(("damage", "line"), LOADING.values(), ids=LOADING)
def test_what_is_found_while_loading(folder: Path, damage: Damage, line: str) -> None:
    damage(folder)
    refused(folder, line, policy, prm)


def test_an_empty_folder(tmp_path: Path) -> None:
    refused(tmp_path, "has no tokenizer", policy, prm, vllm_policy, vllm_prm)


@pytest.mark.parametrize("damage", [sharded, as_torch(1.0)], ids=["sharded", "torch"])
def test_whole_ones_are_loaded(folder: Path, damage: Damage) -> None:
    """What is in the folder beside the weights that are loaded may be anything."""
    weights = load_file(folder / WEIGHTS)
    damage(folder)
    if damage is sharded:
        save_file({name: weights[name] for name in sorted(weights)[3:]}, folder / SECOND, {"format": "pt"})
        written(BIN, POINTER)(folder)
    policy(str(folder))


def test_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"r": 8}')
    (tmp_path / "adapter_model.safetensors").write_text(POINTER)
    with pytest.raises(UserError, match=r"adapter_model\.safetensors is a git-lfs pointer"):
        lora_arguments(str(tmp_path))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "CUDA", "cuda:", "meta", "", "0"])
def test_no_such_device(device: str) -> None:
    with pytest.raises(UserError, match=rf"device={device} is not one of auto, cpu"):
        pick_device(device)


def test_no_such_precision() -> None:
    with pytest.raises(UserError, match="dtype=float99 is not one of auto, float32, bfloat16, float16"):
        load_model(tiny.folder(), "float99", "cpu")
