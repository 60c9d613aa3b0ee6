"""Time `group` against majority grouping by SymPy canonical forms: `python benchmarks/grouping.py`.

The other way is that of search-and-learn (Beeching et al., 2024): each answer is parsed with latex2sympy2, simplified
and printed again, and the printed forms are counted in a dict. It remembers no form between answers here; with a memory
of its own (second comparison) it parses every distinct answer once, as `group` does.
"""

import random
import statistics
import time
from collections.abc import Callable

import sympy
from latex2sympy2_extended import latex2sympy

from ttcs.answers import group
from ttcs.answers.grouping import form

RUNS = 7
DISTINCT = [
    r"\frac{1}{2}", "0.5", "1/2", r"\dfrac{3}{6}", "12", "12.0", "-7", "144", "1024", r"\frac{14}{3}",
    r"\frac{7}{16}", "3.25",
    r"2\sqrt{3}", r"\sqrt{12}", r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}", r"3\pi", r"\frac{\pi}{6}", "x^2+2x+1",
    "(x+1)^2",
    r"\frac{x+2}{7}", "2^{10}", r"11\sqrt{2}", "6-5i", "17", "-1", "100",
]  # fmt: skip


def printed(answer: str) -> str:
    return str(sympy.latex(sympy.simplify(latex2sympy(answer))))


def by_printed_form(answers: list[str], canonical: Callable[[str], str]) -> list[int]:
    numbers: dict[str, int] = {}
    return [numbers.setdefault(canonical(answer), len(numbers)) for answer in answers]


def remembered() -> Callable[[str], str]:
    memory: dict[str, str] = {}
    return lambda answer: memory[answer] if answer in memory else memory.setdefault(answer, printed(answer))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cold(answers: list[str]) -> None:
    form.cache_clear()
    group(answers)


def main() -> None:
    answers = random.Random(0).choices(DISTINCT, k=256 - len(DISTINCT)) + DISTINCT
    group([r"\sqrt{2}"]), printed("x")  # start the worker, fill the caches of the parser
    memory = remembered()
    by_printed_form(answers, memory)
    ways: dict[str, Callable[[], object]] = {
        "group, cold": lambda: cold(answers),
        "group, warm": lambda: group(answers),
        "printed form, every answer": lambda: by_printed_form(answers, printed),
        "printed form, each distinct answer once": lambda: by_printed_form(answers, remembered()),
        "printed form, remembered": lambda: by_printed_form(answers, memory),
    }
    runs: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(RUNS):
        for way, work in ways.items():
            runs[way].append(timed(work))
    median = {way: statistics.median(times) for way, times in runs.items()}
    print(f"{len(answers)} answers, {len(DISTINCT)} distinct; medians of {RUNS} interleaved runs")
    for way, seconds in median.items():
        print(f"{way:42s}{seconds * 1e3:12.3f} ms")
    every, once = median["printed form, every answer"], median["printed form, each distinct answer once"]
    print(f"cold: {every / median['group, cold']:.0f}x ({once / median['group, cold']:.1f}x where it parses each once)")
    print(f"warm: {every / median['group, warm']:.0f}x")


if __name__ == "__main__":
    main()
