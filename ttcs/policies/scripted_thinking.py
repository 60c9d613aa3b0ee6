"""How the simulated policy thinks, where a strategy steers its thinking."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ttcs.core import Step, Stop, Trajectory

END = Step(-1, (0, 0), "</think>\n", Stop.THOUGHT, thinking=True)


@dataclass(frozen=True, slots=True)
class ScriptedThinking:
    """Thoughts that are each right or wrong, one behind the other; the answer is that of the latest whole one.

    tokens: of a thought on average, uniform between half and one and a half of it. end: chance that the thinking ends
    behind a thought. mend, spoil: chance that a thought is right after a wrong one, and that it is wrong after a right
    one: where mend is the larger one, thinking longer pays.
    """

    tokens: int = 20
    end: float = 0.4
    mend: float = 0.35
    spoil: float = 0.1

    def thought(
        self, draw: random.Random, trajectory: Trajectory, steps: list[Step], first: float, suppressed: bool = False
    ) -> Step:
        """The next step of the thinking. first: chance that the first thought is right. suppressed: it is no end."""
        last = next((step for step in reversed((*trajectory.steps, *steps)) if _whole(step)), None)
        latest = (*trajectory.steps, *steps)[-1:]
        if not suppressed and last is not None and latest == (last,) and draw.random() < self.end:
            return END
        chance = first if last is None else self.mend if _wrong(last) else 1 - self.spoil
        right = draw.random() < chance
        tag = int(draw.random() * 65536)
        length = max(1, int(self.tokens * (0.5 + draw.random())))
        text = f"thought {'ok' if right else 'err'} {tag:04x}\n\n"
        return Step(-1, (int(right), tag, *range(length))[:length], text, Stop.STEP, thinking=True)


def concluded(trajectory: Trajectory) -> bool | None:
    """Whether the latest whole thought is right; None: there is none."""
    last = next((step for step in reversed(trajectory.steps) if _whole(step)), None)
    return None if last is None else not _wrong(last)


def given(text: str | None, cut: bool) -> tuple[Step, ...]:
    """As a policy's `append`."""
    if text is not None:
        tokens = tuple(range(len(text.split())))
        return (Step(-1, tokens, text, Stop.STEP, thinking=True, given=True),) if text else ()
    end = Step(-1, END.tokens, END.text, Stop.THOUGHT, thinking=True, given=True)
    return (end, Step(-1, (0, 0), "Final Answer:", Stop.STEP, given=True)) if cut else (end,)


def _whole(step: Step) -> bool:
    return step.thinking and not step.given and step.text.startswith("thought ") and step.stop is Stop.STEP


def _wrong(step: Step) -> bool:
    return " err " in step.text
