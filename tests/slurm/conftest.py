"""Tests against the Slurm that SLURM_CONF leads to, such as the one of scripts/slurm/start."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def _silent() -> str | None:
    """Why there is no Slurm to test with."""
    if shutil.which("sbatch") is None:
        return "sbatch is not installed"
    try:
        answer = subprocess.run(["sinfo", "--noheader"], capture_output=True, text=True, check=False, timeout=15)
    except subprocess.TimeoutExpired:
        return "Slurm does not answer"
    return None if answer.returncode == 0 and answer.stdout else "Slurm does not answer"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if "tests/slurm/" in item.path.as_posix()]
    if ours and (reason := _silent()):
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=f"{reason} (scripts/slurm/start makes one)"))
