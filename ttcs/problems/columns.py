"""Which column of a dataset holds what, and a problem read from a row by that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from string import ascii_uppercase
from textwrap import shorten
from typing import Any

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.problems import cells


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what. None: the dataset has no such column; ids are then the row numbers.

    answer_after: the answer is what follows the last of these marks in its column (GSM8K: "####").
    wrong: columns of wrong options. Where there are any, the question lists them and the right one (the answer's
    column) as (A), (B), ..., and the answer is a letter.
    seed: of the order of the options, which follows from it and the id of the problem alone.
    """

    id: str | None
    question: str
    answer: str | None
    level: str | None
    family: str | None
    answer_after: str | None = None
    wrong: Sequence[str] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.wrong and self.answer is None:
            raise UserError("dataset.columns.wrong needs dataset.columns.answer, the column of the right option")
        if len(self.wrong) >= len(ascii_uppercase):
            raise UserError(f"dataset.columns.wrong names {len(self.wrong)} columns, more than there are letters")


def problem(where: str, row: Mapping[str, Any], columns: Columns, number: int) -> Problem:
    """The problem of a row; `where` it stands is for the error messages. number: its id where the dataset has none."""
    name = _text(where, row, columns.id) or str(number)
    question = _filled(where, row, columns.question)
    answer = _text(where, row, columns.answer)
    if columns.answer_after is not None and answer is not None:
        answer = _after(where, answer, columns.answer_after)
    options: tuple[str, ...] = ()
    if columns.wrong:
        assert columns.answer is not None  # Columns sees to it
        given = [_filled(where, row, column).strip() for column in (columns.answer, *columns.wrong)]
        options = _shuffled(given, f"{columns.seed}/{name}")
        question, answer = _multiple_choice(question, options), ascii_uppercase[options.index(given[0])]
    level = _level(where, _text(where, row, columns.level))
    return Problem(name, question, answer, level, _text(where, row, columns.family), options)


def _shuffled(options: Sequence[str], key: str) -> tuple[str, ...]:
    """In the order that `key` gives them."""
    order = sorted(range(len(options)), key=lambda option: blake2b(f"{key}/{option}".encode()).digest())
    return tuple(options[option] for option in order)


def stem(problem: Problem) -> str:
    """The question without the options that are listed behind it."""
    listed = _multiple_choice("", problem.options) if problem.options else ""
    return problem.question.removesuffix(listed).rstrip()


def _multiple_choice(question: str, options: Sequence[str]) -> str:
    listed = [f"({letter}) {option}" for letter, option in zip(ascii_uppercase, options, strict=False)]
    return "\n".join([question.strip(), "", *listed, "", "Answer with the letter of the right option."])


def _after(where: str, answer: str, mark: str) -> str:
    _, found, rest = answer.rpartition(mark)
    if not found or not rest.strip():
        raise UserError(f"{where}: nothing follows {mark} in the answer; see dataset.columns.answer_after")
    return rest.strip()


def _filled(where: str, row: Mapping[str, Any], column: str) -> str:
    text = _text(where, row, column)
    if text is None:
        raise UserError(f"{where}: column {column} is empty")
    return text


def _text(where: str, row: Mapping[str, Any], column: str | None) -> str | None:
    if column is None:
        return None
    if column not in row:
        there = shorten(", ".join(row), 300, placeholder=" ...")
        raise UserError(f"{where}: no column {column} (there are: {there}); name it under dataset.columns")
    return cells.text(where, column, row[column])


def _level(where: str, text: str | None) -> int | None:
    """A number, which tables with empty cells write as 3.0, or "Level 3"; MATH has a few problems of "Level ?"."""
    if text is None:
        return None
    match = re.fullmatch(r"(?:level\s*)?(?:(\d+)(?:\.0)?|\?)", text.strip(), re.IGNORECASE)
    if match is None:
        raise UserError(f"{where}: level {text!r} is not a whole number")
    return None if match[1] is None else int(match[1])
