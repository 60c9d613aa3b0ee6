"""Answers as text: find the final one, compare two, sort many into groups."""

from ttcs.answers.choice import chosen
from ttcs.answers.extraction import extract
from ttcs.answers.grouping import equivalent, group

__all__ = ["chosen", "equivalent", "extract", "group"]
