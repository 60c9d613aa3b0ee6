"""What Slurm says of this user's jobs. From squeue: sacct needs an accounting that not every cluster has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from subprocess import CalledProcessError, TimeoutExpired, run

COMMAND = ["squeue", "--me", "--array", "--noheader", "--format=%i %T %r"]


def queued_jobs() -> dict[str, str] | None:
    """Id -> state of the jobs that wait or run; None: Slurm does not answer."""
    try:
        answer = run(COMMAND, capture_output=True, text=True, check=True, timeout=30)
    except (CalledProcessError, TimeoutExpired):
        return None
    rows = [(*line.split(maxsplit=2), "")[:3] for line in answer.stdout.splitlines()]
    return {number: state.lower() + (f" ({why})" if state == "PENDING" else "") for number, state, why in rows}


def states(found: Iterable[str]) -> str:
    """How many jobs wait, and for what, and how many run."""
    return ", ".join(f"{count} {state}" for state, count in sorted(Counter(found).items()))
