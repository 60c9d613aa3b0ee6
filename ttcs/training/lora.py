"""Low-rank adapters (Hu et al., 2021, arXiv 2106.09685) through peft."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ttcs.errors import UserError

ADAPTER = "adapter"  # the folder beside the weights into which it was merged


def adapted(model: Any, fields: Mapping[str, Any]) -> Any:
    """The model with an adapter, the only part of it that is trained. fields: of peft's LoraConfig."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise UserError("stage.lora needs the package peft: pip install peft") from error
    try:
        return get_peft_model(model, LoraConfig(**fields))
    except (TypeError, ValueError) as error:
        raise UserError(f"stage.lora: {error}") from error


def merged(base: Any, adapter: Path) -> Any:
    """The model with a saved adapter added to its weights, of the class that it was."""
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()
