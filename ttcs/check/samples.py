"""The problems and solutions that a check asks about; some of the solutions are wrong."""

from __future__ import annotations

from ttcs.core import Problem, Step, Stop, Trajectory

WRITTEN = {
    "What is $12 \\cdot 7 + 5$?": (
        ("We multiply first: $12 \\cdot 7 = 84$.\n\n", "Then $84 + 5 = 89$.\n\n", "The answer is $\\boxed{89}$."),
        ("We multiply first: $12 \\cdot 7 = 74$.\n\n", "Then $74 + 5 = 79$.\n\n", "The answer is $\\boxed{79}$."),
    ),
    "Find the sum of the roots of $x^2 - 6x + 8 = 0$.": (
        ("The equation factors as $(x - 2)(x - 4) = 0$.\n\n", "So the sum is $2 + 4 = \\boxed{6}$."),
        ("By Vieta's formulas the sum is the constant term.\n\n", "So the sum is $\\boxed{8}$."),
    ),
    "How many positive divisors does $36$ have?": (
        ("We have $36 = 2^2 \\cdot 3^2$.\n\n", "So there are $3 \\cdot 3 = \\boxed{9}$ divisors."),
        ("We have $36 = 6 \\cdot 6$.\n\n", "So there are $2 + 2 = \\boxed{4}$ divisors."),
    ),
}


def problems() -> tuple[Problem, ...]:
    return tuple(Problem(f"check/{number}", question) for number, question in enumerate(WRITTEN))


def solutions() -> list[Trajectory]:
    """All that are written above, whole."""
    return [Trajectory(problem, tuple(_steps(texts))) for problem in problems() for texts in WRITTEN[problem.question]]


def long(words: int) -> Problem:
    """A problem whose prompt has at least so many tokens."""
    return Problem("check/long", "Add up these numbers: " + "1 + " * words + "1.")


def _steps(texts: tuple[str, ...]) -> list[Step]:
    """Their tokens are of no account: a verifier reads text."""
    return [Step(node, (), text, Stop.STEP) for node, text in enumerate(texts)]
