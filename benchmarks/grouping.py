"""G8: `ttcs.answers.group` against majority grouping by SymPy canonical forms.

The other way is that of search-and-learn (Beeching et al., 2024): each answer is parsed with latex2sympy2, simplified
and printed again, and the printed forms are counted in a dict. It remembers no form between answers here; with a memory
of its own it parses every distinct answer once, as `group` does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import sympy
from latex2sympy2_extended import latex2sympy

from benchmarks.harness import Effort, Limit, Result, Spread, compare, interleaved, side
from ttcs.answers import group
from ttcs.answers.grouping import form

GOAL = Limit(50.0, least=True)
ONCE = Limit(1.0)
DISTINCT = [
    r"\frac{1}{2}", "0.5", "1/2", r"\dfrac{3}{6}", "12", "12.0", "-7", "144", "1024", r"\frac{14}{3}",
    r"\frac{7}{16}", "3.25",
    r"2\sqrt{3}", r"\sqrt{12}", r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}", r"3\pi", r"\frac{\pi}{6}", "x^2+2x+1",
    "(x+1)^2",
    r"\frac{x+2}{7}", "2^{10}", r"11\sqrt{2}", "6-5i", "17", "-1", "100",
]  # fmt: skip


def printed(answer: str) -> str:
    return str(sympy.latex(sympy.simplify(latex2sympy(answer))))


def by_printed_form(answers: Sequence[str], canonical: Callable[[str], str]) -> list[int]:
    numbers: dict[str, int] = {}
    return [numbers.setdefault(canonical(answer), len(numbers)) for answer in answers]


def remembered() -> Callable[[str], str]:
    memory: dict[str, str] = {}
    return lambda answer: memory[answer] if answer in memory else memory.setdefault(answer, printed(answer))


def cold(answers: list[str]) -> list[int | None]:
    form.cache_clear()
    return group(answers)


def measure(effort: Effort) -> Iterator[Result]:
    answers = random.Random(0).choices(DISTINCT, k=256 - len(DISTINCT)) + DISTINCT
    memory = remembered()
    ways: dict[str, Callable[[], Sequence[int | None]]] = {
        "group, warm": partial(group, answers),
        "group, cold": partial(cold, answers),
        "printed form": partial(by_printed_form, answers, printed),
        "printed form, remembered": partial(by_printed_form, answers, memory),
    }
    cold(answers)
    parsed = form.cache_info().misses
    runs = interleaved(ways, effort.runs)
    sides = {way: side(runs[way], {"groups": len({*runs[way][0].value})}) for way in ways}
    for way, limit in (("warm", GOAL), ("cold", None)):
        wall, _ = compare(runs["printed form"], runs[f"group, {way}"])
        pair = {name: sides[name] for name in ("printed form", f"group, {way}")}
        what = f"{len(answers)} answers, {len(DISTINCT)} distinct: printed form / group, {way}"
        yield Result("G8", what, wall, limit, sides=pair)
    wall, _ = compare(runs["printed form, remembered"], runs["group, warm"])
    pair = {name: sides[name] for name in ("printed form, remembered", "group, warm")}
    yield Result("G8", "the same, where the other way remembers every form too", wall, None, sides=pair)
    yield Result("G8", "answers parsed when cold / distinct answers", Spread.exact(parsed / len(DISTINCT)), ONCE)
