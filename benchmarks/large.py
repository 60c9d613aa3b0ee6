"""A PRM with eight times the parameters of the zoo's policy. Its weights are random: it costs, and means nothing."""

from __future__ import annotations

import atexit
from functools import cache
from tempfile import TemporaryDirectory

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from benchmarks import zoo


@cache
def folder() -> str:
    """A model folder, gone when the process ends."""
    place = TemporaryDirectory(prefix="ttcs-large-")
    atexit.register(place.cleanup)
    small = zoo.configured().prm.model
    shape = LlamaConfig.from_pretrained(small)
    sizes = {"hidden_size": 384, "intermediate_size": 1024, "num_attention_heads": 6, "num_key_value_heads": 6}
    config = LlamaConfig.from_dict({**shape.to_dict(), **sizes, "head_dim": 64})
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(place.name)
    AutoTokenizer.from_pretrained(small).save_pretrained(place.name)
    return place.name
