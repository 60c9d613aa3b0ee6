"""LoRA adapters (Hu et al., 2021) in vLLM's terms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ttcs.errors import UserError
from ttcs.models.damage import check_adapter

RANKS = 1, 8, 16, 32, 64, 128, 256, 320, 512  # those that vLLM has room for


def lora_arguments(folder: str | None) -> dict[str, Any]:
    """For vLLM's EngineArgs. folder: of the adapter, None for none."""
    if folder is None:
        return {}
    check_adapter(folder)
    try:
        rank = json.loads((Path(folder) / "adapter_config.json").read_text())["r"]
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise UserError(f"policy.lora={folder} is no folder of an adapter with its adapter_config.json") from error
    if rank > RANKS[-1]:
        raise UserError(f"policy.lora={folder} has rank {rank}; vLLM takes {RANKS[-1]} at most")
    return {"enable_lora": True, "max_loras": 1, "max_lora_rank": min(r for r in RANKS if r >= rank)}


def lora_request(folder: str | None) -> Any:
    """What goes with each request."""
    if folder is None:
        return None
    from vllm.lora.request import LoRARequest

    return LoRARequest("adapter", 1, str(Path(folder).resolve()))
