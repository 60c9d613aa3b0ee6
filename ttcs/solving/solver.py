"""The library's door: a solver has its models loaded once and searches whatever it is asked, many at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import lru_cache, partial
from hashlib import blake2b
from numbers import Integral
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self, TypedDict, Unpack

from ttcs.choice import confident
from ttcs.config.components import build, settled
from ttcs.config.composer import Composer
from ttcs.config.identity import register_resolvers
from ttcs.core import PRM, Message, Policy, Problem, Strategy
from ttcs.errors import UserError
from ttcs.records.grade import grade
from ttcs.running.memory import divided
from ttcs.running.session import METHOD
from ttcs.search.clock import Clock
from ttcs.search.execution import Outcome
from ttcs.solving.desk import Desk, Engines, Task
from ttcs.solving.found import Found
from ttcs.solving.method import Method, joined, limits, number
from ttcs.solving.progress import Progress

METHODS = 256  # that are kept, by their words and numbers
COMPOSED = 16  # configurations that are, each of which takes more memory than a method
OPTIONS = 256  # of groups, that are known to be there
ROOM = 16  # problems of a `map` that wait beside those that the policy can work on

# The other settings are limits of a budget.
NAMED = (*METHOD, "n", "seed", "temperature", "max_tokens", "seconds")

Numbers = tuple[tuple[str, Any], ...]  # by the keys of the configuration

register_resolvers()


class Settings(TypedDict, total=False):
    """What may differ from call to call; what is left out is as the solver was told.

    strategy: an option (`"beam_search"`), or an object with a method `search` (docs/strategies.md). selection,
    reduction, answer, budget: options. n: candidates. tokens, generations, flops: limits of the budget, one of which is
    enough to name it. temperature: of samples for which the strategy names none. max_tokens: of a solution, where that
    is less than the policy's own limit: one that reaches it has no answer. seconds: after which the search is given up,
    and what has ended of it is all there is to choose from (`Found.late`); what of that has to be scored is scored yet.
    """

    strategy: str | Strategy | None
    selection: str | None
    reduction: str | None
    answer: str | None
    budget: str | None
    n: int | None
    seed: int | None
    temperature: float | None
    max_tokens: int | None
    seconds: float | None
    tokens: int | None
    generations: int | None
    flops: int | None


class Solver:
    """See `solver`. All of its methods may be called from several threads at once."""

    def __init__(self, *words: str, config_dir: str | Path | None = None) -> None:
        self._words, composer = words, Composer(None if config_dir is None else Path(config_dir))
        config = composer(words, ("policy", "prm"))
        if config.workers != 1:
            raise UserError(f"workers={config.workers}: a solver searches in this process; workers are for commands")
        self._option = lru_cache(OPTIONS)(composer.option)
        # Calls differ in their numbers, mostly; to put them in takes a tenth of the time that composing does.
        bare = lru_cache(COMPOSED)(partial(composer, needed=METHOD))
        self._composed = composed = lru_cache(COMPOSED)(lambda words, numbers: composer.changed(bare(words), numbers))
        self._methods = lru_cache(METHODS)(lambda *key: Method.of(composed(*key)))
        self._methods(words, ())  # what is wrong with them is said before a model is loaded
        config = divided(config, both=True)
        policy: Policy = build(config, "policy")
        self._clock = clock = Clock(0.0)

        def load() -> PRM:  # which the thread keeps, and nothing of ours with it
            with clock.stopped():
                prm: PRM = build(config, "prm")
                return prm

        self._capacity = policy.capacity
        self._desk = Desk(Engines(policy, load, config.open, config.ahead))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the engines, and let go of their memory. Searches under way fail, and so do later calls."""
        self._desk.close()

    @property
    def queued(self) -> int:
        """How many searches that were asked for have not begun."""
        return self._desk.queued

    def solve(self, problem: str | Problem, *words: str, **settings: Unpack[Settings]) -> Found:
        """Search one problem.

            solver.solve("What is $7 \\\\cdot 13$?", strategy="beam_search", n=64)
            solver.solve(problem, "strategy=dvts", "strategy.width=2", seed=1, tokens=2000)

        words: overrides of the command line, for what the settings have no name for. A question is a problem without a
        reference answer; its seeds come from its text. UserError for what is wrong with them.
        """
        future = self.submit(problem, *words, **settings)
        try:
            return future.result()
        finally:
            future.cancel()  # by Ctrl-C; otherwise it is done

    def map(self, problems: Iterable[str | Problem], *words: str, **settings: Unpack[Settings]) -> Iterator[Found]:
        """Search problems side by side; what is found is yielded as searches end.

            for found in solver.map(problems, strategy="dvts", n=16): ...

        As many are taken from `problems` as the engines have room for. What one fails with ends all; and whoever stops
        listening ends those that are under way.
        """
        method = self._method(words, settings)
        return self._each(iter(problems), method)

    async def asolve(
        self, problem: str | Problem, *words: str, progress: Progress | None = None, **settings: Unpack[Settings]
    ) -> Found:
        """As `solve`, for an event loop. Cancelling it gives the search up, in the engines too.

            await asyncio.gather(*(solver.asolve(question) for question in questions))

        progress: says how far the search is while it goes on.
        """
        method = await asyncio.to_thread(self._method, words, settings)
        return await asyncio.wrap_future(self._begin(problem, method, progress))

    def submit(self, problem: str | Problem, *words: str, **settings: Unpack[Settings]) -> Future[Found]:
        """As `solve`, without waiting. Cancelling the future gives the search up."""
        return self._begin(problem, self._method(words, settings))

    def check(self, *words: str, **settings: Unpack[Settings]) -> None:
        """UserError for what is wrong with a call, which is not made."""
        self._method(words, settings)

    def composed(self, *words: str, **settings: Unpack[Settings]) -> Mapping[str, Any]:
        """The configuration of a run with the method of such a call, and Hydra's own node; not to be changed.

        Of the settings only options, n and limits are in it.
        """
        return self._composed(*self._joined(words, settings))

    def differs(self, settings: tuple[Mapping[str, Any], Mapping[str, Any]], *words: str) -> bool:
        """Whether two calls are two methods; what they say of single samples is left aside."""
        one, other = (self.composed(*words, **each) for each in settings)
        return any(settled(one, group) != settled(other, group) for group in METHOD)

    def option(self, group: str, name: object) -> str:
        """The name, where a call may have it for this group; UserError where it names no option of it."""
        return self._option(group, name if isinstance(name, str) else str(name))

    def _each(self, problems: Iterator[str | Problem], method: Method) -> Iterator[Found]:
        done: SimpleQueue[Future[Found]] = SimpleQueue()
        under_way: set[Future[Found]] = set()
        try:
            while True:
                while len(under_way) < self._capacity + ROOM and (problem := next(problems, None)) is not None:
                    future = self._begin(problem, method)
                    under_way.add(future)
                    future.add_done_callback(done.put)
                if not under_way:
                    return
                under_way.remove(ended := done.get())
                yield ended.result()
        finally:
            for future in under_way:
                future.cancel()

    def _begin(self, problem: str | Problem, method: Method, progress: Progress | None = None) -> Future[Found]:
        asked = problem if isinstance(problem, Problem) else question(problem)

        def read(outcome: Outcome) -> Found:
            record = grade(outcome, method.selection, method.reduction, self._clock.seconds(), method.answering)
            return Found(asked, record, method.by_scores, outcome.late)

        return self._desk.ask(Task(asked, method, read, progress))

    def _method(self, words: tuple[str, ...], settings: Settings) -> Method:
        strategy = settings.get("strategy")
        own = None if isinstance(strategy, str) else strategy
        given = self._joined(words, settings)
        found = self._methods(*given)
        if own is None:
            confident.check(found.selection, self._composed(*given)["strategy"])
        longest, seconds = settings.get("max_tokens"), settings.get("seconds")
        return found.with_(own, settings.get("seed"), settings.get("temperature"), longest, seconds)

    def _joined(self, words: tuple[str, ...], settings: Settings) -> tuple[tuple[str, ...], Numbers]:
        """The words of a call, options that its settings name among them, and its numbers."""
        given = {key: _plain(value) for key, value in settings.items() if value is not None}
        named = {key: given[key] for key in METHOD if key in given}
        if not isinstance(named.get("strategy", ""), str):
            del named["strategy"]  # an object
        bounds = limits({key: value for key, value in given.items() if key not in NAMED})
        if len(bounds) == 1 and "budget" not in named:  # a limit alone names its budget: tokens=2000
            named["budget"] = next(iter(bounds)).removeprefix("budget.")
        if "n" in given:
            number("n", given["n"])
            bounds["n"] = given["n"]
        options = {group: self.option(group, name) for group, name in named.items()}
        return joined(self._words, words, options), tuple(bounds.items())


