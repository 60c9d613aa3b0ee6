"""`python -m ttcs.replay FOLDER selection=majority n=4,16`: other decisions on recorded candidates; no model runs.

At the run's own n this is what a run with that selection and reduction would have come to; at a smaller n the mean over
subsets of the candidates, of DVTS over whole subtrees, of revisions over whole chains or, with attempts=..., over their
beginnings (docs/records.md). With stopping=... it tells what a vote would have cost that stops when it has enough,
with budget=shared what a budget for the whole problem set would have found (docs/adaptive.md).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import fsum, isnan
from pathlib import Path
from typing import Any

from rich.table import Table

from ttcs.config.components import build
from ttcs.config.explain import answering
from ttcs.config.given import Given, given
from ttcs.config.home import path
from ttcs.config.identity import digest, plain, portable
from ttcs.config.streams import forgiving
from ttcs.config.usage import parser
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.records import levels
from ttcs.records.chains import own_n
from ttcs.records.folder import write
from ttcs.records.interval import interval
from ttcs.records.reading import Reading, Verdict
from ttcs.records.stored import Stored
from ttcs.records.summary import Accuracy, Setting
from ttcs.running import sharing, stopping
from ttcs.running.progress import console, percent, say_graded
from ttcs.running.runner import whole

METHOD = "selection", "reduction", "difficulty"
ATTEMPTS = "attempts"
EXAMPLES = """
    python -m ttcs.replay outputs/RUN selection=majority          another selection
    python -m ttcs.replay outputs/RUN reduction=min n=4,16,64     another reduction, at smaller n
    python -m ttcs.replay outputs/RUN attempts=1,2,4              of chains of revisions: their beginnings
    python -m ttcs.replay outputs/RUN selection=majority stopping=beta,window    votes that stop when they have enough
    python -m ttcs.replay outputs/RUN budget=shared n=4,8         samples where the vote is least settled
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Totals, as far as they go with n: its share of those of the run. None: not on record, as of an imported pool.

    Of the PRM's FLOPs it is what so many of the solutions would have had it read; of the policy's, in chains of
    revisions, the share of the decoded tokens, though later attempts read more.
    """

    decoded_tokens: float | None
    policy_flops: float | None
    prm_flops: float | None

    @classmethod
    def of(cls, verdicts: Sequence[Verdict], reads_prm: bool) -> Cost:
        tokens = fsum(one.share * one.digest.ledger.decoded_tokens for one in verdicts)
        policy = fsum(one.policy_share * one.digest.ledger.policy_flops for one in verdicts)
        prm = fsum(one.prm_share * one.digest.ledger.prm_flops for one in verdicts) if reads_prm else 0
        return cls(tokens or None, policy or None, prm if policy else None)


@dataclass(frozen=True, slots=True)
class Replay:
    """ci95: percentile bootstrap over problems. n_graded, by_level, no_levels: as in `Summary`.

    share: n / the n of the run. subsets: of a problem's candidates that were decided on; 1: all of them at once.
    attempts: of each chain of revisions (None: the run has no chains).
    """

    accuracy: float | None
    ci95: tuple[float, float] | None
    n_problems: int
    n_graded: int
    by_level: dict[str, Accuracy]
    no_levels: str | None
    subsets: int
    share: float
    attempts: int | None
    cost: Cost
    records: str
    setting: Setting

    def to_json(self) -> str:
        """The fields of `setting` stand beside the others, as in summary.json."""
        flat = asdict(self)
        setting = flat.pop("setting")
        return json.dumps({**flat, **setting}, indent=2, allow_nan=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    forgiving()
    options = _arguments().parse_args(arguments)
    sys.argv[1:] = options.overrides  # what a mistake is explained from
    with answering():
        run, asked = _finished(options.folder), {override.partition("=")[0] for override in options.overrides}
        if "stopping" in asked:
            stopping.show(stopping.replayed(run, options.overrides))
        elif "budget" in asked:
            sharing.show(sharing.replayed(run, options.overrides))
        else:
            _show([(one, _save(one, method)) for one, method in replayed(run, options.overrides)])


def _finished(folder: Path) -> Stored:
    run = Stored.of(folder)
    if run.setting is None:
        raise UserError(f"{folder} is not finished: the command of the run goes on with it")
    return run


def replayed(run: Stored, overrides: Sequence[str]) -> list[tuple[Replay, dict[str, Any]]]:
    """A replay for each combination of the values given, and the configuration of its method."""
    assert run.setting is not None
    defaults = [f"n={run.setting.n}", f"seed={run.setting.seed}", f"+{ATTEMPTS}=null"]
    points = given(overrides, (*METHOD, "n", ATTEMPTS), defaults)
    return [(_replay(run, run.setting, point), _method(run, point)) for point in points]


def _replay(run: Stored, own: Setting, point: Given) -> Replay:
    method, attempts = _method(run, point), whole(point.config, ATTEMPTS, 1) if ATTEMPTS in point.keys else None
    n = whole(point.config, "n", 1) if "n" in point.keys else _largest(run, attempts)
    reading = Reading.of(run, method, n, attempts)
    verdicts = sorted(map(reading.verdict, run.records()), key=lambda verdict: verdict.digest.pool.problem_id)
    total = _accuracy(verdicts)
    # By the bins of the run's full pools, so that every n is over the same problems.
    pools, difficulty = [verdict.digest.pool for verdict in verdicts], build(method, "difficulty")
    by_level, no_levels = levels.by_level(pools, difficulty, lambda at: _accuracy([verdicts[i] for i in at]))
    chosen = {key: point.choice(key) for key in METHOD if key in point.keys}
    return Replay(
        accuracy=total.accuracy,
        ci95=total.ci95,
        n_problems=total.n_problems,
        n_graded=total.n_graded,
        by_level=by_level,
        no_levels=no_levels,
        subsets=max((verdict.subsets for verdict in verdicts), default=0),
        share=n / reading.size,
        attempts=None if reading.chains is None else reading.chains.attempts,
        cost=Cost.of(verdicts, reading.reads_prm),
        records=str(run.folder),
        setting=Setting(**{**asdict(own), **chosen, "n": n}),
    )


def _largest(run: Stored, attempts: int | None) -> int:
    """The n of the run, or what its chains come to with so many attempts each."""
    chains: int | None = run.config["strategy"].get("chains")
    return own_n(run) if attempts is None or chains is None else chains * attempts


def _method(run: Stored, point: Given) -> dict[str, Any]:
    """What was given, and for the rest what the run had."""
    given_now = plain(point.config)
    return {key: (given_now if key in point.keys else run.config)[key] for key in METHOD}


def _accuracy(verdicts: Sequence[Verdict]) -> Accuracy:
    values = [verdict.correct for verdict in verdicts if verdict.correct is not None]
    if not values:
        return Accuracy(None, None, len(verdicts), 0)
    mean, low, high = interval(values)
    return Accuracy(mean, None if isnan(low) else (low, high), len(verdicts), len(values))


def _save(replay: Replay, method: Mapping[str, Any]) -> Path:
    """In the folder of the run, named after what was asked."""
    setting = replay.setting
    asked = digest({"method": portable(method), "n": setting.n, **_grid(replay)})
    folder = Path(replay.records) / "replay" / f"{setting.selection}_{setting.reduction}"
    made(folder)
    write(folder / f"n={setting.n}-{asked}.json", replay.to_json())
    return folder / f"n={setting.n}-{asked}.json"


def _grid(replay: Replay) -> dict[str, int]:
    return {} if replay.attempts is None else {ATTEMPTS: replay.attempts}


def _show(replays: Sequence[tuple[Replay, Path]]) -> None:
    columns = "selection", "reduction", "n", "attempts x chains", "accuracy", "tokens", "FLOPs"
    table = Table(*columns, title="replay", title_justify="left")
    for replay, _ in replays:
        setting, cost = replay.setting, replay.cost
        tokens = "unknown" if cost.decoded_tokens is None else f"{cost.decoded_tokens:,.0f}"
        flops = "unknown" if cost.policy_flops is None else f"{cost.policy_flops + (cost.prm_flops or 0):.1e}"
        total = Accuracy(replay.accuracy, replay.ci95, replay.n_problems, replay.n_graded)
        accuracy = percent(total) if replay.ci95 or replay.accuracy is None else f"{replay.accuracy:.1%}"
        chains = "" if replay.attempts is None else f"{replay.attempts} x {setting.n // replay.attempts}"
        table.add_row(setting.selection, setting.reduction, str(setting.n), chains, accuracy, tokens, flops)
    console.print(table)
    say_graded([replay for replay, _ in replays])
    for _, file in replays:
        console.print(f"  {file}", markup=False)


def _arguments() -> argparse.ArgumentParser:
    made = parser("ttcs.replay", "FOLDER [KEY=VALUE ...]", EXAMPLES)
    made.add_argument("folder", type=path, metavar="FOLDER", help="the run's folder")
    made.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="selection, reduction, difficulty, n, attempts, stopping, budget, orders, ahead; several values: a,b,c",
    )
    return made


if __name__ == "__main__":
    main()
