"""Accuracy against tokens of votes that stop when they have enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing import draw
from analysis.estimates.frontier import FIXED


def frontier(ax: Axes, df: pd.DataFrame) -> Axes:
    """A curve for each rule over its settings, and the vote of a fixed n with its band.

    What can be compared are votes on the same samples, so the bars of a rule are the interval of its difference from
    the vote of all n, put at the accuracy of that; its own interval is about as wide as the band.
    """
    fixed = df["method"] == FIXED
    full = df["accuracy"] - df["difference"]
    low = np.where(fixed, df["low"], full + df["difference_low"])
    high = np.where(fixed, df["high"], full + df["difference_high"])
    return draw.accuracy_vs_tokens(ax, df.assign(low=low, high=high, derived=fixed))
