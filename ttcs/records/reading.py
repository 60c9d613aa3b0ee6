"""A record decided again: by another selection or reduction, or on as many of its candidates as a smaller run has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from ttcs.choice import confident
from ttcs.config.components import build
from ttcs.core import Candidate, Reduction, Selection, Stop, Stopping, judged
from ttcs.errors import UserError
from ttcs.records import charges
from ttcs.records.chains import Chains, own_n
from ttcs.records.early import Samples
from ttcs.records.grade import as_candidate
from ttcs.records.guidance import guided
from ttcs.records.prefixes import Numbers, numbered
from ttcs.records.record import NodeRecord, Record
from ttcs.records.stored import Stored
from ttcs.records.subsets import RESAMPLES, subsets
from ttcs.records.summary import Digest, independent


@dataclass(frozen=True, slots=True)
class Verdict:
    """correct: share of the subsets that answer rightly (None: no reference). chosen: of the first subset.

    share: of the decoded tokens of the search. policy_share, prm_share: of its FLOPs (analysis.charges).
    """

    digest: Digest
    correct: float | None
    chosen: int | None
    subsets: int
    share: float
    policy_share: float
    prm_share: float


@dataclass(frozen=True, slots=True)
class Reading:
    """How the candidates of a run are read.

    size: the n of the run. n: of the run that is asked about.
    guided: the search itself had solutions scored, so that scores are there whether or not the selection reads them.
    chains: of the run that is asked about, if it has any. stopping: a rule that cuts the vote short, if there is one.
    """

    folder: Path
    selection: Selection
    reduction: Reduction
    size: int
    n: int
    guided: bool
    chains: Chains | None = None
    stopping: Stopping | None = None

    @classmethod
    def of(
        cls,
        run: Stored,
        method: Mapping[str, Any],
        n: int,
        attempts: int | None = None,
        stopping: Stopping | None = None,
    ) -> Reading:
        """method: the configuration of selection and reduction. attempts: of each chain (None: those of the run).

        UserError for what the run cannot tell.
        """
        strategy, size, chains = run.config["strategy"], own_n(run), Chains.of(run, n, attempts)
        if n > size:
            raise UserError(f"n={n} is more than the n={size} of {run.folder}")
        own = run.config["reduction"] in (strategy.get("rank"), strategy.get("reduction")) and guided(strategy)
        if method["reduction"] != run.config["reduction"] and own:
            raise UserError(
                f"{run.folder} searched by its own reduction: with another one it would have gone elsewhere; "
                f"only its selection and its n can be replayed"
            )
        selection, reduction = build(method, "selection"), build(method, "reduction")
        confident.check(selection, strategy)
        return cls(run.folder, selection, reduction, size, n, guided(strategy), chains, stopping)

    @property
    def reads_prm(self) -> bool:
        """Whether a run like this asks the PRM anything."""
        return self.guided or (self.selection.reads_scores and self.n > 1)

    def samples(self, record: Record) -> Samples:
        """UserError where the candidates are not independent samples, all of which were drawn."""
        if any(len(unit) > 1 for unit in self._units(record)):
            raise UserError(f"{self.folder}: stopping rules are replayed on independent samples, as those of best_of_n")
        graded = record.graded
        tokens = [one.tokens for one in record.candidates if one.tokens is not None]
        return Samples(
            problem_id=record.problem_id,
            seen=tuple(self._candidates(record)),
            correct=tuple(one.correct is True for one in record.candidates) if graded else None,
            tokens=tuple(tokens) if len(tokens) == len(record.candidates) else None,
        )

    @property
    def scored(self) -> bool:
        """Whether candidates are seen with their scores."""
        return self.guided or self._reader is not None

    @property
    def _reader(self) -> Selection | Stopping | None:
        """What reads scores, if anything does."""
        return next((one for one in (self.selection, self.stopping) if one is not None and one.reads_scores), None)

    def verdict(self, record: Record) -> Verdict:
        candidates = self._candidates(record)
        units = [list(range(len(candidates)))] if self.n == self.size else self._units(record)
        drawn = subsets(len(units), self._wanted(len(units)), RESAMPLES, 0)
        chosen = [self._choose(record, candidates, [i for unit in row for i in units[unit]]) for row in drawn]
        shares = self._shares(record, units, drawn.shape[1])
        return Verdict(Digest.of(record), _share(record, chosen), chosen[0], len(drawn), *shares)

    def _wanted(self, units: int) -> int:
        """Units in a subset."""
        if self.chains is None or self.n == self.size:
            return units * self.n // self.size
        return self.n // self.chains.attempts

    def _shares(self, record: Record, units: Sequence[Sequence[int]], wanted: int) -> tuple[float, float, float]:
        """Of the decoded tokens, and of the FLOPs of policy and PRM."""
        share = self._tokens(record, units, wanted)
        if self.n == self.size and share == 1:
            return 1.0, 1.0, 1.0
        spent = charges.Spent.of(asdict(record.ledger))
        alone = self.chains is None and all(len(unit) == 1 for unit in units)
        whole, part = _shared(record, [range(len(record.candidates))]), _shared(record, units)
        policy = charges.policy_share(spent, share) if alone else share
        return share, policy, charges.prm_share(spent, whole, part, wanted, share)

    def _tokens(self, record: Record, units: Sequence[Sequence[int]], wanted: int) -> float:
        """Of the decoded tokens of a search in chains, in which later attempts may be longer, those of a subset."""
        tokens = [candidate.tokens or 0 for candidate in record.candidates]
        if self.chains is None or not sum(tokens):
            return self.n / self.size
        return sum(tokens[i] for unit in units for i in unit) / sum(tokens) * wanted / len(units)

    def _candidates(self, record: Record) -> list[Candidate]:
        """As the selection of such a run would see all of them, with more than one of them finished."""
        nodes = {node.node: node for node in record.tree}
        paths = [tuple(_path(nodes, candidate.leaf)) for candidate in record.candidates]
        if not self.scored:
            return [replace(as_candidate(candidate), score=-math.inf) for candidate in record.candidates]
        self._require_scores(record, paths)
        scores = [[node.score for node in judged(path) if node.score is not None] for path in paths]
        return [
            replace(as_candidate(candidate), score=self.reduction(own) if own else -math.inf)
            for candidate, own in zip(record.candidates, scores, strict=True)
        ]

    def _require_scores(self, record: Record, paths: Sequence[Sequence[NodeRecord]]) -> None:
        """UserError where a solution was not scored because nothing read scores."""
        if self._reader is None or sum(candidate.finished for candidate in record.candidates) < 2:
            return
        for candidate, path in zip(record.candidates, paths, strict=True):
            last = next((node for node in reversed(judged(path)) if node.text.strip()), None)
            if candidate.finished and last is not None and last.score is None:
                name = type(self._reader).__name__
                raise UserError(f"{self.folder}: problem {record.problem_id} has no scores, which {name} reads")

    def _choose(self, record: Record, candidates: Sequence[Candidate], members: Sequence[int]) -> int | None:
        """The index of the chosen one. A lone finished sample is not scored by a run: there is nothing to choose."""
        seen = [candidates[i] for i in members]
        if not self.guided and sum(record.candidates[i].finished for i in members) < 2:
            seen = [replace(candidate, score=-math.inf) for candidate in seen]
        chosen = self.selection(seen)
        return None if chosen is None else members[chosen]

    def _units(self, record: Record) -> list[list[int]]:
        """What a smaller run has fewer of: independent samples, or whole subtrees."""
        candidates = record.candidates
        where = f"{self.folder}: problem {record.problem_id}"
        if record.adaptive:
            raise UserError(f"{where} was sampled until it was enough, so it says nothing about n={self.n}")
        cut = any(candidate.stop == Stop.BUDGET for candidate in candidates)
        # Chains may end early by themselves; other searches have fewer candidates only where the budget ran out.
        short = len(candidates) != self.size if self.chains is None else self.chains.budgeted
        if cut or short:
            raise UserError(f"{where} ran out of its budget, so it says nothing about n={self.n}")
        if self.chains is None and not self.guided and independent(record):
            return [[i] for i in range(self.size)]
        if any(candidate.subtree is None for candidate in candidates):
            reason = f"its candidates were compared with each other, so it is one whole of n={self.size}"
            raise UserError(f"{self.folder} says nothing about n={self.n}: {reason}")
        order = sorted(range(len(candidates)), key=lambda i: candidates[i].subtree or 0)
        units = [sorted(unit) for _, unit in groupby(order, key=lambda i: candidates[i].subtree)]
        if self.chains is not None:
            return [unit[: self.chains.attempts] for unit in units]
        if self.n * len(units) % self.size:
            raise UserError(f"n={self.n} is not a multiple of width={self.size // len(units)}")
        return units


def _path(nodes: dict[int, NodeRecord], leaf: int | None) -> Iterator[NodeRecord]:
    """The steps of a candidate, in order."""
    backwards: list[NodeRecord] = []
    while leaf is not None:
        backwards.append(nodes[leaf])
        leaf = nodes[leaf].parent
    return reversed(backwards)


def _shared(record: Record, units: Sequence[Sequence[int]]) -> charges.Shared:
    """What the PRM has read of these units."""
    nodes, numbers = {node.node: node for node in record.tree}, Numbers()
    paths = [judged(tuple(_path(nodes, candidate.leaf))) for candidate in record.candidates]
    read = [(unit, paths[i]) for unit, members in enumerate(units) for i in members]
    scored = [(unit, path) for unit, path in read if any(node.score is not None for node in path)]
    made = [numbered([(node.text, node.tokens or 0) for node in path], numbers) for _, path in scored]
    return charges.Shared.of(len(units), [unit for unit, _ in scored], made)


def _share(record: Record, chosen: Sequence[int | None]) -> float | None:
    if not record.graded:
        return None
    return sum(i is not None and record.candidates[i].correct is True for i in chosen) / len(chosen)
