"""What a search brought -> its record: answers extracted, grouped, chosen from and compared with the reference."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

from ttcs.answers.kinds import MATHEMATICS, Answering
from ttcs.core import Candidate, Confidence, Reduction, Selection, Trajectory
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.search import reading
from ttcs.search.execution import Outcome


def grade(
    outcome: Outcome,
    selection: Selection,
    reduction: Reduction,
    run_seconds: float,
    answering: Answering = MATHEMATICS,
) -> Record:
    """Only finished candidates have an answer, and a problem that got none is a wrong one.

    Where answers cannot be graded, nothing is right or wrong, whether there is a reference or not.
    """
    candidates = _candidates(outcome, reduction, answering)
    chosen = selection([as_candidate(candidate) for candidate in candidates])
    problem = outcome.problem
    wrong = None if problem.answer is None or not answering.graded else False
    return Record(
        problem_id=problem.id,
        level=problem.level,
        family=problem.family,
        reference=problem.answer,
        answer=None if chosen is None else candidates[chosen].answer,
        correct=wrong if chosen is None else candidates[chosen].correct,
        chosen=chosen,
        run_seconds=run_seconds,
        ledger=outcome.ledger,
        candidates=tuple(candidates),
        tree=_tree(outcome),
        policy_parameters=outcome.policy_parameters,
        prm_parameters=outcome.prm_parameters,
        prm_limit=outcome.prm_limit,
        adaptive=outcome.adaptive,
    )


def as_candidate(candidate: CandidateRecord) -> Candidate:
    """As a selection sees it."""
    score = -math.inf if candidate.score is None else candidate.score
    sure = None if candidate.confidence is None else Confidence(*candidate.confidence)
    return Candidate(candidate.group, score, candidate.subtree, sure)


def _candidates(outcome: Outcome, reduction: Reduction, answering: Answering) -> list[CandidateRecord]:
    trajectories, nodes = outcome.candidates, {node.step.node for node in outcome.tree}
    extracted = [reading.answer(trajectory, answering) for trajectory in trajectories]
    groups = answering.group(extracted)
    verdicts = _verdicts(extracted, groups, outcome.problem.answer if answering.graded else None, answering)
    return [
        CandidateRecord(
            leaf=trajectory.steps[-1].node if trajectory.steps else None,
            answer=answer,
            group=group,
            score=reduction(trajectory.scores) if trajectory.scores else None,
            correct=verdicts[group],
            tokens=len(trajectory.tokens),
            stop=trajectory.steps[-1].stop if trajectory.steps else None,
            subtree=trajectory.subtree,
            revises=_revised(trajectory, nodes),
            thinking=trajectory.thinking_tokens if any(step.thinking for step in trajectory.steps) else None,
            confidence=None if trajectory.confidence is None else trajectory.confidence.values,
        )
        for trajectory, answer, group in zip(trajectories, extracted, groups, strict=True)
    ]


def _revised(trajectory: Trajectory, nodes: Container[int]) -> tuple[int, ...]:
    """The leaves of the attempts it was shown; a critique is none, it is not in the tree."""
    leaves = [turn.attempt.steps[-1].node for turn in trajectory.history if turn.attempt.steps]
    return tuple(leaf for leaf in leaves if leaf in nodes)


def _verdicts(
    extracted: Sequence[str | None], groups: Sequence[int | None], reference: str | None, answering: Answering
) -> dict[int | None, bool | None]:
    """Group -> does its answer equal the reference. Each group is asked about once, by its first answer."""
    first: dict[int | None, str | None] = {}
    for answer, group in zip(extracted, groups, strict=True):
        first.setdefault(group, answer)
    verdicts: dict[int | None, bool | None] = {None: False}
    for group, answer in first.items():
        verdicts[group] = answer is not None and reference is not None and answering.same(answer, reference)
    return verdicts if reference is not None else dict.fromkeys(verdicts)


def _tree(outcome: Outcome) -> tuple[NodeRecord, ...]:
    return tuple(
        NodeRecord(
            *(step.node, parent, step.text, len(step.tokens), step.stop, step.score, step.thinking, step.given),
            None if step.confidence is None else step.confidence.values,
        )
        for parent, step in ((node.parent, node.step) for node in outcome.tree)
    )
