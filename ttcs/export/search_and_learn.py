"""A row per problem, in the columns of the completions that Hugging Face published with search-and-learn.

Beeching, Tunstall and Rush, 2024, *Scaling test-time compute with open models*. Their `solution`, the reference's, is
not on record and left out; `finished` is ours. Predictions are what our grouping of answers and our selections choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import pyarrow as pa  # type: ignore[import-untyped]

from ttcs.choice.selection import Best, Majority, Weighted
from ttcs.core import Candidate, Selection
from ttcs.export.run import Run, steps, text
from ttcs.export.tables import Row
from ttcs.records.grade import as_candidate
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.records.summary import independent

SEPARATOR = "\n\n"
TABLE = "train"
WHOLE, REAL, TEXT = pa.int64(), pa.float64(), pa.string()
COLUMNS = {"problem": TEXT, "answer": TEXT, "subject": TEXT, "level": WHOLE, "unique_id": TEXT,
           "completions": pa.list_(TEXT), "scores": pa.list_(pa.list_(REAL)), "pred": TEXT,
           "completion_tokens": pa.list_(WHOLE), "agg_scores": pa.list_(REAL),
           "finished": pa.list_(pa.bool_())}  # fmt: skip
SELECTIONS: dict[str, Selection] = {"weighted": Weighted(), "maj": Majority(), "naive": Best()}


@dataclass(frozen=True, slots=True)
class SearchAndLearn:
    """sizes: the n of the predictions. Of independent samples the powers of two too, each of the first so many.

    The first few of a search that compared its candidates are no smaller search.
    """

    sizes: Sequence[int]
    about: ClassVar[Mapping[str, str]] = {
        TABLE: "a row per problem, in the columns of the completions published with search-and-learn"
    }

    @classmethod
    def of(cls, run: Run) -> Self:
        n, apart = 0, True
        for record in run.records():
            n = max(n, len(record.candidates))
            apart = apart and independent(record)
        powers = {1 << bit for bit in range(n.bit_length())} if apart else set()
        return cls(sorted(powers | {n} - {0}))

    def schemas(self) -> dict[str, pa.Schema]:
        predictions = {f"pred_{name}@{size}": TEXT for size in self.sizes for name in SELECTIONS}
        return {TABLE: pa.schema({**COLUMNS, **predictions})}

    def rows(self, run: Run, record: Record) -> Iterator[tuple[str, Row]]:
        """One. UserError where the question is not at hand."""
        several = record.candidates
        paths = [steps(record, candidate) for candidate in several]
        texts = [text(path) for path in paths]
        best = Best()(_voters(several))
        scored = [(path, candidate.score) for path, candidate in zip(paths, several, strict=True)]
        yield (
            TABLE,
            {
                "problem": run.question(record),
                "answer": record.reference,
                "subject": record.family,
                "level": record.level,
                "unique_id": record.problem_id,
                "completions": texts,
                "scores": [None if score is None else _scores(path) for path, score in scored],
                "pred": None if best is None else texts[best],
                "completion_tokens": [candidate.tokens for candidate in several],
                "agg_scores": [score for _, score in scored],
                "finished": [candidate.finished for candidate in several],
                **self._predictions(several),
            },
        )

    def _predictions(self, several: Sequence[CandidateRecord]) -> dict[str, str | None]:
        voters = _voters(several)
        return {
            f"pred_{name}@{size}": _boxed(several, selection(voters[:size]))
            for size in self.sizes
            for name, selection in SELECTIONS.items()
        }


def _voters(candidates: Sequence[CandidateRecord]) -> list[Candidate]:
    return list(map(as_candidate, candidates))


def _boxed(candidates: Sequence[CandidateRecord], chosen: int | None) -> str | None:
    """As theirs are written."""
    return None if chosen is None else f"\\boxed{{{candidates[chosen].answer}}}"


def _scores(path: Sequence[NodeRecord]) -> list[float | None]:
    """One for each piece that a reader gets who splits the text after blank lines: that of the last step in it.

    A step that was cut off at its length has no blank line behind it and is of one piece with the next; one that has a
    blank line within it is of several, all but the last without a score.
    """
    ends, at = {}, 0
    for node in path:
        at += len(node.text)
        ends[at] = node.score
    scores, start = [], 0
    for end in _pieces(text(list(path))):
        inside = [score for place, score in ends.items() if start < place <= end and score is not None]
        scores.append(inside[-1] if inside else None)
        start = end
    return scores


def _pieces(whole: str) -> list[int]:
    """Where pieces end. Blank ones are part of the one before, at the beginning of the one after."""
    ends: list[int] = []
    at = 0
    pieces = whole.split(SEPARATOR)
    for number, piece in enumerate(pieces):
        start, at = at, at + len(piece) + len(SEPARATOR) * (number < len(pieces) - 1)
        blank = not whole[start:at].strip()
        if ends and (blank or not whole[: ends[-1]].strip()):
            ends[-1] = at
        else:
            ends.append(at)
    return ends
