"""Test-time compute scaling for language models, declaratively.

    import ttcs

    with ttcs.solver("policy=zoo", "prm=zoo", "strategy=dvts", "n=16") as solver:
        found = solver.solve("What is the remainder of $7 \\cdot 13$ divided by $5$?")
        print(found.answer, found.confidence)

solver: models that are loaded once, and searches over them. dataset: a problem set. Problem, Found: what goes in and
what comes out. UserError: what is wrong with either, in one line. What a strategy of one's own is made of is in
`ttcs.core`. docs/library.md tells more.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttcs.core import Problem
    from ttcs.errors import UserError
    from ttcs.solving.found import Found
    from ttcs.solving.solver import Solver, dataset, solver

__version__ = "0.1.0"
__all__ = ["Found", "Problem", "Solver", "UserError", "__version__", "dataset", "solver"]

# Imported when first asked for: a strategy or a worker has no use for them.
_HOMES = {
    "Found": "ttcs.solving.found",
    "Problem": "ttcs.core",
    "Solver": "ttcs.solving.solver",
    "UserError": "ttcs.errors",
    "dataset": "ttcs.solving.solver",
    "solver": "ttcs.solving.solver",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