def _plain(value: Any) -> Any:
    """NumPy's whole numbers are numbers too."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def question(text: str, before: tuple[Message, ...] = ()) -> Problem:
    """A problem without a reference answer. Its id, and so its seeds, are its text's, and of what was said before."""
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"{text!r} is no question")
    said = json.dumps([(one.role, one.content) for one in before]) if before else ""
    return Problem(f"question-{blake2b((text + said).encode(), digest_size=8).hexdigest()}", text, before=before)


def solver(*words: str, config_dir: str | Path | None = None) -> Solver:
    """A solver as the words of the command line set it; its models are loaded, and stay until it is closed.

        with ttcs.solver("policy=zoo", "prm=zoo", "strategy=dvts", "n=16") as solver:
            found = solver.solve("What is the remainder of $7 \\\\cdot 13$ divided by $5$?")

    Any key and group of `python -m ttcs` may be set (docs/options.md); problem sets and launchers are not looked at.
    config_dir: a folder with yamls of your own. UserError for what is wrong with the words or the models.
    """
    return Solver(*words, config_dir=config_dir)


def dataset(*words: str, config_dir: str | Path | None = None) -> tuple[Problem, ...]:
    """A problem set as the words of the command line set it.

    ttcs.dataset("dataset=jsonl", "dataset.path=my.jsonl")
    """
    config = Composer(None if config_dir is None else Path(config_dir))(words, ("dataset",))
    found: tuple[Problem, ...] = build(config, "dataset")
    return found
