"""Text as files and tokenizers can hold it.

JSON, and so what servers send, can escape half of a surrogate pair, as where an emoji was cut in two. That is no
character: no file in UTF-8 holds it and no tokenizer reads it. It is read as U+FFFD, which stands for what is none.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

HALF = re.compile(r"[\ud800-\udfff]")
ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")  # in JSON; of whole pairs too


def whole(text: str) -> str:
    """Two halves that stand together become the character they are, any other half U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if HALF.search(text) else text


def mended(content: Any) -> Any:
    """What JSON holds, all of its strings `whole`."""
    if isinstance(content, str):
        return whole(content)
    if isinstance(content, dict):
        return {whole(key): mended(value) for key, value in content.items()}
    return [mended(value) for value in content] if isinstance(content, list) else content


def parsed(text: str) -> Any:
    """JSON, mended. ValueError for what is none."""
    content = json.loads(text)
    return mended(content) if ESCAPED.search(text) else content


def broken(text: str) -> bool:
    """Whether it holds half a surrogate pair, other than those by which a locale of ASCII spells UTF-8."""
    if not HALF.search(text):
        return False
    try:
        os.fsencode(text).decode()
    except UnicodeError:
        return True
    return False
