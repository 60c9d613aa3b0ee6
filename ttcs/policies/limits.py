"""The checks that policies share on what they are told to keep to."""

from __future__ import annotations

from ttcs.errors import UserError


def check_step_tokens(step_tokens: int | None) -> None:
    if step_tokens is not None and step_tokens < 1:
        raise UserError(f"policy.step_tokens={step_tokens} is less than 1")


def check_sampling(temperature: float, top_p: float, top_k: int | None) -> None:
    if temperature < 0 or not 0 < top_p <= 1 or (top_k is not None and top_k < 1):
        raise UserError(
            f"temperature={temperature} must be >= 0, top_p={top_p} in (0, 1] and top_k={top_k} null or >= 1"
        )
