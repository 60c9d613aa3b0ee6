"""The site: it is built without a broken link, and its page of the API has every public name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ttcs

ROOT = Path(__file__).parents[1]


def test_the_page_of_the_api_names_what_is_public() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("::: ")}
    assert {*ttcs.__all__} - {"__version__"} <= named


@pytest.mark.slow
def test_it_is_built_without_a_broken_link(tmp_path: Path) -> None:
    for package in ("material", "mkdocstrings_handlers.python"):
        pytest.importorskip(package, reason="pip install -e '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    api = (tmp_path / "site" / "api" / "index.html").read_text(encoding="utf-8")
    assert all(f'id="{name}"' in api for name in ("ttcs.solving.solver.Solver.map", "ttcs.solving.found.Found.answers"))
    assert "../../conf" not in (tmp_path / "site" / "zoo" / "index.html").read_text(encoding="utf-8")
