from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Append, Problem, Sample, Search
from ttcs.strategies.checks import at_least, holds
from ttcs.strategies.thinking import begun, conclude, ended, told


@dataclass(frozen=True, slots=True)
class StepConditional:
    """The model is told how many steps it may think, and they are counted down (s1, Muennighoff et al., 2025,
    section 3.2: a baseline).

    n: runs side by side. steps: how many, in the place of {steps} in `instruction`; a step ends with a blank line.
    countdown: what stands before each step, {left} being how many there still are. forced: a model that has not ended
    its thinking by then is made to answer; else it goes on alone. thinking: tokens of all steps together at most.
    answer: tokens kept for the answer.
    """

    n: int
    steps: int
    thinking: int
    answer: int
    forced: bool
    instruction: str
    countdown: str

    def __post_init__(self) -> None:
        at_least(1, n=self.n, steps=self.steps, thinking=self.thinking, answer=self.answer)
        holds("{steps}", instruction=self.instruction)
        holds("{left}", countdown=self.countdown)

    def search(self, problem: Problem) -> Search:
        runs = begun(problem, self.n, self.instruction.replace("{steps}", str(self.steps)))
        going = list(range(self.n))
        for left in range(self.steps, 0, -1):
            counted = yield Append(tuple(runs[i] for i in going), self.countdown.replace("{left}", str(left)))
            going = [i for i, run in zip(going, counted, strict=True) if run.thinking_tokens < self.thinking]
            asked = tuple(run for run in counted if run.thinking_tokens < self.thinking)
            stepped = yield Sample(asked, max_steps=1, thinking=self.thinking, answer=self.answer)
            for i, run in zip(going, stepped, strict=True):
                runs[i] = run
            going = [i for i in going if runs[i].live and not ended(runs[i])]
        if not self.forced:
            rest = [i for i, run in enumerate(runs) if run.live and not ended(run)]
            alone = yield Sample(tuple(runs[i] for i in rest))
            for i, run in zip(rest, alone, strict=True):
                runs[i] = run
        total = self.thinking + self.answer if self.forced else None
        return told((yield from conclude(runs, total)), problem)
