"""A thread that works on whatever searches it is asked for, one scheduler for all of them."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from threading import Lock, Thread, Timer, current_thread, main_thread

from ttcs.core import PRM, Continue, Continued, Policy, Problem, Search
from ttcs.errors import EngineError, UserError, told
from ttcs.search.execution import Execution, Outcome
from ttcs.search.opening import Opening
from ttcs.search.scheduler import Ended, Searches
from ttcs.search.waves import LateError
from ttcs.solving.found import Found
from ttcs.solving.method import Method
from ttcs.solving.progress import Progress

GRADERS = 8  # outcomes whose answers are read at a time, while the engines work on
CLOSED = "the solver is closed"
PATIENCE = 10.0  # seconds that whoever closes it waits for its end


@dataclass(eq=False, slots=True)
class Task:
    """A search that somebody waits for. read: makes what he wants of its outcome. progress: is kept up, if there."""

    problem: Problem
    method: Method
    read: Callable[[Outcome], Found]
    progress: Progress | None = None
    future: Future[Found] = field(default_factory=Future)

    def settle(self, found: Outcome | Exception) -> None:
        """Tell whoever waits; nobody does any more where it was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            if isinstance(found, Exception):
                raise found
            self.future.set_result(self.read(found))
        except BaseException as error:  # or he would wait for ever
            self.future.set_exception(told(error) or _caught(error))


@dataclass(frozen=True, slots=True)
class Late:
    """The time of a task is up."""

    task: Task


Asked = Task | Late | None  # None: it is over


class Engines:
    """load: the PRM, when something has to be scored for the first time. bound, ahead: see `scheduler.run`."""

    def __init__(self, policy: Policy, load: Callable[[], PRM], bound: int | None, ahead: int | None) -> None:
        self.bound, self.ahead = bound, ahead
        self._policy: Policy | None = policy  # None: they are closed
        self._prm: PRM | None = None
        self._load = load

    @property
    def policy(self) -> Policy:
        if self._policy is None:
            raise UserError(CLOSED)
        return self._policy

    def prm(self) -> PRM:
        if self._prm is None:
            self._prm = self._load()
        return self._prm

    def wake(self) -> None:
        """Have them look up from what they wait for."""
        for engine in (self._policy, self._prm):
            if engine is not None:
                engine.wake()

    def close(self) -> None:
        """End them, and keep nothing of them."""
        policy, prm, self._policy, self._prm = self._policy, self._prm, None, None
        try:
            if policy is not None:
                policy.close()
        finally:
            if prm is not None:
                prm.close()


class Desk:
    """Takes searches from any thread, whatever their methods, and works on as many as the engines have room for."""

    def __init__(self, engines: Engines) -> None:
        self._asked: SimpleQueue[Asked] = SimpleQueue()
        self._engines = engines
        self._lock = Lock()
        self._work = _Work(engines, self._asked)
        thread = Thread(target=self._work, name="searches", daemon=True)
        thread.start()
        self._end = weakref.finalize(self, _end, self._asked, engines, thread)

    @property
    def queued(self) -> int:
        """Searches that wait for room."""
        return len(self._work.waiting)

    def ask(self, task: Task) -> Future[Found]:
        """Begin a search as soon as there is room. Cancelling the future gives it up, in the engines too."""
        with self._lock:
            if not self._end.alive:
                raise UserError(CLOSED)
            self._asked.put(task)
        self._engines.wake()
        task.future.add_done_callback(lambda future: self._withdraw(task))
        if task.method.seconds is not None:
            timer = Timer(task.method.seconds, _expire, [self._asked, self._engines, task])
            timer.daemon = True
            timer.start()
            task.future.add_done_callback(lambda future: timer.cancel())
        return task.future

    def close(self) -> None:
        """Give up what is under way, and end the thread and, with it, the engines."""
        with self._lock:
            self._end()

    def _withdraw(self, task: Task) -> None:
        if task.future.cancelled():
            self._asked.put(task)
            self._engines.wake()


def _expire(asked: SimpleQueue[Asked], engines: Engines, task: Task) -> None:
    asked.put(Late(task))
    engines.wake()


