"""Every command is named in one table, and its --help begins with the line that stands there."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.typed import typed
from ttcs.config.commands import COMMANDS, Command, others

ROOT = Path(__file__).parents[2]
PACKAGES = "ttcs", "analysis", "benchmarks"
Help = Callable[..., tuple[int, str, str]]


def modules() -> set[str]:
    """What `python -m` starts: packages with a `__main__`, and modules that lie beside the wings."""
    mains = [file.parent for package in PACKAGES for file in (ROOT / package).rglob("__main__.py")]
    loose = [file for file in (ROOT / "ttcs").glob("*.py") if '__name__ == "__main__"' in file.read_text("utf-8")]
    files = [*mains, *(file.with_suffix("") for file in loose if file.stem != "__main__")]
    return {".".join(file.relative_to(ROOT).parts) for file in files}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Help:
    """Exit code, stdout and stderr of `python -m name ...`."""
    monkeypatch.chdir(tmp_path)

    def call(name: str, *arguments: str) -> tuple[int, str, str]:
        if not hasattr(sys.modules.get(name), "__path__"):  # a module that was imported before would be warned of; a
            monkeypatch.delitem(sys.modules, name, raising=False)  # package would come back without its parts
        monkeypatch.delitem(sys.modules, f"{name}.__main__", raising=False)
        return typed(name, lambda: runpy.run_module(name, run_name="__main__"), monkeypatch, capsys)(*arguments)

    return call


def test_the_table_names_every_command() -> None:
    names = [command.name for command in COMMANDS]
    assert sorted(names) == sorted(modules())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_one_form(command: Command, shown: Help, tmp_path: Path) -> None:
    code, out, err = shown(command.name, "--help")
    assert (code, err) == (0, "")
    first, blank, usage, *rest = out.splitlines()
    assert (first, blank) == (command.purpose, "")
    assert usage.startswith(f"Usage: python -m {command.name} ")
    assert rest[:3:2] == ["", ""] and rest[1] == "Examples:"
    assert rest[3].startswith((f"  python -m {command.name}", "  torchrun"))
    assert any("--help" in line or "--cfg job" in line for line in rest)
    assert not list(tmp_path.iterdir())


def test_the_first_command_lists_the_others(shown: Help) -> None:
    assert others("ttcs") in shown("ttcs", "--help")[1]
    assert len(others("ttcs").splitlines()) == len(COMMANDS) - 1


def test_the_values_of_a_stage(shown: Help) -> None:
    out = shown("ttcs.training", "--help", "stage=zoo_validation")[1]
    assert "  * zoo_validation " in out and "ttcs.training." in out.partition("Configuration")[2]


def test_a_training_without_a_stage_names_them(shown: Help) -> None:
    code, out, err = shown("ttcs.training")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: which stage? say stage=NAME; there are ") and " zoo_prm," in err


def test_the_configuration_of_a_plan(shown: Help) -> None:
    code, out, _ = shown("ttcs.planning", "--cfg", "job", "gpu=l4", "n=64")
    assert code == 0 and "name: l4" in out and "'n': 64" in out
