from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.folders import simulated, write


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Best-of-N, DVTS and beam search with two seeds each, and greedy: 9 runs on 20 problems of 5 levels."""
    root = tmp_path / "sweep"
    for seed in (0, 1):
        write(root / f"bon{seed}", simulated(20, 16, seed), n=16, seed=seed)
        write(root / f"dvts{seed}", simulated(20, 16, 9 + seed, width=4), strategy="dvts", n=16, seed=seed, width=4)
        for n in (4, 16):
            made = simulated(20, n, 7 + seed)
            write(root / f"beam{n}-{seed}", made, strategy="beam_search", n=n, seed=seed, width=4)
    write(root / "greedy", simulated(20, 1, 5), strategy="greedy", n=16)
    return root