def _end(asked: SimpleQueue[Asked], engines: Engines, thread: Thread) -> None:
    asked.put(None)
    engines.wake()
    if current_thread() is main_thread():  # another one may be what the thread waits for
        thread.join(PATIENCE)


@dataclass(slots=True)
class _Work:
    """What the thread does. It knows nothing of its desk, which may be forgotten without having been closed."""

    engines: Engines
    asked: SimpleQueue[Asked]
    waiting: deque[Task] = field(default_factory=deque)
    _late: list[Task] = field(default_factory=list)
    _tasks: dict[int, Task] = field(default_factory=dict)  # under way, by the number of the problem
    _numbers: count[int] = field(default_factory=count)

    def __call__(self) -> None:
        try:
            self._until_closed()
        finally:
            self.engines.close()

    def _until_closed(self) -> None:
        searches = self._fresh()
        with ThreadPoolExecutor(GRADERS, "outcomes") as graders:
            while True:
                try:
                    if not self._hear(searches):
                        break
                    for ended in self._work(searches):
                        graders.submit(self._tasks.pop(ended.order).settle, ended.found)
                except BaseException as error:  # of an engine: whoever has something there is told
                    self._give_up(searches, _caught(error))
                    searches = self._fresh()
            self._give_up(searches, UserError(CLOSED))
            for task in self.waiting:
                task.settle(UserError(CLOSED))

    def _fresh(self) -> Searches:
        policy = self.engines.policy
        return Searches(policy, self.engines.prm, Opening(self.engines.bound, policy.max_tokens), self._seen)

    def _seen(self, order: int, request: Continue, result: Continued) -> None:
        task = self._tasks.get(order)
        if task is not None and task.progress is not None:
            task.progress.add(request, result)

    def _hear(self, searches: Searches) -> bool:
        """Take in what is asked, and wait for it where there is nothing else to do. False: it is over."""
        while not (searches.waiting or self.waiting) or not self.asked.empty():
            if (task := self.asked.get()) is None:
                return False
            if isinstance(task, Late):
                self._late.append(task.task)
            elif task.future.cancelled():
                self._cancel(searches, task)
            else:
                self.waiting.append(task)
        return True

    def _work(self, searches: Searches) -> Iterator[Ended]:
        while self._late:
            yield from self._expire(searches, self._late.pop())
        while self.waiting and searches.room:
            yield from self._begin(searches, self.waiting.popleft())
        if searches.waiting:
            yield from searches.work()

    def _expire(self, searches: Searches, task: Task) -> Iterator[Ended]:
        if task in self.waiting:
            self.waiting.remove(task)
            yield from self._begin(searches, task, late=True)
        for order in [order for order, other in self._tasks.items() if other is task]:
            yield from searches.expire(order)

    def _begin(self, searches: Searches, task: Task, late: bool = False) -> Iterator[Ended]:
        """late: its time is up before it has begun."""
        order, engines, method = next(self._numbers), self.engines, task.method
        self._tasks[order] = task
        execution = Execution(
            *(task.problem, engines.policy, engines.prm, method.budget, method.seed),
            ahead=engines.ahead,
            longest=method.longest,
            answering=method.answering,
        )
        try:
            search = _nothing() if late else method.strategy.search(task.problem)
        except Exception as error:  # of a strategy that is somebody's own
            yield Ended(order, error)
            return
        yield from searches.begin(order, execution.run(search, method.selection.reads_scores))

    def _cancel(self, searches: Searches, task: Task) -> None:
        if task in self.waiting:
            self.waiting.remove(task)
        for order in [order for order, other in self._tasks.items() if other is task]:
            del self._tasks[order]
            searches.cancel(order)

    def _give_up(self, searches: Searches, error: Exception) -> None:
        """End all that is under way, as far as the engines can still be told."""
        for order, task in self._tasks.items():
            with suppress(Exception):
                searches.cancel(order)
            task.settle(error)
        self._tasks.clear()
        searches.readers.close()


def _caught(error: BaseException) -> Exception:
    """For those who wait: a panic in a library that is not Python is no Exception, and not theirs to be ended by."""
    return error if isinstance(error, Exception) else EngineError(repr(error))


def _nothing() -> Search:
    """A search that is late before it asks for anything."""
    raise LateError
    yield
