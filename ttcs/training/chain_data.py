"""What a revision model learns from its own chains: what should have come next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ttcs.components import build
from ttcs.errors import UserError
from ttcs.folder import write_lines
from ttcs.records import CandidateRecord, NodeRecord, Record
from ttcs.training.revision_data import Example, nearest_to, read_pools
from ttcs.training.run_records import path, stored


@dataclass(frozen=True, slots=True)
class ChainData:
    """Stage: for each revision on record the attempts that it was shown, and what it should have been.

    Where the latest attempt is right, that one; else the right solution of the problem that is nearest to it by edit
    distance, of the chains' own and those of `samples`. Without one there is no example. A departure from Snell et al.
    (2024), whose attempts are independent samples: chains hold the same mistake again and again, which samples do not.

    records, samples: folders of runs, or above runs. per_problem: as many examples of a problem at most, at random.
    """

    records: Sequence[str]
    samples: Sequence[str]
    out: str
    seed: int
    per_problem: int | None = None

    def run(self) -> None:
        pools = read_pools([run for folder in self.samples for run in stored(folder)])
        right = {problem: pool.right for problem, pool in pools.items()}
        examples = list(self.examples(right))
        if not examples:
            raise UserError(f"no revision of a problem with a right answer on record: {', '.join(self.records)}")
        Path(self.out).parent.mkdir(parents=True, exist_ok=True)
        write_lines(Path(self.out), (example.to_json() + "\n" for example in examples))
        print(f"{len(examples)} examples")

    def examples(self, right: dict[str, list[str]]) -> Iterator[Example]:
        """right: problem -> texts of right solutions besides those of the chains."""
        for run in (run for folder in self.records for run in stored(folder)):
            questions = {problem.id: problem.question for problem in build(run.config, "dataset")}
            for record in run.records():
                found = list(_revised(record, questions[record.problem_id], right.get(record.problem_id, [])))
                rng = Random(f"{self.seed}/{record.problem_id}")
                yield from found if self.per_problem is None else rng.sample(found, min(self.per_problem, len(found)))


def _revised(record: Record, question: str, others: Sequence[str]) -> Iterator[Example]:
    nodes = {node.node: node for node in record.tree}
    correct = {candidate.leaf: candidate.correct for candidate in record.candidates}
    right = sorted({*others, *(_text(nodes, candidate) for candidate in record.candidates if candidate.correct)})
    for candidate in record.candidates if right else ():
        if not candidate.revises:
            continue
        attempts = tuple("".join(path(nodes, leaf)) for leaf in candidate.revises)
        good = correct[candidate.revises[-1]]
        yield Example(
            record.problem_id, question, attempts, attempts[-1] if good else right[nearest_to(attempts[-1], right)]
        )


def _text(nodes: dict[int, NodeRecord], candidate: CandidateRecord) -> str:
    return "".join(path(nodes, candidate.leaf))
