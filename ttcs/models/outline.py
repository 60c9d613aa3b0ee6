"""What can be known of a model without its weights, for engines that hold them elsewhere."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModel, AutoModelForCausalLM, GenerationConfig

from ttcs.core import ModelSize
from ttcs.models.load import failing, model_size, scorer_size


def policy_size(name: str, config: Any, trust_remote_code: bool = False) -> ModelSize:
    """As `model_size` of the loaded model."""
    with torch.device("meta"), failing(f"{name} is no model that writes text"):
        return model_size(name, AutoModelForCausalLM.from_config(config, trust_remote_code=trust_remote_code))


def prm_size(name: str, config: Any) -> ModelSize:
    """As `scorer_size` of the loaded model, less its head, which is the smallest part of it."""
    with torch.device("meta"), failing(f"{name} is no model that scores text"):
        return scorer_size(name, AutoModel.from_config(config), 0)


def generation_config(model: str, config: Any) -> Any:
    """The checkpoint's, or what its config says of generation."""
    try:
        return GenerationConfig.from_pretrained(model)
    except OSError:
        return GenerationConfig.from_model_config(config)
