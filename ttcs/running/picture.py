"""The picture at the end of a command. The configuration names what draws it, so that nothing here knows of figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ttcs.errors import UserError
from ttcs.running.progress import console

Draw = Callable[[Path], object]


def drawn(draw: Draw, folder: Path) -> None:
    """Draw what is in the folder, or say why there is no picture: that is no reason to lose a run."""
    try:
        draw(folder)
    except UserError as error:
        console.print(f"no plot: {error}", markup=False)


def none(folder: Path) -> None:
    """Draws nothing."""
