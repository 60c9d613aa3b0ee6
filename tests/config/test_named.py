"""Components in modules of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ttcs.config.named import beside, named, reachable
from ttcs.errors import UserError


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "conf").mkdir()
    (tmp_path / "own_search.py").write_text("class Mine:\n    class Inner: ...\n")
    (tmp_path / "conf" / "own_rule.py").write_text("import nowhere_to_be_found\n")
    reachable(*beside(tmp_path / "conf"))
    return tmp_path


def test_they_are_found_in_the_folder_of_ones_yamls_and_beside_it(own: Path) -> None:
    assert named("own_search.Mine", "strategy").__name__ == "Mine"
    assert named("own_search.Mine.Inner", "strategy").__name__ == "Inner"
    before = len(sys.path)
    reachable(own)
    assert len(sys.path) == before


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "theirs.Mine",
            r"there is no module theirs, neither installed nor in .* nor beside --config-dir",
        ),
        ("own_search.Theirs", "own_search has no Theirs"),
        ("ttcs.strategies.mine.Mine", "ttcs.strategies has no mine.Mine"),
        ("own_rule.Rule", "own_rule needs nowhere_to_be_found, which is not installed"),
        ("Mine", "is not of the form module.Name"),
        (None, "is not of the form module.Name"),
    ],
)
def test_what_is_not_there_is_told_in_a_line(target: str | None, line: str, own: Path) -> None:
    with pytest.raises(UserError, match=f"^strategy._target_={target}:? {line}$"):
        named(target, "strategy")
