"""What field a question is of, as a model says: s1 asked one for branches of the Mathematics Subject Classification."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ttcs import answers
from ttcs.config.composed import composed
from ttcs.core import Problem, Trajectory
from ttcs.curation.answer_file import Line
from ttcs.curation.asking import ask
from ttcs.curation.domains import labelled
from ttcs.curation.row import Drop, Row
from ttcs.curation.stage import Filter, Rows
from ttcs.errors import UserError


@dataclass(frozen=True, slots=True)
class Labels:
    """labels: key of a row -> its domain, where the model named one."""

    labels: Mapping[str, str | None]
    otherwise: str | None

    def judge(self, row: Row) -> Row | Drop:
        return labelled(row, self.labels.get(row.key), self.otherwise)


@dataclass(frozen=True, slots=True)
class AskedDomain:
    """policy: words that name it, see `composed`. domains: what it chooses from. otherwise: see `GivenDomain`.

    request: what it is asked, with {domains} and {question} in it.
    """

    policy: Sequence[str]
    domains: Sequence[str]
    request: str
    otherwise: str | None

    def __post_init__(self) -> None:
        composed("policy", self.policy)
        if missing := [name for name in ("{domains}", "{question}") if name not in self.request]:
            raise UserError(f"domain.request has no {missing[0]}")

    def ask(self, rows: Rows, files: Path) -> Filter:
        problems = [Problem(row.key, self._asked(row)) for row in rows() if row.domain is None]
        said = ask(self.policy, problems, files.with_name(f"{files.name}-domains.jsonl"), self._read, "domains")
        return Labels({key: line["domain"] for key, line in said.items()}, self.otherwise)

    def _asked(self, row: Row) -> str:
        return self.request.replace("{domains}", ", ".join(self.domains)).replace("{question}", row.question)

    def _read(self, problem: Problem, reply: Trajectory) -> Line:
        return {"domain": named(reply.solution, self.domains), "reply": reply.solution}


def named(reply: str, domains: Sequence[str]) -> str | None:
    """The domain in the box, if there is one, else the last one that the reply names; of several there the longest."""
    known = {domain.casefold(): domain for domain in domains}
    pattern = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(known, key=len, reverse=True)))
    for text in (answers.extract(reply) or "", reply):
        if found := pattern.findall(text.casefold()):
            return known[found[-1]]
    return None
