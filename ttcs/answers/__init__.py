"""Answers as text: find the final one (extraction), compare two and sort many into groups (grouping).

A comparison goes by kinds, from the cheapest: the same text (exact, clean), numbers (scalar, rational), sets, points,
intervals and regions, then algebra (symbolic). `process` has it done in processes of its own, which a hostile text may
hold up or kill.
"""

from ttcs.answers.choice import chosen
from ttcs.answers.extraction import extract
from ttcs.answers.grouping import equivalent, group

__all__ = ["chosen", "equivalent", "extract", "group"]
