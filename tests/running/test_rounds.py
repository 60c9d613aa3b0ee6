"""A budget for a whole problem set, searched: what the replay of a pool says, whatever runs side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ttcs.choice.reduction import last
from ttcs.choice.selection import Majority, Weighted
from ttcs.choice.sharing import Sharing
from ttcs.core import Confidence, Continue, Continued, Problem, Selection, Step, Stop, Trajectory
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.records.drawn import Drawn
from ttcs.records.early import Samples
from ttcs.records.grade import as_candidate, grade
from ttcs.records.record import Record
from ttcs.records.shared import shares
from ttcs.running.remembering import Remembering
from ttcs.running.rounds import Rounds, Share
from ttcs.search.budget import Budget
from ttcs.search.clock import Clock
from ttcs.search.scheduler import run
from ttcs.strategies.best_of_n import BestOfN

N = 12
PROBLEMS = [Problem(f"p{i:02}", f"What is {i} and {i}?", str(2 * i), level=i % 5 + 1) for i in range(14)]
MIXED = {"accuracy": (1.0, 0.95, 0.8, 0.6, 0.5), "max_tokens": 200}
SHORT = {"max_tokens": 90, "max_depth": 9}  # some are cut off


@dataclass(slots=True)
class Asked(ScriptedPolicy):
    """Notes what it is asked."""

    requests: list[Continue] = field(default_factory=list)

    def add(self, ticket: int, request: Continue) -> None:
        self.requests.append(request)
        ScriptedPolicy.add(self, ticket, request)


def shared(
    folder: Path, policy: Any, sharing: Sharing, selection: Selection, bound: int | None = None
) -> dict[str, Record]:
    prm, spent = ScriptedPRM(), list[int]()
    assert sharing.tokens is not None
    own = [Share(problem) for problem in PROBLEMS]
    with Drawn(folder) as drawn:
        remembering = Remembering(policy, drawn, Clock(0.0))
        rounds = Rounds(BestOfN(N, 20, 15), remembering, lambda: prm, 0, bound, own, sharing.tokens, spent.append)
        sharing.share_out(len(PROBLEMS), N, rounds.draw)
    outcomes = rounds.outcomes({problem.id for problem in PROBLEMS}, selection.reads_scores)
    found = {outcome.problem.id: grade(outcome, selection, last, 0.0) for outcome in outcomes}
    assert sum(spent) == sharing.tokens - rounds.left == sum(one.ledger.decoded_tokens for one in found.values())
    return {name: replace(one, ledger=replace(one.ledger, seconds=0.0)) for name, one in sorted(found.items())}


def pool(selection: Selection, **settings: Any) -> dict[str, Record]:
    policy, prm = ScriptedPolicy(**settings), ScriptedPRM()
    outcomes = run(BestOfN(N, 20, 15), selection, PROBLEMS, policy, lambda: prm, Budget(), 0)
    found = {outcome.problem.id: grade(outcome, selection, last, 0.0) for outcome in outcomes}
    return dict(sorted(found.items()))


def replayed(full: Sequence[Record], sharing: Sharing, selection: Selection) -> list[tuple[int, str | None]]:
    """How many samples of the pool each problem gets, and what they answer."""
    samples = [
        Samples(one.problem_id, tuple(map(as_candidate, one.candidates)), None,
                tuple(own.tokens or 0 for own in one.candidates)) for one in full
    ]  # fmt: skip
    found = shares(samples, range(N), 4, sharing)
    expected: list[tuple[int, str | None]] = []
    for record, k in zip(full, found.samples, strict=True):
        alone = sum(own.finished for own in record.candidates[:k]) < 2  # which is not scored
        seen = [replace(one, score=-math.inf) if alone else one for one in map(as_candidate, record.candidates[:k])]
        chosen = selection(seen)
        expected.append((k, None if chosen is None else record.candidates[chosen].answer))
    return expected


def whole(record: Record) -> int:
    """Samples but for the one in which the tokens ran out."""
    return sum(one.stop is not Stop.BUDGET for one in record.candidates)


@pytest.mark.parametrize("selection", [Majority(), Weighted()])
@pytest.mark.parametrize(
    ("sharing", "settings"),
    [
        (Sharing(0, 2, 0.25), MIXED),
        (Sharing(700, 2, 0.25), MIXED),
        (Sharing(7000, 2, 0.25), MIXED),
        (Sharing(7001, 1, 1.0), MIXED),
        (Sharing(5003, 3, 0.1), SHORT),
        (Sharing(10**6, 5, 0.5), MIXED),
    ],
)
def test_it_is_what_the_replay_of_a_pool_says(
    tmp_path: Path, selection: Selection, sharing: Sharing, settings: dict[str, Any]
) -> None:
    full = pool(selection, **settings)
    found = shared(tmp_path, ScriptedPolicy(**settings), sharing, selection)
    assert [(whole(one), one.answer) for one in found.values()] == replayed(list(full.values()), sharing, selection)
    everything = sum(one.ledger.decoded_tokens for one in full.values())
    assert sum(one.ledger.decoded_tokens for one in found.values()) == min(sharing.tokens or 0, everything)
    assert sum(len(one.candidates) - whole(one) for one in found.values()) <= 1
    for name, one in found.items():
        assert one.candidates[: whole(one)] == tuple(
            replace(own, score=new.score) for own, new in zip(full[name].candidates, one.candidates, strict=False)
        )[: whole(one)]  # fmt: skip
        ledger = one.ledger
        assert len(one.candidates) == ledger.policy_calls == ledger.generations and one.adaptive
        assert ledger.decoded_tokens == sum(own.tokens or 0 for own in one.candidates)
        assert (ledger.discarded_tokens, ledger.speculated_tokens) == (0, 0)
        assert (0 < ledger.rounds <= len(one.candidates)) if one.candidates else one.answer is None


def test_a_problem_gets_more_than_another(tmp_path: Path) -> None:
    found = shared(tmp_path, ScriptedPolicy(**MIXED), Sharing(9000, 2, 0.25), Majority())  # type: ignore[arg-type]
    counts = [len(one.candidates) for one in found.values()]
    assert max(counts) >= 3 * min(counts) > 0, counts


@pytest.mark.parametrize(
    ("settings", "bound"), [({"capacity": 1}, None), ({"capacity": 3, "pace": 7, "shuffle": True}, None), ({}, 2)]
)
def test_it_does_not_depend_on_what_runs_side_by_side(
    tmp_path: Path, settings: dict[str, Any], bound: int | None
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    sharing = Sharing(7000, 2, 0.25)
    expected = shared(one, ScriptedPolicy(**MIXED), sharing, Weighted())  # type: ignore[arg-type]
    assert shared(other, ScriptedPolicy(**MIXED, **settings), sharing, Weighted(), bound) == expected


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_nothing_is_drawn_twice(tmp_path: Path, share: float) -> None:
    """share: of the lines that are there when it begins again, with a torn one behind them."""
    sharing = Sharing(7000, 2, 0.25)
    policy = Asked(**MIXED)  # type: ignore[arg-type]
    expected = shared(tmp_path, policy, sharing, Weighted())
    assert len(policy.requests) == len({one.seed for one in policy.requests})
    assert len(policy.requests) == sum(len(one.candidates) for one in expected.values())
    lines = (tmp_path / "drawn.jsonl").read_bytes().splitlines(keepends=True)
    kept = int(share * len(lines))
    (tmp_path / "drawn.jsonl").write_bytes(b"".join(lines[:kept]) + lines[0][:50])
    again = Asked(**MIXED)  # type: ignore[arg-type]
    assert shared(tmp_path, again, sharing, Weighted()) == expected
    assert len(again.requests) == len(lines) - kept
    assert (tmp_path / "drawn.jsonl").read_bytes().count(b"\n") == len(lines)


def request(seed: int, limit: int | None = None) -> Continue:
    return Continue(Trajectory(PROBLEMS[0]), None, limit, None, seed)


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    sure = Confidence(3.5, 2.5, 3.0, 2.75)
    step = Step(-1, (5, 6), "é\n\n", Stop.STEP, None, (-0.5, -1.5), True, False, sure)
    result = Continued((step, Step(-1, (7,), "x", Stop.END)), 9, 4, 2)
    with Drawn(tmp_path) as drawn:
        drawn.add(request(1), result, 8.0)
        drawn.add(request(2), Continued((Step(-1, (7, 8), "x", Stop.BUDGET),), 9, 4), 6.0)
        with pytest.raises(UserError, match=r"another process is writing .*drawn\.jsonl$"):
            Drawn(tmp_path)
    with Drawn(tmp_path) as again:
        assert again.seconds == 8.0
    for file in (drawn, again):
        assert file.find(request(1)) == file.find(request(1, 3)) == result and file.seconds in (0.0, 8.0)
        assert file.find(request(1, 2)) is None and file.find(request(3)) is None
        assert file.find(request(2)) is file.find(request(2, 3)) is None
        cut = file.find(request(2, 2))
        assert cut is not None and cut.steps[0].tokens == (7, 8)


def test_a_line_that_is_no_sample_is_told(tmp_path: Path) -> None:
    (tmp_path / "drawn.jsonl").write_text('{"problem": "p0"}\n')
    with pytest.raises(UserError, match=r"drawn\.jsonl:1: not a sample of this version of ttcs$"):
        Drawn(tmp_path)


def test_what_is_remembered_can_be_given_up(tmp_path: Path) -> None:
    drawn, result = Drawn(tmp_path), Continued((Step(-1, (7,), "x", Stop.END),), 9, 4)
    drawn.add(request(1), result, 0.0)
    policy = Remembering(Asked(**MIXED), drawn, Clock(0.0))  # type: ignore[arg-type]
    policy.add(0, request(1))
    policy.add(1, request(2))
    policy.add(2, request(1))
    assert (policy.cancel(0), policy.cancel(1)) == (result, None)
    assert policy.step() == [(2, result)] and policy.step() == []
