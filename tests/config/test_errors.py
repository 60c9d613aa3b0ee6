from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from ttcs.config.explain import answering
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


def test_a_warning_is_one_line_at_once_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    with answering():
        for _ in range(2):
            warnings.warn("two\n  lines", stacklevel=1)
        assert capsys.readouterr().err == "warning: two lines\n"
        with answering():
            warnings.warn("two\n  lines", stacklevel=1)
            warnings.warn("another", stacklevel=1)
        assert capsys.readouterr().err == "warning: another\n"


def test_what_no_file_can_hold_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"), answering():
        (tmp_path / "x").write_text("a system prompt of \ud83d")
    assert capsys.readouterr().err == (
        "error: half a surrogate pair (\\ud83d), which is no character, after 'a system prompt of '\n"
    )
