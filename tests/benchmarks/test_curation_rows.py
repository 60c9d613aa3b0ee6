"""The made-up rows of the benchmark of curation: what was planted is found, and nothing else."""

from benchmarks import curation
from benchmarks.harness import QUICK


def test_every_planted_row_is_found(monkeypatch):
    monkeypatch.setattr(curation, "QUICK_ROWS", 1_300)
    monkeypatch.setattr(curation, "PROCESSES", 1)
    (result,) = curation.measure(QUICK)
    counters = result.sides["rows left"].counters
    assert counters["sources"] == 1_300
    assert counters["duplicates"] < counters["decontaminate"] < counters["quality"] < counters["failed"] < 1_300
    assert counters["sample"] == 1_000
