"""Whether the vote that a rule stops is the one that decides."""

from __future__ import annotations

from ttcs.choice.stopping.never import Never
from ttcs.core import Selection, Stopping

READS = {True: "goes by scores", False: "reads no scores"}


def mismatch(stopping: Stopping, selection: Selection, rule: str, chosen: str) -> str | None:
    """What a person should know of a rule and a selection of which one alone reads scores; None: nothing.

    rule, chosen: what they are called. A vote that nothing stops may be any.
    """
    if isinstance(stopping, Never) or stopping.reads_scores == selection.reads_scores:
        return None
    return (
        f"stopping={rule} {READS[stopping.reads_scores]}, but selection={chosen} {READS[selection.reads_scores]}: "
        "it stops another vote than the one that decides, which may cost accuracy"
    )
