"""Which questions a verifier is not trained on, so that its training can be judged by them."""

from __future__ import annotations

import hashlib


def held_out(question: str, share: float) -> bool:
    """Whether a question is on the validation side, by a hash of its text: a question is never on both."""
    return int.from_bytes(hashlib.blake2b(f"split/{question}".encode(), digest_size=4).digest()) < share * 2**32
