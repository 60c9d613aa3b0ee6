"""The processes that torchrun starts."""

from __future__ import annotations

from torch import distributed


def part() -> None:
    """Leave the group, where there is one: a process that ends with the group's threads at work may abort instead."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
