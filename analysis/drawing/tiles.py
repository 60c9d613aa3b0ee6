"""A table as coloured tiles with words in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

DARK = 0.8  # of the range: above it white words are the clearer ones


def tiles(ax: Axes, values: pd.DataFrame, texts: Sequence[Sequence[str]], limits: tuple[float, float]) -> Axes:
    """Rows downwards and columns to the right, in the order of the table; nan is left blank."""
    low, high = limits
    shares = (values.to_numpy(np.float64) - low) / max(high - low, 1e-12)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if np.isfinite(share):
            colour = "white" if share > DARK else "#222222"
            ax.text(column, row, texts[row][column], ha="center", va="center", fontsize=8, color=colour)
    ax.set_xticks(range(len(values.columns)), [str(name) for name in values.columns])
    ax.set_yticks(range(len(values.index)), [str(name) for name in values.index])
    ax.grid(False)
    ax.tick_params(length=0)
    return ax
