from __future__ import annotations

import itertools

from tests.simulation import PROBLEMS, Recorded, one, simulate
from ttcs import answers
from ttcs.choice.selection import Majority
from ttcs.core import Append, Sample, Stop
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.policies.scripted_thinking import ScriptedThinking
from ttcs.strategies.budget_forcing import BudgetForcing
from ttcs.strategies.probing import Probing

SLOW = ScriptedPolicy(thinking=ScriptedThinking(end=0.05))
SETTLED = ScriptedPolicy(thinking=ScriptedThinking(end=0.0, mend=1.0, spoil=0.0))  # right from some thought on


def test_a_thinking_ends_when_its_answer_stays_the_same() -> None:
    strategy = Probing(2, 1000, 60, every=40, agree=3, probe=40)
    for name, outcome in simulate(strategy, policy=SETTLED, selection=Majority()).items():
        for run in outcome.candidates:
            assert run.finished and run.steps[-1].stop in (Stop.END, Stop.CUT)
            assert 3 * 40 <= run.thinking_tokens < 1000, name
        assert not outcome.adaptive


def test_it_stops_at_the_first_probes_that_agree() -> None:
    recorded = Recorded(Probing(1, 600, 60, every=40, agree=2, probe=40))
    outcome = one(recorded, policy=SLOW, selection=Majority())
    probes = [reply[0] for request, reply in recorded.log if isinstance(request, Sample) and request.lookahead]
    said = [answers.extract(probe.solution) if probe.finished else None for probe in probes]
    groups = answers.group(said)
    agreed = [one is not None and one == other for one, other in itertools.pairwise(groups)]
    assert len(probes) >= 2 and not any(agreed[:-1])
    (run,) = outcome.candidates
    assert agreed[-1] or run.thinking_tokens > 560 or any(s.stop is Stop.THOUGHT and not s.given for s in run.steps)


def test_probes_cost_lookahead_and_are_no_part_of_the_tree() -> None:
    strategy = Probing(2, 600, 60, every=40, agree=3, probe=30)
    outcome = one(strategy, policy=SLOW, selection=Majority())
    ledger = outcome.ledger
    kept = {s.node: len(s.tokens) for run in outcome.candidates for s in run.steps if not s.given}
    assert ledger.lookahead_tokens > 0
    assert ledger.decoded_tokens == sum(kept.values()) + ledger.discarded_tokens + ledger.lookahead_tokens
    assert ledger.speculated_tokens == 0


def test_with_one_probe_too_few_it_is_budget_forcing() -> None:
    plain = simulate(BudgetForcing(3, 120, 60), selection=Majority())
    probed = simulate(Probing(3, 120, 60, every=200, agree=3, probe=30), selection=Majority())
    for name in plain:
        assert [len(run.tokens) > 0 for run in probed[name].candidates] == [True] * len(plain[name].candidates)
        assert all(run.thinking_tokens <= 120 for run in probed[name].candidates)
        assert probed[name].ledger.lookahead_tokens == 0


def test_fewer_runs_are_a_valid_smaller_one() -> None:
    large, small = (one(Probing(n, 400, 60, every=40, agree=2, probe=30), selection=Majority()) for n in (4, 2))
    assert [run.text for run in large.candidates[:2]] == [run.text for run in small.candidates]


def test_thoughts_are_appended_to_by_no_text() -> None:
    recorded = Recorded(Probing(1, 200, 60, every=40, agree=2, probe=30))
    simulate(recorded, problems=PROBLEMS[:2], selection=Majority())
    assert all(request.text is None for request, _ in recorded.log if isinstance(request, Append))
