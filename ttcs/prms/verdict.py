"""PRMs that are plain language models: the score is the probability of one token against another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ttcs.errors import UserError
from ttcs.models.load import load_config, load_model
from ttcs.prms.format import Scorer


def load_verdict(model: str, verdicts: tuple[int, int], dtype: str, device: str, **config: Any) -> Scorer:
    """A causal language model as a scorer with one logit, that of the good verdict less that of the bad one.

    Its sigmoid is the softmax over the two. No other row of the language model's head is ever multiplied.
    """
    loaded = load_model(model, dtype, device, **config)

    def head(hidden: torch.Tensor) -> torch.Tensor:
        good, bad = loaded.get_output_embeddings().weight[list(verdicts)].float()
        logit: torch.Tensor = hidden.float() @ (good - bad)[:, None]
        return logit

    return Scorer(loaded, head)


def verdict_pooling(model: str, good: str, bad: str) -> Mapping[str, Any]:
    """vLLM takes the two rows out of the language model's head: one logit, the good row less the bad one.

    good, bad: tokens as the vocabulary spells them.
    """
    architectures = load_config(model).architectures or []
    if len(architectures) != 1:
        raise UserError(f"PRM {model}: its config names {len(architectures)} architectures, and vLLM needs one")
    (architecture,) = architectures
    return {
        "runner": "pooling",
        "convert": "classify",
        "hf_overrides": {
            "architectures": [architecture.replace("ForCausalLM", "ForSequenceClassification")],
            "classifier_from_token": [bad, good],
            "method": "from_2_way_softmax",
        },
    }


def token_id(tokenizer: Any, text: str, model: str) -> int:
    """The id of a text that is one token. UserError when it is not."""
    ids = tokenizer(text, add_special_tokens=False).input_ids
    if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
        raise UserError(f"PRM {model}: {text!r} is not one token of its tokenizer")
    found: int = ids[0]
    return found
