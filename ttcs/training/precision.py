"""In which precision the weights of a trained model are kept."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ttcs.errors import UserError

KEPT = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def precision(name: str | None) -> torch.dtype | None:
    """None: that of the training. UserError for what weights are not kept in."""
    if name is not None and name not in KEPT:
        raise UserError(f"stage.saved={name} is not one of null, {', '.join(KEPT)}")
    return None if name is None else KEPT[name]


def keep(folder: Path, kept: torch.dtype) -> None:
    """Write the weights of a saved model anew, in `kept`, and say so in its config."""
    for file in folder.glob("*.safetensors"):
        weights, part = load_file(file), file.with_suffix(".part")  # what is loaded may still be read from the file
        rounded = {name: weight.to(kept) if weight.is_floating_point() else weight for name, weight in weights.items()}
        save_file(rounded, part, metadata={"format": "pt"})
        part.replace(file)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    name = "torch_dtype" if "torch_dtype" in config else "dtype"  # what older versions of transformers call it
    config[name] = str(kept).removeprefix("torch.")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
