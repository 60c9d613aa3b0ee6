"""`python -m ttcs.check` on the real engine: what an owner of a GPU runs first."""

from __future__ import annotations

import pytest

from tests.vllm.conftest import ENGINES
from ttcs.check import __main__ as command
from ttcs.policies.vllm import VLLMPolicy
from ttcs.prms.vllm import VLLMPRM


def test_all_is_well_with_the_zoo(
    policy: VLLMPolicy, prm: VLLMPRM, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the engines of the other tests, which are told apart by their shares of a GPU's memory."""
    monkeypatch.setattr(command, "divided", lambda config, both: config)
    command.main(ENGINES)
    said = capsys.readouterr().out
    for name in ("scores", "seeds", "continuation", "long prompt", "speed"):
        assert f"ok  {name}" in said
    assert "from those of transformers" in said and said.endswith("all is well\n")
