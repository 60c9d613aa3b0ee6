"""Chats to learn from: a question, attempts at it if there are any, and the answer, which alone has a loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from datasets import Dataset, Features, List, Value

from ttcs.core import Problem, Step, Stop, Trajectory, Turn
from ttcs.errors import UserError
from ttcs.models.pieces import Pieces, Prefix
from ttcs.models.prompt import Prompt
from ttcs.models.reasoning import Thinking
from ttcs.problems.rows import from_jsonl
from ttcs.training.examples import UNLABELLED, Example, fitting
from ttcs.training.split import held_out

COUNTED = "examples", "tokens", "dropped"
FEATURES = Features({"input_ids": List(Value("int32")), "labels": List(Value("int32")), "length": Value("int32")})


@dataclass(frozen=True, slots=True)
class Chat:
    """attempts: texts of earlier solutions, oldest first, that the answer revises. thinking: what comes before it."""

    question: str
    answer: str
    attempts: tuple[str, ...] = ()
    thinking: str | None = None


class Source(Protocol):
    """Where chats come from; the same ones in the same order each time."""

    def chats(self) -> Iterator[Chat]: ...


class Encoder:
    """A chat as a policy meets it: the prompt is made by what makes a policy's own, and the turn ends with its EOS.

    thinking: how the policy's is told from its answer, delimiters included, which it learns to write. UserError for
    chats with thinking where this is None, and for those without where it is not.
    Attempts are known as texts here: where a policy has sampled other tokens for a text than its tokenizer would, it
    sees those again, and this the tokenizer's.
    """

    def __init__(self, tokenizer: Any, prompt: Prompt, thinking: Thinking | None = None) -> None:
        self._prompt, self._pieces, self._end = prompt, Pieces(tokenizer), tokenizer.eos_token_id
        self._thinking = thinking

    def __call__(self, chat: Chat) -> Example:
        problem = Problem(chat.question, chat.question)
        prompt = self._prompt(problem, [self._turn(problem, text) for text in chat.attempts])
        answer = (*self._thought(prompt, chat), *self._pieces.inner(chat.answer), self._end)
        ids = [*prompt, *answer]
        return {"input_ids": ids, "labels": [UNLABELLED] * len(prompt) + list(answer), "length": len(ids)}

    def _thought(self, prompt: Sequence[int], chat: Chat) -> Prefix:
        """What the model writes before its answer."""
        if self._thinking is None and chat.thinking is None:
            return ()
        if self._thinking is None or chat.thinking is None:
            raise UserError(
                "the examples have thinking, but stage.reasoning does not say how it is told from the answer"
                if self._thinking is None
                else f"an example has no thinking, which stage.reasoning is for: {chat.question[:60]!r}"
            )
        return self._thinking.written(prompt, chat.thinking)

    def _turn(self, problem: Problem, text: str) -> Turn:
        return Turn(Trajectory(problem, (Step(0, self._pieces.inner(text), text, Stop.END),)))


def datasets(source: Source, encoder: Encoder, validation: float, longest: int) -> tuple[Dataset, Dataset | None]:
    """What is trained on, and what is held out: a share of the *questions*, None where that is 0."""
    train = _dataset(source, encoder, validation, longest, False)
    held = _dataset(source, encoder, validation, longest, True) if validation else None
    if not len(train) or (held is not None and not len(held)):
        raise UserError(
            f"stage.validation={validation} leaves {len(train)} examples of at most {longest} tokens to train on and "
            f"{0 if held is None else len(held)} held out; both sides need some"
        )
    return train, held


def _dataset(source: Source, encoder: Encoder, validation: float, longest: int, held: bool) -> Dataset:
    counts = Counter[str]()

    def examples() -> Iterator[Example]:
        for chat in source.chats():
            if held_out(chat.question, validation) == held:
                yield from fitting([encoder(chat)], longest, counts)

    if next(examples(), None) is None:  # of which from_generator makes an error
        return Dataset.from_dict({column: [] for column in FEATURES}, FEATURES)
    counts.clear()
    side = "validation" if held else "train"
    # A cache of its own: the library's would hand out old examples when a file or the tokenizer has changed.
    with TemporaryDirectory() as cache:
        made = Dataset.from_generator(
            examples, features=FEATURES, cache_dir=cache, keep_in_memory=True, fingerprint=side
        )
    print(f"{side}: {', '.join(f'{counts[key]} {key}' for key in COUNTED)} (longer than {longest} tokens)")
    return made


@dataclass(frozen=True, slots=True)
class Solutions:
    """Source: a dataset whose column of answers has whole solutions (`columns.answer: solution`)."""

    problems: Sequence[Problem]

    def chats(self) -> Iterator[Chat]:
        for problem in self.problems:
            if not problem.answer:
                raise UserError(
                    f"problem {problem.id} has no solution; its column is stage.chats.problems.columns.answer"
                )
            yield Chat(problem.question, problem.answer)


@dataclass(frozen=True, slots=True)
class Traces:
    """Source: lines with `question`, `thinking` and `answer`, as a curated dataset has them. UserError for others."""

    paths: Sequence[str]

    def chats(self) -> Iterator[Chat]:
        for where, row in chain.from_iterable(from_jsonl(Path(path)) for path in self.paths):
            if missing := [key for key in ("question", "thinking", "answer") if not row.get(key)]:
                raise UserError(f"{where}: a trace without {' and '.join(missing)}")
            yield Chat(row["question"], row["answer"], thinking=row["thinking"])
