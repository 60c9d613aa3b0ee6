"""Records -> the totals of a run. The order of the records does not matter: they are sorted by problem id."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from ttcs.choice.difficulty import Cost, Difficulty, Pool
from ttcs.core import Stop
from ttcs.records import levels
from ttcs.records.endings import Endings
from ttcs.records.record import Record
from ttcs.search.ledger import Ledger

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What was run, in the names of the configuration groups."""

    n: int
    seed: int
    strategy: str
    selection: str
    reduction: str
    policy: str
    prm: str
    dataset: str
    difficulty: str


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of correct answers among the problems with a reference (None: there is none), with its interval.

    n_graded: those with a reference.
    """

    accuracy: float | None
    ci95: tuple[float, float] | None
    n_problems: int
    n_graded: int


@dataclass(frozen=True, slots=True)
class Digest:
    """The little of a record that the totals are made of. pool: the candidates, if they are independent samples.

    samples: how many it took until they were enough; None: that was not asked.
    """

    correct: bool | None
    pool: Pool
    ledger: Ledger
    run_seconds: float
    policy_parameters: int | None
    prm_parameters: int | None
    prm_limit: int | None
    endings: Endings
    samples: int | None

    @classmethod
    def of(cls, record: Record, max_tokens: int | None = None) -> Digest:
        """max_tokens: the policy's limit; None: not known."""
        drawn = record.candidates if independent(record) else ()
        verdicts = tuple(bool(sample.correct) for sample in drawn if record.graded)
        scores = tuple(sample.score for sample in drawn)
        pool = Pool(record.problem_id, record.level, verdicts, scores, record.ledger)
        sizes = record.policy_parameters, record.prm_parameters, record.prm_limit
        endings = Endings.of(record, max_tokens)
        samples = len(record.candidates) if record.adaptive else None
        return cls(record.correct, pool, record.ledger, record.run_seconds, *sizes, endings, samples)


@dataclass(frozen=True, slots=True)
class Summary:
    """ci95: percentile bootstrap over problems. n_graded: see `Accuracy`.

    by_level: bin of the difficulty -> accuracy (1 = easiest). no_levels: why `by_level` is empty (None: the set has no
    levels). difficulty_cost: what the estimates behind these bins took per problem.
    pass_at_k: k -> chance that one of k samples is correct, unbiased, unfinished samples counted as wrong, over graded
    problems; empty unless the candidates are independent samples. wall_seconds: searching time of all sessions, without
    loading of models.
    policy_parameters, prm_parameters: see `ModelSize`; None where no record says. prm_limit: see `Record`.
    endings: how the solutions ended. max_tokens: the policy's limit; None: not known.
    samples: candidates per problem, where they were drawn until they were enough; None: they were not.
    """

    accuracy: float | None
    ci95: tuple[float, float] | None
    n_problems: int
    n_graded: int
    by_level: dict[str, Accuracy]
    no_levels: str | None
    pass_at_k: dict[str, float]
    ledger: Ledger
    difficulty_cost: Cost
    wall_seconds: float
    policy_parameters: int | None
    prm_parameters: int | None
    prm_limit: int | None
    endings: Endings
    max_tokens: int | None
    samples: float | None
    setting: Setting

    def notes(self) -> list[str]:
        """What a person should know of solutions that are no answers, a line each."""
        notes = [*self.endings.notes(self.max_tokens)]
        if unread := self.ledger.unread:
            what = "solution was" if unread == 1 else "solutions were"
            notes.append(f"{unread:,} {what} longer than the PRM reads ({self.prm_limit} tokens): no answer")
        return notes

    def to_json(self) -> str:
        """The fields of `setting` stand beside the others."""
        flat = asdict(self)
        setting = flat.pop("setting")
        return json.dumps({**flat, **setting}, indent=2, allow_nan=False) + "\n"


