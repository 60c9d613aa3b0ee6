"""The processes that torchrun starts."""

from __future__ import annotations

import sys


def part() -> None:
    """Leave the group, where there is one: a process that ends with the group's threads at work may abort instead."""
    if "torch" not in sys.modules:  # the stage needed none, and it takes a while to load
        return
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
