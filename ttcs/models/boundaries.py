"""Where steps end, at token level: a step ends with the token that completes a blank line."""

from __future__ import annotations

import re
from typing import Any

BREAK = "\n\n"
BYTE = re.compile("<0x[0-9A-F]{2}>")  # as SentencePiece spells what it has no piece for; such bytes are read together


class Boundaries:
    """Looks at each token once, so that finding a step's end costs a table lookup a token.

    Many tokens can end a step ("\\n\\n", ".\\n\\n", "$.\\n\\n", ...), and two can together ("\\n" and "\\n").
    Tokens that the tokenizer does not have, with which some checkpoints pad their vocabulary, have no text.

    ends: tokens that end a step whatever comes before. solid: tokens that are more than white space. whole: of these
    the ones that no token before or behind them can change: they are no bytes of a character, and bytes before and
    behind them do not meet, as they do where a special token is left out.
    """

    def __init__(self, tokenizer: Any) -> None:
        special = set(tokenizer.all_special_ids)
        texts = {i: tokenizer.decode([i]) for i in range(len(tokenizer)) if i not in special}
        self.ends = frozenset(i for i, text in texts.items() if text.endswith(BREAK))
        self.solid = frozenset(i for i, text in texts.items() if text.strip())
        spelled = dict(zip(texts, tokenizer.convert_ids_to_tokens(list(texts)), strict=True))
        left_out = {i for i in tokenizer.added_tokens_decoder if not tokenizer.decode([i], skip_special_tokens=True)}
        parts = {i for i in self.solid if "\ufffd" in texts[i] or BYTE.fullmatch(spelled[i])}
        self.whole = self.solid - parts - left_out
        self._closes = frozenset(i for i, text in texts.items() if text.endswith("\n"))
        self._opens = frozenset(i for i, text in texts.items() if text.startswith("\n")) - self.solid

    def ends_step(self, previous: int | None, token: int) -> bool:
        """Whether the text ends in a blank line after `token`."""
        return token in self.ends or (token in self._opens and previous in self._closes)
