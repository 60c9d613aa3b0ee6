"""The check that policies share on what they are told to keep to."""

from __future__ import annotations

from ttcs.errors import UserError


def check_step_tokens(step_tokens: int | None) -> None:
    if step_tokens is not None and step_tokens < 1:
        raise UserError(f"policy.step_tokens={step_tokens} is less than 1")
