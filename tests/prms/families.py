"""Every family of PRMs on a small model, with its score computed in the plainest way: the oracle of the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Qwen2Config,
    Qwen2Model,
)

from tests import tiny
from ttcs.core import Judge, Judged, Trajectory
from ttcs.prms.format import Format
from ttcs.prms.generative import Generative
from ttcs.prms.math_shepherd import MathShepherd
from ttcs.prms.outcome import Outcome
from ttcs.prms.qwen_math import QwenMath
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.skywork import Skywork
from ttcs.prms.transformers import TransformersPRM

PROMPT = "Problem: {problem}\n\nSolution:\n{solution}\n\nIs the solution correct so far? Answer Yes or No."
QUESTION = tiny.PROBLEM.question

Written = Callable[[Any, Sequence[str]], tuple[list[int], int]]  # (tokenizer, steps) -> (token ids, position read)
Scored = Callable[[str, torch.Tensor, torch.Tensor], torch.Tensor]  # (folder, ids, mask) -> scores [rows, positions]


@dataclass(frozen=True)
class Family:
    """written, scored: the reference, which shares no code with the format.

    last_only: it scores the last step only. tailed: something stands behind the step that is judged.
    """

    name: str
    format: Format
    folder: Callable[..., str]
    written: Written
    scored: Scored
    last_only: bool = False
    tailed: bool = False

    def prm(self, batch_size: int = 8, **settings: Any) -> TransformersPRM:
        return TransformersPRM(self.format, self.folder(), batch_size, **settings)

    def expected(self, texts: Sequence[str], side: str = "right") -> list[float]:
        """The score of each step from a batch of all prefixes, padded on the left or on the right."""
        tokenizer = AutoTokenizer.from_pretrained(self.folder())
        rows = [self.written(tokenizer, texts[:depth]) for depth in range(1, len(texts) + 1)]
        width = max(len(ids) for ids, _ in rows)
        shifts = [width - len(ids) if side == "left" else 0 for ids, _ in rows]
        padded, mask = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
        for row, ((ids, _), shift) in enumerate(zip(rows, shifts, strict=True)):
            padded[row, shift : shift + len(ids)] = torch.tensor(ids)
            mask[row, shift : shift + len(ids)] = 1
        with torch.inference_mode():
            scores = self.scored(self.folder(), padded, mask)
        return [
            scores[row, place + shift].item() for row, ((_, place), shift) in enumerate(zip(rows, shifts, strict=True))
        ]


def judge(engine: TransformersPRM, *trajectories: Trajectory) -> list[Judged]:
    for ticket, trajectory in enumerate(trajectories):
        engine.add(ticket, Judge(trajectory))
    results: dict[int, Judged] = {}
    while len(results) < len(trajectories):
        results |= engine.step()
    return [results[i] for i in range(len(trajectories))]


def _chat(tokenizer: Any, messages: list[dict[str, str]], generate: bool = False) -> list[int]:
    return tokenizer.apply_chat_template(messages, add_generation_prompt=generate, return_dict=False)


def _rlhflow(tokenizer: Any, texts: Sequence[str]) -> tuple[list[int], int]:
    chat = []
    for place, text in enumerate(texts):
        chat.append({"role": "user", "content": text.strip() if place else f"{QUESTION} {text.strip()}"})
        chat.append({"role": "assistant", "content": "+"})
    ids = _chat(tokenizer, chat)
    return ids, len(ids) - 3  # "+" and the end of the turn come after it


def _math_shepherd(tokenizer: Any, texts: Sequence[str]) -> tuple[list[int], int]:
    lines = [f"Step {i}: {text.removeprefix(f'## Step {i}: ').strip()} ки" for i, text in enumerate(texts, 1)]
    ids = tokenizer.encode(QUESTION + " " + "\n".join(lines))
    assert tokenizer.convert_ids_to_tokens(ids[-1]) == "▁ки"
    return ids, len(ids) - 1


def _skywork(tokenizer: Any, texts: Sequence[str]) -> tuple[list[int], int]:
    ids = tokenizer.encode(f"{tokenizer.bos_token}{QUESTION}\n", add_special_tokens=False)
    for line in "".join(texts).replace("\n\n", "\n").strip().split("\n"):
        ids += tokenizer.encode(line, add_special_tokens=False) + tokenizer.encode("\n", add_special_tokens=False)
    return ids, len(ids) - 1


def _qwen_math(tokenizer: Any, texts: Sequence[str]) -> tuple[list[int], int]:
    system = "Please reason step by step, and put your final answer within \\boxed{}."
    answer = "<extra_0>".join(text.strip() for text in texts) + "<extra_0>"
    roles = {"system": system, "user": QUESTION, "assistant": answer}
    ids = _chat(tokenizer, [{"role": role, "content": content} for role, content in roles.items()])
    places = [place for place, token in enumerate(ids) if token == tokenizer.convert_tokens_to_ids("<extra_0>")]
    assert len(places) == len(texts)
    return ids, places[-1]


def _outcome(tokenizer: Any, texts: Sequence[str]) -> tuple[list[int], int]:
    answer = {"role": "assistant", "content": "".join(texts).strip()}
    ids = _chat(tokenizer, [{"role": "user", "content": QUESTION}, answer])
    return ids, len(ids) - 1


def _generative(tokenizer: Any, texts: Sequence[str]) -> tuple[list[int], int]:
    content = PROMPT.format(problem=QUESTION, solution="".join(texts).strip())
    ids = _chat(tokenizer, [{"role": "user", "content": content}], generate=True)
    return ids, len(ids) - 1


def _verdict(good: str, bad: str) -> Scored:
    def scored(folder: str, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        tokens = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids([good, bad])
        logits = AutoModelForCausalLM.from_pretrained(folder)(
            ids, attention_mask=mask, position_ids=_places(mask)
        ).logits
        return logits[:, :, tokens].softmax(-1)[:, :, 0]

    return scored


def _headed(head: Callable[[dict[str, torch.Tensor], torch.Tensor], torch.Tensor]) -> Scored:
    """A head, given its weights and the hidden states, on plain Qwen2 layers from the same file."""

    def scored(folder: str, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        weights = load_file(f"{folder}/model.safetensors")
        layers = Qwen2Model(Qwen2Config.from_pretrained(folder)).eval()
        own = {name.removeprefix("model."): weight for name, weight in weights.items() if name.startswith("model.")}
        layers.load_state_dict(own)
        return head(weights, layers(ids, attention_mask=mask, position_ids=_places(mask)).last_hidden_state)

    return scored


def _value(weights: dict[str, torch.Tensor], hidden: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(hidden @ weights["v_head.summary.weight"][0] + weights["v_head.summary.bias"])


def _two_classes(weights: dict[str, torch.Tensor], hidden: torch.Tensor) -> torch.Tensor:
    inner = torch.relu(hidden @ weights["score.0.weight"].T + weights["score.0.bias"])
    return (inner @ weights["score.2.weight"].T + weights["score.2.bias"]).softmax(-1)[:, :, 1]


def _classified(folder: str, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The pooled logits of the classifier, at every position: it reads the last token that is no padding."""
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    pad = model.config.pad_token_id
    logits = model(torch.where(mask == 1, ids, pad), attention_mask=mask, position_ids=_places(mask)).logits
    score = logits.sigmoid()[:, 0] if logits.shape[1] == 1 else logits.softmax(-1)[:, 1]
    return score[:, None].expand(ids.shape)


def _places(mask: torch.Tensor) -> torch.Tensor:
    return (mask.cumsum(-1) - 1).clamp(min=0)


YES_NO = _verdict("Yes", "No")
FAMILIES = (
    Family("rlhflow", RLHFlow(), tiny.folder, _rlhflow, _verdict("+", "-")),
    Family("math_shepherd", MathShepherd(), tiny.math_shepherd, _math_shepherd, _verdict("▁+", "▁-")),
    Family("skywork", Skywork(), tiny.skywork, _skywork, _headed(_value)),
    Family("qwen_math", QwenMath(), tiny.qwen_math, _qwen_math, _headed(_two_classes)),
    Family("outcome", Outcome(), tiny.outcome, _outcome, _classified, last_only=True, tailed=True),
    Family(
        "outcome_2",
        Outcome(),
        lambda **heads: tiny.outcome(labels=2, **heads),
        _outcome,
        _classified,
        last_only=True,
        tailed=True,
    ),
    Family("generative", Generative(PROMPT), tiny.generative, _generative, YES_NO, last_only=True, tailed=True),
    Family("every_step", Generative(PROMPT, every_step=True), tiny.generative, _generative, YES_NO, tailed=True),
)
