"""MLflow: a run of an experiment for each run, those of a sweep within one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any

from ttcs.running.loggers.finished import Finished
from ttcs.running.loggers.logger import needs, within

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME, PARENT = "ttcs.name", "mlflow.parentRunId"  # tags
AT_ONCE = 100  # parameters or metrics that a server takes in one request
LONGEST = 6000  # characters of a parameter


@dataclass(frozen=True, slots=True)
class MLflow:
    """uri: of the tracking server or store; None: MLFLOW_TRACKING_URI, or what MLflow takes without it.

    experiment: its name; made where there is none. timeout: seconds that telling it of a run may take.
    """

    uri: str | None
    experiment: str
    timeout: float

    def __post_init__(self) -> None:
        needs("mlflow", "mlflow")

    def log(self, run: Finished) -> str:
        return within(self.timeout, partial(self._log, run))

    def _log(self, run: Finished) -> str:
        from mlflow import MlflowClient

        client = MlflowClient(self.uri)
        found = client.get_experiment_by_name(self.experiment)
        experiment = client.create_experiment(self.experiment) if found is None else found.experiment_id
        parent = {} if run.sweep is None else {PARENT: _run(client, experiment, run.sweep, {})}
        id = _run(client, experiment, run.name, parent)
        _write(client, id, run)
        return f"run {id} of experiment {self.experiment}"


def _run(client: MlflowClient, experiment: str, name: str, tags: dict[str, str]) -> str:
    """The id of the run of that name, with the tags."""
    known = client.search_runs([experiment], f"tags.`{NAME}` = '{name}'", max_results=1)
    if not known:
        id: str = client.create_run(experiment, tags={NAME: name, **tags}, run_name=name).info.run_id
        client.set_terminated(id)
        return id
    id = known[0].info.run_id
    for key, value in tags.items():
        client.set_tag(id, key, value)
    return id


def _write(client: MlflowClient, id: str, run: Finished) -> None:
    """What the run does not hold yet. A parameter of MLflow cannot be changed."""
    from mlflow.entities import Metric, Param

    held = client.get_run(id).data
    params = [Param(_key(key), str(value)[:LONGEST]) for key, value in run.parameters.items()]
    points = [(key, value, 0) for key, value in run.metrics.items()]
    points += [(f"accuracy_vs_n/{one}", value, n) for one, curve in run.curves.items() for n, value in curve.items()]
    known = {(key, one.value, one.step) for key in held.metrics for one in client.get_metric_history(id, key)}
    now = int(1000 * time())
    metrics = [Metric(_key(key), value, now, n) for key, value, n in points if (_key(key), value, n) not in known]
    for some in _parts([param for param in params if param.key not in held.params]):
        client.log_batch(id, params=some)
    for some in _parts(metrics):
        client.log_batch(id, metrics=some)
    for file in run.figures:
        client.log_artifact(id, str(file))


def _key(name: str) -> str:
    """With no character that MLflow does not take."""
    return re.sub(r"[^\w\-./: ]", "_", name)


def _parts(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE)]
