"""What a revision model learns from: right solutions after wrong ones of a policy (Snell et al., 2024, section 6).

A line: {"problem_id", "question", "attempts": [texts, oldest first], "answer": the text of a right solution}.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Literal

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extractOne

from ttcs.config.components import build
from ttcs.errors import UserError
from ttcs.records.record import Record
from ttcs.records.stored import Stored
from ttcs.training.output import written
from ttcs.training.run_records import path, stored


@dataclass(slots=True)
class Pool:
    """The samples of a problem: the texts of right and of wrong ones, each as often as it was drawn."""

    question: str
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    dropped: int = 0

    def add(self, record: Record) -> None:
        nodes = {node.node: node for node in record.tree}
        for candidate in record.candidates:
            if not candidate.finished or candidate.answer is None or candidate.correct is None:
                self.dropped += 1
            elif candidate.correct:
                self.right.append("".join(path(nodes, candidate.leaf)))
            else:
                self.wrong.append("".join(path(nodes, candidate.leaf)))


@dataclass(frozen=True, slots=True)
class Example:
    """attempts: texts, oldest first. answer: the text of a right solution."""

    problem_id: str
    question: str
    attempts: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class RevisionData:
    """Stage: from the samples of runs, an example for each right answer, with 0 to `attempts` wrong ones before it.

    How many is drawn uniformly, up to as many as there are. The last is the one nearest to the answer by the edit
    distance of their characters, so that there is something to correct; the others are drawn at random without
    replacement. Samples that did not end, or have no answer, are dropped. On repetitions the paper is silent: a sample
    counts as often as it was drawn, so that a right answer given several times comes after different wrong ones.

    records: folders of runs, or above runs; what several of them have of a problem counts as one. per_problem: as many
    examples of a problem at most, at random (None: all). mixed: share of the examples whose attempts are drawn from all
    the other samples, right ones too, as chains hold them at test time; 0 in the paper, whose model never saw a right
    attempt and turns many a right answer into a wrong one. first: what examples without attempts learn: `right`
    solutions, as in the paper, or `any` sample, so that bare questions go on being answered as the policy answers them,
    and what is gained is gained by revising.
    """

    records: Sequence[str]
    out: str
    seed: int
    attempts: int
    per_problem: int | None = None
    mixed: float = 0.0
    first: Literal["right", "any"] = "right"

    def run(self) -> None:
        pools = read_pools([run for folder in self.records for run in stored(folder)])
        examples = [example for problem in sorted(pools) for example in self.examples(problem, pools[problem])]
        if not examples:
            raise UserError(
                f"none of the {len(pools)} problems has a right answer on record: {', '.join(self.records)}"
            )
        written(self.out, map(asdict, examples))
        counts = Counter(len(example.attempts) for example in examples)
        dropped = sum(pool.dropped for pool in pools.values())
        print(f"{len(examples)} examples of {len(pools)} problems; {dropped} samples without an answer dropped")
        print("attempts in context:", ", ".join(f"{k}: {counts[k]}" for k in sorted(counts)))

    def examples(self, problem: str, pool: Pool) -> list[Example]:
        """Those of one problem; they do not depend on the order of its samples."""
        right, wrong = sorted(pool.right), sorted(pool.wrong)
        everything = sorted((*right, *wrong))
        if self.per_problem is not None and len(right) > self.per_problem:
            right = Random(f"{self.seed}/{problem}").sample(right, self.per_problem)
        found = []
        for number, answer in enumerate(right):
            rng = Random(f"{self.seed}/{problem}/{number}")
            shown = self._mixed(rng, pool, answer) if rng.random() < self.mixed else self._wrong(rng, wrong, answer)
            bare = self.first == "any" and not shown
            found.append(Example(problem, pool.question, shown, rng.choice(everything) if bare else answer))
        return found

    def _wrong(self, rng: Random, wrong: Sequence[str], answer: str) -> tuple[str, ...]:
        k = rng.randint(0, min(self.attempts, len(wrong)))
        if k == 0:
            return ()
        nearest = nearest_to(answer, wrong)
        return (*rng.sample([*wrong[:nearest], *wrong[nearest + 1 :]], k - 1), wrong[nearest])

    def _mixed(self, rng: Random, pool: Pool, answer: str) -> tuple[str, ...]:
        others = sorted((*pool.right, *pool.wrong))
        others.remove(answer)
        return tuple(rng.sample(others, rng.randint(0, min(self.attempts, len(others)))))


def nearest_to(answer: str, texts: Sequence[str]) -> int:
    """Which of the texts is the nearest by edit distance, the first one of several."""
    _, _, place = extractOne(answer, texts, scorer=Levenshtein.distance)
    return int(place)


def read_pools(runs: Sequence[Stored]) -> dict[str, Pool]:
    """Problem id -> its samples. UserError where candidates were shown others: those are no independent samples."""
    pools: dict[str, Pool] = {}
    for run in runs:
        questions = {problem.id: problem.question for problem in build(run.config, "dataset")}
        for record in run.records():
            if any(candidate.revises for candidate in record.candidates):
                raise UserError(f"{run.folder} has revisions; samples for training come from strategy=best_of_n")
            if record.problem_id not in questions:
                raise UserError(f"{run.folder}: its dataset of {len(questions)} problems has no {record.problem_id}")
            pools.setdefault(record.problem_id, Pool(questions[record.problem_id])).add(record)
    return pools
