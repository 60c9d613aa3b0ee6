"""Settings shared by all tests, and which of them take long."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: test workers share the cores

import pytest
from hypothesis import settings

settings.register_profile("ttcs", deadline=None)  # a shared machine makes any deadline flaky
settings.load_profile("ttcs")

# Modules that are left to `pytest -m slow`, which CI runs as its second step: they kill and start again, train, run the
# zoo, or compare many whole runs.
SLOW = {
    *("analysis/estimates/test_agreement.py", "analysis/estimates/test_optimal.py", "analysis/figures/test_tables.py"),
    *("analysis/figures/test_levels.py", "analysis/figures/test_accuracy.py", "analysis/papers/test_revisions.py"),
    *("commands/test_merge.py", "commands/test_replay.py", "commands/test_help.py", "curation/test_curation.py"),
    *("running/test_workers.py", "running/test_launchers.py", "running/test_plan.py"),
    *("training/test_trainer.py", "training/test_verifier.py", "training/test_rollouts.py", "training/test_command.py"),
    *("zoo/test_models.py", "zoo/test_verifiers.py"),
}
TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)
