"""What stages leave behind."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ttcs.training.output import begun, finished


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_who_may_read_the_folder_may_read_the_weights(tmp_path: Path, mode: int, there: bool) -> None:
    out = tmp_path / "model"
    if there:
        out.mkdir()
    part = begun(out)
    part.chmod(mode)
    weights = part / "deep" / "model.safetensors"
    weights.parent.mkdir()
    weights.touch(0o600)
    finished(out)
    found = stat.S_IMODE((out / "deep" / "model.safetensors").stat().st_mode)
    assert found == mode & 0o666
    assert not part.exists()
