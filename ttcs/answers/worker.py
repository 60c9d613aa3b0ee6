"""The process that does symbolic mathematics: JSON lines in, JSON lines out, until its input ends.

`python -m ttcs.answers.worker LIMIT` first says it is ready; for each line {"text": ...} it writes {"key", "readings"},
or null where the text is no mathematics. A text that takes more than LIMIT seconds of processor time ends the process:
time on the clock would let what else the machine does decide which answers are read, and this also ends the worker of a
parent that was killed while it waited.
"""

import json
import os
import resource
import signal
import sys

from ttcs.answers.canonical import canonical
from ttcs.answers.form import Form, Undecided
from ttcs.answers.symbolic import Symbolic

_MEMORY = 4 * 2**30  # bytes; a runaway expression fails here before it troubles the machine


def serve(limit: float) -> None:
    # Whatever a library prints must not end up between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    decide = Symbolic()
    canonical(r"\frac{\sqrt{3}}{3} + x", decide)  # the first use of the parser is slow
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, limit)
        form = decided(json.loads(line)["text"], decide)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps({"key": form.key, "readings": form.readings} if form else None), file=answers, flush=True)


def decided(text: str, decide: Symbolic) -> Form | None:
    """None for text that is no mathematics, and for what exceeds a limit of the interpreter or the memory."""
    try:
        return canonical(text, decide)
    except (
        Undecided,
        ArithmeticError,
        AttributeError,
        TypeError,
        ValueError,
        NotImplementedError,
        RecursionError,
        MemoryError,
    ):
        # SymPy raises all of these on well-formed input it has no method for.
        return None


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    serve(float(sys.argv[1]))
