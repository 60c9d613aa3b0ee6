"""The notebooks: committed without outputs, and executed as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
LONGEST = 600  # seconds of a cell, on a machine that others use too


@pytest.fixture(params=NOTEBOOKS, ids=lambda file: file.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_there_are_three_and_the_page_names_them() -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 3
    assert [file.name for file in NOTEBOOKS if f"../examples/{file.name}" not in page] == []


def test_it_is_committed_without_outputs(notebook: Path) -> None:
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert cells and [cell for cell in cells if cell["outputs"] or cell["execution_count"] is not None] == []


@pytest.mark.slow
def test_it_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install nbclient ipykernel")
    client = pytest.importorskip("nbclient", reason="pip install nbclient ipykernel")
    pytest.importorskip("ipykernel", reason="pip install nbclient ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    content = nbformat.read(notebook, as_version=4)
    client.NotebookClient(
        content, timeout=LONGEST, startup_timeout=LONGEST, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    said = shown(content)
    assert "error:" not in said and "Traceback" not in said  # of commands, whose failure stops no notebook
    assert [word for word in EXPECTED[notebook.stem] if word not in said] == []


EXPECTED = {
    "first_search": ["weighted vote of 8", "tokens per problem", "of the weight"],
    "own_strategy": ["second thoughts, 4 + 4", "of 20 right", "tokens decoded"],
    "adaptive_frontier": ["minus all n", "frontier.png", "image/png", "of at most 16 samples"],
}


def shown(content: Any) -> str:
    """Everything that the cells have put out, as text."""
    return json.dumps([cell.get("outputs", []) for cell in content.cells])
