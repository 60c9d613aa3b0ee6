"""Runs -> the page: one file with everything in it, and a policy that lets nothing else run or load.

What records say comes into the page as JSON without a `<`, and as base64; the script puts it there as text. So no text
of a model is read as markup, whatever it holds.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from analysis.view.formulas import Formulas
from analysis.view.index import chunks, index
from analysis.view.run import Run

SCRIPTS = "data.js", "state.js", "formulas.js", "list.js", "tree.js", "steps.js", "panels.js", "keys.js", "main.js"
POLICY = "default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"


def page(runs: Sequence[Run], formulas: Formulas) -> Iterator[str]:
    """The parts of the file, in order. The searches are last: the list is there before they are read."""
    style = _file("style.css")
    script = "\n".join(["(() => {\n'use strict';", *map(_file, SCRIPTS), "})();"])
    texts = {
        "title": escape(" | ".join(run.title for run in runs)),
        "policy": POLICY.format(style=_hash(style), script=_hash(script)),
        "style": style,
        "index": _harmless(
            json.dumps(index(runs, formulas), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        ),
        "script": script,
    }
    before, after = Template(_file("page.html")).substitute(texts | {"chunks": "\0"}).split("\0")
    yield before
    for name, chunk in chunks(runs):
        yield f'<script type="text/plain" id="{name}">{chunk}</script>\n'
    yield after


def _file(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _harmless(text: str) -> str:
    r"""JSON that ends no element: < and > as \u003c and \u003e, which only strings hold. No half of a character."""
    return text.replace("<", r"\u003c").replace(">", r"\u003e").encode("utf-8", "replace").decode()
