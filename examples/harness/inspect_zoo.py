"""The zoo's problems as a task of inspect_ai, for a search behind `python -m ttcs.serve` (docs/serving.md)."""

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import pattern
from inspect_ai.solver import generate

BOXED = r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}"


@task
def ttcs_zoo(problems: str = "zoo.jsonl") -> Task:
    """problems: a file of JSON with id, question and answer in each line."""
    dataset = json_dataset(problems, FieldSpec(id="id", input="question", target="answer"))
    return Task(dataset=dataset, solver=generate(), scorer=pattern(BOXED))
