"""Every family of PRMs on vLLM's pooling runner, as a small random model, against its plainest computation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import tiny
from tests.prms.families import FAMILIES, Family
from tests.vllm.asking import judge
from ttcs.prms.vllm import VLLMPRM

STEPS = ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", "## Step 2: Add.\n\n", "The answer is: $\\boxed{31}$.")
OTHER = (STEPS[0], "## Step 2: Add: $3 + 28 = 32$.\n\n", "So $\\boxed{32}$.")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_scores(real: None, family: Family) -> None:
    small = replace(family, folder=lambda: family.folder(heads=1, kv_heads=1))  # heads of a size that vLLM has on CPU
    prm = VLLMPRM(small.format, small.folder(), 8, cache_gb=0.1)
    results = judge(prm, [tiny.trajectory(*STEPS), tiny.trajectory(*OTHER), tiny.trajectory(*STEPS[:2])])
    for texts, result in zip((STEPS, OTHER, STEPS[:2]), results, strict=True):
        expected = small.expected(texts)
        if family.last_only:
            assert result.scores[:-1] == (None,) * (len(texts) - 1)
        kept = slice(-1, None) if family.last_only else slice(None)
        assert result.scores[kept] == pytest.approx(expected[kept], abs=1e-4)
