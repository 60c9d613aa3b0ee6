"""Numbers of others to hold ours against: s1-32B with budget forcing (Muennighoff et al., 2025, figs. 1 and 4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

METHOD = "published"
S1_32B = {
    "math500": ((499, 64.0), (983, 80.0), (1814, 85.6), (2869, 90.6), (3200, 93.2)),
    "aime2024": ((500, 0.0), (1000, 13.3), (2000, 30.0), (3933, 43.3), (5301, 50.0), (6658, 53.3), (7321, 56.7)),
}  # mean thinking tokens, accuracy in %; without intervals


def s1_32b(dataset: str) -> pd.DataFrame:
    """method, thinking, accuracy, low, high of a dataset; no row where nothing is published for it."""
    table = pd.DataFrame(S1_32B.get(dataset, ()), columns=["thinking", "accuracy"], dtype="float64")
    return table.assign(method=METHOD, accuracy=table["accuracy"] / 100, low=np.nan, high=np.nan)
