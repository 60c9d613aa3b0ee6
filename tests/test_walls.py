"""The walls of the house: who may know of whom. Read from the imports, those within functions too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HYDRA = {"hydra", "omegaconf"}
COMMANDS = {"ttcs/__main__.py", "ttcs/merge.py", "ttcs/pools.py", "ttcs/replay.py"}
# From the bottom up: a wing knows what stands before it, and nothing that stands behind.
WINGS = (
    "errors", "core", "config", "answers", "zoo", "models", "servers", "vllm", "problems", "search", "choice",
    "strategies", "policies", "prms", "records", "running", "solving",
)  # fmt: skip


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a module imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def broken(package: str, names: set[str], free: set[str] = frozenset()) -> list[str]:
    """`file:line imports name` for each import of one of the packages `names` outside of the folders and files free."""
    return [
        f"{path}:{line} imports {name}"
        for file in modules(package)
        if (path := file.relative_to(ROOT).as_posix()) not in free
        and not any(path.startswith(f"{folder}/") for folder in free)
        for line, name in imports(file)
        if name.partition(".")[0] in names
    ]


def test_ttcs_never_imports_analysis() -> None:
    """Data flows one way: what both need stands in ttcs, and pictures are named by the configuration."""
    assert broken("ttcs", {"analysis", "matplotlib"}) == []


def test_only_configuration_running_and_commands_know_hydra() -> None:
    commands = {file.relative_to(ROOT).as_posix() for file in (ROOT / "ttcs").glob("*/__main__.py")}
    assert broken("ttcs", HYDRA, {"ttcs/config", "ttcs/running", *COMMANDS, *commands}) == []


def test_only_models_know_torch() -> None:
    heavy = {"torch", "transformers", "vllm", "safetensors", "tokenizers", "peft", "accelerate"}
    free = {"ttcs/models", "ttcs/policies", "ttcs/prms", "ttcs/training", "ttcs/vllm", "ttcs/zoo"}
    assert broken("ttcs", heavy, free) == []


def test_the_core_stands_on_nothing() -> None:
    for wing in ("core", "errors"):
        files = [ROOT / "ttcs" / f"{wing}.py"] if (ROOT / "ttcs" / f"{wing}.py").exists() else modules(f"ttcs/{wing}")
        assert [name for file in files for _, name in imports(file) if name.startswith(("ttcs.", "analysis"))
                and not name.startswith(f"ttcs.{wing}.")] == []  # fmt: skip


@pytest.mark.parametrize("wing", WINGS)
def test_no_arrow_runs_upward(wing: str) -> None:
    above = set(WINGS[WINGS.index(wing) + 1 :])
    files = [ROOT / "ttcs" / f"{wing}.py"] if (ROOT / "ttcs" / f"{wing}.py").exists() else modules(f"ttcs/{wing}")
    assert files
    assert [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in files
        for line, name in imports(file)
        if name.startswith("ttcs.") and name.split(".")[1] in above
    ] == []


def test_a_broken_wall_is_told_by_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "ttcs" / "records").mkdir(parents=True)
    (tmp_path / "ttcs" / "records" / "a.py").write_text("import json\n\ndef f():\n    from analysis.runs import load\n")
    assert broken("ttcs", {"analysis"}) == ["ttcs/records/a.py:4 imports analysis.runs.load"]


def test_wings_are_named_once() -> None:
    assert all(one != other for one, other in pairwise(sorted(WINGS)))
