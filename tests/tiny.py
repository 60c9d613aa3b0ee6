"""Small random models of real architectures, for tests of the code that loads and runs real ones.

Makers take the heads of attention, as some engines support few sizes of them: the hidden size is 32.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from huggingface_hub import save_torch_state_dict
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)
from transformers.utils import logging

from ttcs.core import Problem, Step, Stop, Trajectory
from ttcs.zoo.generator import Split, exercises
from ttcs.zoo.tokenizer import train_tokenizer

logging.disable_progress_bar()  # what a test captures is not to hold that of a model that is made within it

PROBLEM = Problem("p", "Compute $3 + 4 \\cdot 7$.", "31", 1)

# As Qwen2.5-Math writes chats; unlike Llama's, it leaves messages untrimmed and has a system prompt of its own.
QWEN_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nPlease reason step by step, and put your final "
    "answer within \\\\boxed{}.<|im_end|>\n' }}{% endif %}"
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@cache
def folder(heads: int = 4, kv_heads: int = 4) -> str:
    """A language model: random Llama weights and a freshly trained tokenizer."""
    tokenizer = _llama_tokenizer()
    return _saved(LlamaForCausalLM(_config(LlamaConfig, tokenizer, heads, kv_heads)), tokenizer)


@cache
def generative(heads: int = 4, kv_heads: int = 2) -> str:
    """A language model that can say Yes and No."""
    tokenizer = _llama_tokenizer()
    tokenizer.add_tokens(["Yes", "No"])
    return _saved(LlamaForCausalLM(_config(LlamaConfig, tokenizer, heads, kv_heads)), tokenizer)


@cache
def outcome(labels: int = 1, heads: int = 4, kv_heads: int = 2) -> str:
    """A sequence classifier on Llama."""
    tokenizer = _llama_tokenizer()
    config = _config(LlamaConfig, tokenizer, heads, kv_heads, num_labels=labels)
    return _saved(LlamaForSequenceClassification(config), tokenizer)


@cache
def math_shepherd(heads: int = 4, kv_heads: int = 2) -> str:
    """A language model on Mistral with sliding attention, and a tokenizer of the SentencePiece kind."""
    tokenizer = _mistral_tokenizer()
    config = _config(MistralConfig, tokenizer, heads, kv_heads, sliding_window=64)
    return _saved(MistralForCausalLM(config), tokenizer)


@cache
def qwen_math(heads: int = 4, kv_heads: int = 2, shard: str = "1GB") -> str:
    """A PRM as Qwen publishes them: layers, a head of two layers, and remote code that is never run."""
    sizes = {"score.0.weight": (32, 32), "score.0.bias": (32,), "score.2.weight": (2, 32), "score.2.bias": (2,)}
    remote = {"AutoModel": "modeling_qwen2_rm.Qwen2ForProcessRewardModel"}
    return _with_head("Qwen2ForProcessRewardModel", sizes, remote, heads, kv_heads, shard, ".safetensors")


@cache
def skywork(heads: int = 4, kv_heads: int = 2, shard: str = "1GB", suffix: str = ".safetensors") -> str:
    """A PRM as Skywork publishes them: a language model with a value head beside its own."""
    sizes = {"v_head.summary.weight": (1, 32), "v_head.summary.bias": (1,)}
    return _with_head("Qwen2ForPrmModel", sizes, {}, heads, kv_heads, shard, suffix)


def trajectory(*texts: str, problem: Problem = PROBLEM) -> Trajectory:
    steps = tuple(
        Step(node, (node,), text, Stop.END if node == len(texts) - 1 else Stop.STEP) for node, text in enumerate(texts)
    )
    return Trajectory(problem, steps)


def _with_head(
    architecture: str,
    head: Mapping[str, tuple[int, ...]],
    remote: Mapping[str, str],
    heads: int,
    kv_heads: int,
    shard: str,
    suffix: str,
) -> str:
    """Qwen2 with weights of these sizes beside the language model's, in files of at most `shard`."""
    tokenizer = _qwen_tokenizer()
    config = _config(Qwen2Config, tokenizer, heads, kv_heads, architectures=[architecture], auto_map=dict(remote))
    weights = Qwen2ForCausalLM(config).state_dict() | {name: torch.randn(size) * 0.3 for name, size in head.items()}
    path = mkdtemp(prefix="ttcs-tiny-")
    safe = suffix == ".safetensors"
    name = ("model" if safe else "pytorch_model") + "{suffix}" + suffix
    save_torch_state_dict(weights, path, filename_pattern=name, max_shard_size=shard, safe_serialization=safe)
    config.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def _config(kind: Any, tokenizer: Any, heads: int, kv_heads: int, **settings: Any) -> Any:
    torch.manual_seed(0)
    return kind(
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
        **settings,
    )


def _saved(model: PreTrainedModel, tokenizer: Any) -> str:
    path = mkdtemp(prefix="ttcs-tiny-")
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(Path(path))


@cache
def _texts() -> tuple[str, ...]:
    stream = exercises("tests", Split.TRAIN)
    drawn = [next(stream) for _ in range(300)]
    return tuple(f"{e.question}\n\n{e.solution()[0]}\n\n+ -\nuser assistant" for e in drawn)


def _llama_tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(_texts(), 400)


def _qwen_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = train_tokenizer(_texts(), 400)
    special = [AddedToken(text, special=True) for text in ("<|im_start|>", "<|im_end|>", "<extra_0>")]
    tokenizer.add_tokens(special, special_tokens=True)
    tokenizer.chat_template = QWEN_TEMPLATE
    tokenizer.backend_tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)  # no BOS in front
    return tokenizer


def _mistral_tokenizer() -> PreTrainedTokenizerFast:
    """Spaces are part of words, one is put in front of a text, and what is no word falls back to bytes: newlines."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>", "<s>", "</s>", *bytes_], show_progress=False)
    tokenizer.train_from_iterator([f"Step 1: {text} ки".replace("\n", " ") for text in _texts()], trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="</s>",
        clean_up_tokenization_spaces=False,
    )
