"""Rows, and files of them, for the tests of curation."""

import json
from dataclasses import replace

from ttcs.curation.row import Entry, Row

ROW = Row("a", "What is 1 + 1?", "One and one.", r"It is \boxed{2}.", "2", "algebra", "traces")


def row(**changes):
    return replace(ROW, **changes)


def entry(number, domain="d", length=None, question=None, characters=10):
    key = f"traces/{number}"
    return Entry(number, key, "traces", question or f"q{number}", domain, length, characters)


def line(number, **changes):
    """A sound row of a source."""
    content = {
        "id": f"r{number}",
        "question": f"How much is {number} and one more?",
        "thinking": f"Count on from {number}. " * (1 + number % 7),
        "answer": rf"It is \boxed{{{number + 1}}}.",
        "reference": str(number + 1),
        "domain": f"domain {number % 3}",
    }
    return content | changes


def write(path, lines):
    path.write_text("".join(json.dumps(content) + "\n" for content in lines), encoding="utf-8")
    return path


def read(path):
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
