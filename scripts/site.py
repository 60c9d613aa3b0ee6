"""What the site changes of the pages: links to files of the repository, which it does not hold, become their names."""

from __future__ import annotations

import re
from typing import Any

OUTSIDE = re.compile(r"\[([^]]*)\]\(\.\./[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A hook of MkDocs, called with the text of every page."""
    return OUTSIDE.sub(r"`\1`", markdown)
