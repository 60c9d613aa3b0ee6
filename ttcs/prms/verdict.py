"""PRMs that are plain language models: the score is the probability of one token against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from ttcs.errors import UserError
from ttcs.models.load import load_config, load_model
from ttcs.prms.head import Scorer


@dataclass(frozen=True, slots=True)
class Verdict:
    """The head of a causal language model as one logit, that of the token `good` less that of the token `bad`.

    Its sigmoid is the softmax over the two. No other row of the language model's head is ever multiplied.
    """

    quantizable: ClassVar[bool] = True
    good: str
    bad: str

    def tokens(self, tokenizer: Any, model: str) -> tuple[int, int]:
        """UserError when one of the two is not one token."""
        return token_id(tokenizer, self.good, model), token_id(tokenizer, self.bad, model)

    def load(
        self, model: str, tokenizer: Any, dtype: str, device: str, new_head: bool = False, **config: Any
    ) -> Scorer:
        verdicts = list(self.tokens(tokenizer, model))
        loaded = load_model(model, dtype, device, **config)

        def head(hidden: torch.Tensor) -> torch.Tensor:
            good, bad = loaded.get_output_embeddings().weight[verdicts].float()
            logit: torch.Tensor = hidden.float() @ (good - bad)[:, None]
            return logit

        return Scorer(loaded, head)

    def log_odds(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[..., 0]

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.log_odds(logits))

    def pooling(self, model: str, tokenizer: Any) -> Mapping[str, Any]:
        """vLLM takes the two rows out of the language model's head, as the vocabulary spells them."""
        good, bad = tokenizer.convert_ids_to_tokens(self.tokens(tokenizer, model))
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
