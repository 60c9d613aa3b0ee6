"""The canonical form of an answer."""

from dataclasses import dataclass


class Undecided(Exception):
    """Raised where an answer needs symbolic mathematics to be put in canonical form."""


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer means, as text that can be hashed.

    Two answers are equal where their keys are, or where the key of one is among the readings of the other: `y = 2x + 3`
    has a key of its own (the line) and the reading `2x + 3`. Two readings are never compared with each other, so 52_8
    and 52_9, both of which may be written 52, stay different.
    """

    key: str
    readings: tuple[str, ...] = ()

    def equals(self, other: "Form") -> bool:
        return self.key == other.key or self.key in other.readings or other.key in self.readings
