"""The workers of this process, and the parent's end of what they say."""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait

from omegaconf import DictConfig

from ttcs.core import Problem
from ttcs.records.record import Record
from ttcs.running.workers.deal import Deal, Word
from ttcs.running.workers.job import Job
from ttcs.running.workers.placement import environments
from ttcs.running.workers.worker import Worker


class Pool:
    """Workers, one per environment, started when first needed and kept from job to job with the models they loaded."""

    def __init__(self, placement: Sequence[Mapping[str, str]]) -> None:
        self.placement = placement
        self.idle = True  # False once a job was given up half way: such workers are of no more use
        self._workers: list[Worker] = []

    def session(self, config: DictConfig, problems: Sequence[Problem], seconds: float) -> Iterator[Record]:
        """As `ttcs.running.session`; returns when the first worker is ready."""
        self.idle = False
        workers = self._needed(len(problems))
        job = Job.of(config, seconds)
        for worker in workers:
            worker.send(job)
        wait([worker.link for worker in workers])
        return self._records(workers, Deal(problems, len(workers)))

    def close(self) -> None:
        if self.idle:
            for worker in self._workers:
                worker.dismiss()
            for worker in self._workers:
                worker.wait()
        for worker in self._workers:
            worker.kill()
        self._workers = []

    def _needed(self, problems: int) -> list[Worker]:
        """No more workers than problems."""
        count = min(len(self.placement), problems)
        for place in range(len(self._workers), count):
            self._workers.append(Worker.start(place + 1, self.placement[place]))
        return self._workers[:count]

    def _records(self, workers: Sequence[Worker], deal: Deal) -> Iterator[Record]:
        try:
            yield from _exchange(workers, deal)
            self.idle = True
        finally:
            if not self.idle:
                self.close()


def _exchange(workers: Sequence[Worker], deal: Deal) -> Iterator[Record]:
    """Answer what the workers say until all are done."""
    places = {worker.link: place for place, worker in enumerate(workers)}
    while places:
        for link in wait(list(places)):
            assert isinstance(link, Connection)
            place = places[link]
            match workers[place].receive():
                case Record() as record:
                    deal.finished(place)
                    yield record
                case Word.MORE:
                    workers[place].send(deal.next(place))
                case Word.DONE:
                    del places[link]
                case error:
                    raise error


_POOL: list[Pool] = []  # one at most


def parallel(config: DictConfig, problems: Sequence[Problem], seconds: float) -> Iterator[Record]:
    """As `ttcs.running.session`, on config.workers processes; those of the job before where they are placed alike."""
    placement = environments(config)
    if not (_POOL and _POOL[0].idle and _POOL[0].placement == placement):
        close()
        _POOL.append(Pool(placement))
    return _POOL[0].session(config, problems, seconds)


@atexit.register
def close() -> None:
    """End the workers, if there are any; also when a run was given up. The next job starts others."""
    while _POOL:
        _POOL.pop().close()