def summarize(
    records: Iterable[Record], difficulty: Difficulty, setting: Setting, max_tokens: int | None = None
) -> Summary:
    """max_tokens: of the policy that wrote the records, None: not known."""
    digests = sorted((Digest.of(record, max_tokens) for record in records), key=lambda one: one.pool.problem_id)
    total = _accuracy(digests)
    pools = [digest.pool for digest in digests]
    by_level, no_levels = levels.by_level(pools, difficulty, lambda at: _accuracy([digests[i] for i in at]))
    return Summary(
        accuracy=total.accuracy,
        ci95=total.ci95,
        n_problems=total.n_problems,
        n_graded=total.n_graded,
        by_level=by_level,
        no_levels=no_levels,
        pass_at_k=_pass_at_k([digest.pool.correct for digest in digests if digest.correct is not None]),
        ledger=_sum([digest.ledger for digest in digests]),
        difficulty_cost=difficulty.cost(pools),
        wall_seconds=max((digest.run_seconds for digest in digests), default=0.0),
        policy_parameters=_known([digest.policy_parameters for digest in digests]),
        prm_parameters=_known([digest.prm_parameters for digest in digests]),
        prm_limit=_known([digest.prm_limit for digest in digests]),
        endings=Endings.total([digest.endings for digest in digests]),
        max_tokens=max_tokens,
        samples=_mean([digest.samples for digest in digests if digest.samples is not None]),
        setting=setting,
    )


def independent(record: Record) -> bool:
    """True when the candidates are the samples as they were drawn: none dropped, no step shared, none a revision, and
    not only as many as it took.

    Where thinking was steered, ends of it that were taken off again are no samples, and tries that were given up mean
    that the search went on until it had what it wanted.
    """
    if record.adaptive or any(one.stop == Stop.CUT and one.answer is None for one in record.candidates):
        return False
    parents = {node.parent for node in record.tree} | {candidate.leaf for candidate in record.candidates}
    kept = [node for node in record.tree if node.node in parents or not (node.given or node.stop == Stop.THOUGHT)]
    children = Counter(node.parent for node in kept)
    roots = children.pop(None, 0)
    started = sum(candidate.leaf is not None for candidate in record.candidates)
    revised = any(candidate.revises for candidate in record.candidates)
    return roots == started and not revised and all(count == 1 for count in children.values())


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """1 - C(samples - correct, k) / C(samples, k): unbiased for any k <= samples (Chen et al., 2021)."""
    return 1.0 - math.comb(samples - correct, k) / math.comb(samples, k)


def _accuracy(digests: Sequence[Digest]) -> Accuracy:
    graded = [digest.correct for digest in digests if digest.correct is not None]
    if not graded:
        return Accuracy(None, None, len(digests), 0)
    return Accuracy(sum(graded) / len(graded), _interval(sum(graded), len(graded)), len(digests), len(graded))


def _interval(correct: int, problems: int) -> tuple[float, float]:
    """Resampling problems with replacement makes the number of correct ones binomial, so it is drawn as such."""
    draws = np.random.default_rng(0).binomial(problems, correct / problems, RESAMPLES) / problems
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def _pass_at_k(pools: Sequence[tuple[bool, ...]]) -> dict[str, float]:
    """Powers of two up to the size of the smallest pool, and that size."""
    smallest = min(map(len, pools), default=0)
    powers = [1 << bit for bit in range(smallest.bit_length())]
    return {
        str(k): math.fsum(pass_at_k(len(pool), sum(pool), k) for pool in pools) / len(pools)
        for k in sorted({*powers, smallest} - {0})
    }


def _known(sizes: Sequence[int | None]) -> int | None:
    """The one that the records agree on, as far as they say."""
    return next((size for size in sizes if size is not None), None)


def _mean(counts: Sequence[int]) -> float | None:
    return sum(counts) / len(counts) if counts else None


def _sum(ledgers: Sequence[Ledger]) -> Ledger:
    return Ledger(**{field.name: sum(getattr(ledger, field.name) for ledger in ledgers) for field in fields(Ledger)})
