"""Where steps end, at token level: a step ends with the token that completes a blank line."""

from __future__ import annotations

from typing import Any

BREAK = "\n\n"


class Boundaries:
    """Looks at each token once, so that finding a step's end costs a table lookup a token.

    Many tokens can end a step ("\\n\\n", ".\\n\\n", "$.\\n\\n", ...), and two can together ("\\n" and "\\n").
    """

    def __init__(self, tokenizer: Any) -> None:
        special = set(tokenizer.all_special_ids)
        count = len(tokenizer)
        texts = ["" if i in special else tokenizer.decode([i]) for i in range(count)]
        self.ends = [text.endswith(BREAK) for text in texts]
        self.blank = [not text.strip() for text in texts]
        self._opens = [text.startswith("\n") and not text.strip() for text in texts]
        self._closes = [text.endswith("\n") for text in texts]

    def ends_step(self, previous: int | None, token: int) -> bool:
        """Whether the text ends in a blank line after `token`."""
        return self.ends[token] or (previous is not None and self._opens[token] and self._closes[previous])
