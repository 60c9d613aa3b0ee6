"""Every figure that the records allow."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.figures.figure import Figure, Output
from analysis.runs.load import Records, RecordsError


@dataclass(frozen=True, slots=True)
class Paper:
    """The outputs of several figures; a warning says of each that is not possible what is missing."""

    figures: Mapping[str, Figure]

    def panels(self, records: Records) -> Sequence[Output]:
        found: list[Output] = []
        for name, figure in self.figures.items():
            try:
                found += figure.panels(records)
            except RecordsError as error:
                warnings.warn(f"no figure={name}: {error}", stacklevel=2)
        if not found:
            raise RecordsError(f"these records allow none of the figures {', '.join(self.figures)}")
        return found
