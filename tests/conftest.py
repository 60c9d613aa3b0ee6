"""Settings shared by all tests, and which of them take long."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: test workers share the cores

import pytest
from hypothesis import settings

settings.register_profile("ttcs", deadline=None)  # a shared machine makes any deadline flaky
settings.load_profile("ttcs")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# Modules that are left to `pytest -m slow`, which CI runs as its second step: they kill and start again, train, run the
# zoo, wait for time limits to pass, compare many whole runs, or compose every yaml there is.
SLOW = {
    *("analysis/estimates/test_agreement.py", "analysis/estimates/test_evaluate.py"),
    *("analysis/estimates/test_optimal.py", "analysis/figures/test_accuracy.py", "analysis/figures/test_levels.py"),
    *("analysis/figures/test_reductions.py", "analysis/figures/test_tables.py", "analysis/figures/test_thinking.py"),
    *("analysis/papers/test_exchange.py", "analysis/papers/test_revisions.py", "analysis/test_command.py"),
    *("answers/test_limits.py", "answers/test_published.py", "benchmarks/test_curation_rows.py"),
    *("commands/test_export.py", "commands/test_help.py", "commands/test_merge.py", "commands/test_pools.py"),
    *("commands/test_replay.py", "commands/test_replay_stopping.py", "commands/test_streams.py"),
    *("commands/test_writing.py", "config/test_conf.py", "config/test_home.py", "curation/test_curation.py"),
    *("curation/test_whole_stages.py", "policies/test_server.py", "prms/test_prefixes.py", "prms/test_server_prm.py"),
    *("records/test_endings.py", "records/test_records.py", "running/test_adaptive.py", "running/test_contents.py"),
    *("running/test_launchers.py", "running/test_naming.py", "running/test_plan.py", "running/test_shared_run.py"),
    *("running/test_loggers.py", "running/test_workers.py", "serve/test_harness.py", "serve/test_served.py"),
    *("search/test_budget.py", "search/test_opening.py", "serve/test_command.py", "serve/test_service.py"),
    *("solving/test_solver.py", "strategies/test_revisions.py", "training/test_command.py"),
    *("training/test_revision_data.py", "training/test_rollouts.py", "training/test_run_records.py"),
    *("training/test_sft.py", "training/test_trainer.py", "training/test_verifier.py"),
    *("training/test_verifier_stages.py", "training/test_warm_up.py", "zoo/test_chain_models.py"),
    *("zoo/test_chains.py", "zoo/test_models.py", "zoo/test_verifiers.py"),
}
TESTS = Path(__file__).parent
# Set by CI where everything is installed that a test may need: one that is skipped there has failed.
NO_SKIPS = bool(os.environ.get("TTCS_NO_SKIPS"))


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return unskipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return unskipped((yield))


def unskipped(report: Report) -> Report:
    """The same, as failed where it was skipped and must not be."""
    if NO_SKIPS and report.outcome == "skipped":
        report.outcome, report.longrepr = "failed", f"skipped, with TTCS_NO_SKIPS set: {report.longrepr}"
    return report
