from __future__ import annotations

import pytest
import torch

from ttcs.errors import EngineError, UserError, told


def raised(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_the_cause_that_a_user_can_act_on_is_told() -> None:
    assert str(told(raised(ValueError("in between"), UserError("n=0")))) == "n=0"
    assert told(raised(ValueError("a bug"), KeyError("another"))) is None


def test_out_of_memory_is_an_engine_giving_out() -> None:
    full = told(raised(ValueError("loading"), torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB\nmore")))
    assert isinstance(full, EngineError)
    assert str(full).endswith("takes less): CUDA out of memory. Tried 2 GiB")
    assert isinstance(told(MemoryError()), EngineError)
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**16)
    assert isinstance(told(caught.value), EngineError)
    assert told(RuntimeError("CUDA error: an illegal memory access was encountered")) is None
