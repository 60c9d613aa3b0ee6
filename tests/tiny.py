"""Small random models with the zoo's tokenizer, for tests of the code that loads and runs real ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from ttcs.core import Problem, Step, Stop, Trajectory
from ttcs.zoo.generator import Split, exercises
from ttcs.zoo.tokenizer import train_tokenizer

PROBLEM = Problem("p", "Compute $3 + 4 \\cdot 7$.", "31", 1)


@cache
def folder(heads: int = 4, kv_heads: int = 4) -> str:
    """A model folder: random Llama weights and a freshly trained tokenizer."""
    stream = exercises("tests", Split.TRAIN)
    drawn = [next(stream) for _ in range(300)]
    tokenizer = train_tokenizer([f"{e.question}\n\n{e.solution()[0]}\n\n+ -\nuser assistant" for e in drawn], 400)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        intermediate_size=64,
        max_position_embeddings=512,
        initializer_range=0.3,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    path = mkdtemp(prefix="ttcs-tiny-")
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(Path(path))


def trajectory(*texts: str, problem: Problem = PROBLEM) -> Trajectory:
    steps = tuple(
        Step(node, (node,), text, Stop.END if node == len(texts) - 1 else Stop.STEP) for node, text in enumerate(texts)
    )
    return Trajectory(problem, steps)
