"""At which tokens an engine stops by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# vLLM goes through the list for every token that it writes: Llama's tokenizer has 587 tokens that end a step, and
# looking for all of them costs more than the rest of what the engine does for a token. Solutions hold about 40.
MOST = 64


def frequent(boundaries: Iterable[int], tokenizer: Any) -> list[int]:
    """Those tokens that end most steps, `MOST` at most: the shortest, and of these the ones with the lowest ids.

    A blank line alone and one behind a single sign come first. Ids rise as a tokenizer's training has come upon the
    tokens, the frequent ones first.
    """
    return sorted(boundaries, key=lambda token: (len(tokenizer.decode([token])), token))[:MOST]
