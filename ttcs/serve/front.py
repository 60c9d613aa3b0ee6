"""The page at / where there are no searches to look into: what is served here, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'">
<title>ttcs.serve</title>
</head>
<body>
<h1>ttcs.serve</h1>
<p>Searches for any client of OpenAI's chat API, at <code>/v1</code>. Its models are these methods:</p>
<dl>
{methods}
</dl>
<p>{records}</p>
<p><a href="/health">/health</a> and <a href="/metrics">/metrics</a> say how it fares.</p>
</body>
</html>
"""
NOTHING_YET = "Nothing has been served yet. What is will be shown here."
NOT_KEPT = "What is served is not kept; with <code>serve.records=FOLDER</code> it is, and can be looked into here."


def page(methods: Mapping[str, Sequence[str]], kept: bool) -> str:
    """kept: whether what is served is on record."""
    rows = (
        f"<dt>{escape(name)}</dt><dd><code>{escape(' '.join(words))}</code></dd>" for name, words in methods.items()
    )
    return PAGE.format(methods="\n".join(rows), records=NOTHING_YET if kept else NOT_KEPT)
