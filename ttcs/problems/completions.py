"""Solutions that somebody else sampled: a row with a problem and its completions, as docs/records.md describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.problems import cells
from ttcs.problems.columns import Columns, problem


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column holds what. A column that a file does not have is unknown; but `problem` and `completions` it has.

    scores: of each completion a list with a number per step, or one number for all of it. tokens: of each completion,
    how many. finished: of each completion, whether it ended by itself (unknown: it did).
    """

    id: str = "id"
    problem: str = "problem"
    answer: str = "answer"
    level: str = "level"
    family: str = "family"
    completions: str = "completions"
    scores: str = "scores"
    tokens: str = "tokens"
    finished: str = "finished"
    required: frozenset[str] = frozenset({"problem", "completions"})  # columns that must be there

    def renamed(self, names: Mapping[str, str]) -> Layout:
        """With other columns for some; a column that somebody names must be there."""
        known = asdict(self).keys() - {"required"}
        for key in sorted(names.keys() - known):
            raise UserError(f"--column has no {key}; it has {', '.join(sorted(known))}")
        return replace(self, **names, required=self.required | names.keys())

    def column(self, where: str, row: Mapping[str, Any], key: str) -> str | None:
        """The column of this name in the row; None where it has none and need not."""
        name: str = getattr(self, key)
        if name in row:
            return name
        if key in self.required:
            raise UserError(f"{where}: no column {name} (there are: {', '.join(row)}); name it: --column {key}=...")
        return None


LAYOUTS = {
    "plain": Layout(),
    "search_and_learn": Layout(id="unique_id", family="subject", tokens="completion_tokens"),
}


@dataclass(frozen=True, slots=True)
class Completion:
    """texts: of its steps, which make up the whole; scores: one per step. tokens, scores: None where unknown."""

    texts: tuple[str, ...]
    scores: tuple[float | None, ...]
    tokens: int | None
    finished: bool


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is read. separator: what ends a step, where the steps have scores of their own."""

    layout: Layout
    separator: str

    def problem(self, where: str, row: Mapping[str, Any], number: int) -> Problem:
        at = {key: self.layout.column(where, row, key) for key in ("id", "answer", "level", "family")}
        question = self.layout.column(where, row, "problem")
        assert question is not None  # it is required
        return problem(where, row, Columns(at["id"], question, at["answer"], at["level"], at["family"]), number)

    def completions(self, where: str, row: Mapping[str, Any]) -> list[Completion]:
        texts = self._list(where, row, "completions", None) or []
        if not texts:
            raise UserError(f"{where}: no completions")
        columns = [self._list(where, row, key, len(texts)) for key in ("scores", "tokens", "finished")]
        scores, tokens, finished = (column or [None] * len(texts) for column in columns)
        return [
            self._completion(f"{where}: completion {number}", *values)
            for number, values in enumerate(zip(texts, scores, tokens, finished, strict=True), 1)
        ]

    def _list(self, where: str, row: Mapping[str, Any], key: str, length: int | None) -> list[Any] | None:
        name = self.layout.column(where, row, key)
        values = None if name is None else row[name]
        if values is None:
            return None
        if not isinstance(values, list):
            raise UserError(f"{where}: column {name} is not a list")
        if length not in (None, len(values)):
            raise UserError(f"{where}: {length} completions but {len(values)} in column {name}")
        return values

    def _completion(self, where: str, text: Any, scores: Any, tokens: Any, finished: Any) -> Completion:
        if isinstance(text, bytes):
            text = cells.text(where, self.layout.completions, text) or ""
        if not isinstance(text, str):
            raise UserError(f"{where} is not text")
        if tokens is not None and (type(tokens) is not int or tokens < 0):
            raise UserError(f"{where} has {tokens} tokens, which is not a whole number")
        own = scores if isinstance(scores, list) else [scores]
        for score in own:
            _check_score(where, score)
        texts = _steps(where, text, self.separator, len(own)) if isinstance(scores, list) else [text]
        return Completion(tuple(texts), tuple(own), tokens, finished is None or bool(finished))


def _steps(where: str, text: str, separator: str, scored: int) -> list[str]:
    """Split after each separator. What scores an empty step too (at the end, or between two separators) is followed."""
    *before, last = text.split(separator)
    pieces = [*(piece + separator for piece in before), last]
    if len(pieces) == scored:
        return pieces
    joined = _joined(pieces)
    if len(joined) != scored:
        named = separator.encode("unicode_escape").decode()
        raise UserError(f"{where} has {scored} step scores, but --separator '{named}' makes {len(joined)} steps of it")
    return joined


def _joined(pieces: Sequence[str]) -> list[str]:
    """Blank pieces with the step before, or at the start with the one after."""
    steps: list[str] = []
    for piece in pieces:
        if steps and not (piece.strip() and steps[-1].strip()):
            steps[-1] += piece
        else:
            steps.append(piece)
    return steps


def _check_score(where: str, score: Any) -> None:
    if score is not None and not (isinstance(score, int | float) and 0 <= score <= 1):
        raise UserError(f"{where} has the score {score}, which is not in [0, 1]")
