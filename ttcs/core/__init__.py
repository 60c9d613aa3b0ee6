"""The nouns of test-time compute: problems, steps, trajectories, and the requests a search may yield.

A strategy is a generator, one per problem. It yields `Sample` (to the policy), `Score` (to the PRM) or `Append` (text
of its own) and is sent back one trajectory for each it named, in the same order; or `Parallel`, searches that run side
by side, and is sent back their candidates. It returns its own candidates. Everything else (batching, seeds, budgets,
ledgers, records) belongs to the scheduler.
"""

from ttcs.core.engine import PRM, Continue, Continued, Judge, Judged, ModelSize, Policy
from ttcs.core.search import (
    Append,
    Candidate,
    Enough,
    Parallel,
    Reduction,
    Request,
    Sample,
    Score,
    Search,
    Selection,
    Stopping,
    Strategy,
)
from ttcs.core.solution import Confidence, Message, Part, Problem, Step, Stop, Trajectory, Turn, judged, overall

__all__ = [
    "PRM",
    "Append",
    "Candidate",
    "Confidence",
    "Continue",
    "Continued",
    "Enough",
    "Judge",
    "Judged",
    "Message",
    "ModelSize",
    "Parallel",
    "Part",
    "Policy",
    "Problem",
    "Reduction",
    "Request",
    "Sample",
    "Score",
    "Search",
    "Selection",
    "Step",
    "Stop",
    "Stopping",
    "Strategy",
    "Trajectory",
    "Turn",
    "judged",
    "overall",
]
