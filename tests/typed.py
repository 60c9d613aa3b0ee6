"""Commands as a person types them, in the process of the tests."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hydra.core.global_hydra import GlobalHydra

Main = Callable[..., tuple[int, str, str]]


def typed(
    name: str,
    command: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *given: str,
) -> Main:
    """Arguments, which follow those `given`, -> exit code, stdout and stderr of `python -m name`."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [name, *given, *arguments])
        GlobalHydra.instance().clear()
        try:
            command()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return call
