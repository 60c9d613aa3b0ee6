"""The page in a real browser: it opens from disk, is driven by keys, and says nothing to any network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.view.__main__ import view
from tests.analysis.view.browser import Page, browser, program
from tests.analysis.view.runs import GOLDEN, copied, hostile, wrong

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(program() is None, reason="no Chromium (apt-get install chromium)"),
]
HERE = "document.querySelector('#problem h1').textContent"
ROWS = "document.querySelectorAll('#list li').length"
STEP = "[...document.querySelectorAll('.steps li')].findIndex((step) => step.hasAttribute('data-here'))"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and another one that answers its first problem wrongly."""
    folder = tmp_path_factory.mktemp("pair")
    return view([GOLDEN / "run", copied(folder / "other", wrong)], folder / "pair.html")


@pytest.fixture(autouse=True)
def nothing_went_wrong(page: Page) -> Iterator[None]:
    page.errors.clear()
    yield
    assert page.errors == []


def test_a_search_is_drawn(page: Page, pair: Path) -> None:
    page.open(pair)
    page.ask("document.querySelectorAll('details').forEach((panel) => { panel.open = true; })")
    page.wait("document.querySelector('.settings') !== null")
    for selector, count in (
        ("article", 2),
        ("#list li", 3),
        ("svg.map", 2),
        ("article:first-child .candidates tbody tr", 8),
    ):
        assert page.ask(f"document.querySelectorAll({selector!r}).length") == count, selector
    drawn = page.ask("document.querySelectorAll('article:first-child g.step').length")
    assert drawn == page.ask("document.querySelector('svg.map').getAttribute('aria-label').match(/\\d+/)[0] * 1") > 8
    assert "won" in page.ask("document.querySelector('g.step.chosen').getAttribute('class')")
    assert page.ask("document.querySelector('.vote tr.chosen .said').textContent") == "4"


def test_keys(page: Page, pair: Path) -> None:
    page.open(pair)
    seen = [page.ask(HERE)]
    for key in "jjjk":
        page.press(key)
        seen.append(page.ask(HERE))
    assert [text[-1] for text in seen] == ["a", "b", "c", "c", "b"]
    last = page.ask(STEP)
    page.press("h")
    assert page.ask(STEP) == last - 1
    page.press("l")
    assert page.ask(STEP) == last
    page.press("]")
    moved = page.ask("location.hash")
    assert "step0=" in moved
    page.press("x")
    page.press("]")
    assert "step1=" in page.ask("location.hash")
    page.press("c")
    assert page.ask("document.querySelectorAll('article').length") == 1
    page.press("?")
    assert page.ask("document.querySelector('dialog').open") is True
    assert page.ask("document.querySelectorAll('dialog kbd').length") == 15
    page.press("?")
    assert page.ask("document.querySelector('dialog').open") is False


def test_filters(page: Page, pair: Path) -> None:
    page.open(pair)
    page.press("u")  # one right, one wrong
    assert page.ask(ROWS) == 1
    page.press("u")
    page.press("u")
    assert page.ask(ROWS) == 3
    page.press("r")
    page.press("r")  # wrong in one of them
    assert page.ask(ROWS) == 1
    page.open(pair)
    page.press("/")
    for key in "11":
        page.press(key)
    assert page.ask(ROWS) == 1 and page.ask("document.querySelector('#count').textContent").startswith(
        "1 of 3 problems"
    )


def test_levels(page: Page, tmp_path: Path) -> None:
    """Those that there are, in their order; nothing to choose from where there are none."""

    def levelled(*levels: int | None) -> Path:
        def change(rows: list[dict[str, Any]]) -> None:
            for row, level in zip(rows, levels, strict=True):
                row["level"] = level

        return view([copied(tmp_path / f"{levels[0]}", change)], tmp_path / f"{levels[0]}.html")

    page.open(levelled(10, 2, 10))
    assert page.ask("[...document.querySelectorAll('#level option')].map((one) => one.value)") == ["all", "2", "10"]
    for level, told in (("10", ["level 10", "level 10"]), ("2", ["level 2"]), ("all", ["10", "2", "10"])):
        chosen = f"Object.assign(document.querySelector('#level'), {{ value: '{level}' }})"
        page.ask(f"{chosen}.dispatchEvent(new Event('change'))")
        shown = page.ask("[...document.querySelectorAll('#list small')].map((one) => one.textContent)")
        assert len(shown) == len(told) and all(one in text for one, text in zip(told, shown, strict=True)), level
    page.open(levelled(None, None, None))
    assert page.ask("document.querySelector('#level').hidden") is True and page.ask(ROWS) == 3


def test_the_address_leads_back(page: Page, pair: Path) -> None:
    page.open(pair, "problem=c&runs=1&step0=0&theme=dark")
    assert page.ask(HERE).endswith("c") and page.ask("document.querySelectorAll('article').length") == 1
    assert page.ask(STEP) == 0
    assert page.ask("document.documentElement.dataset.theme") == "dark"


def test_light_and_dark(page: Page, pair: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page.open(pair, scheme="light")
    light = page.ask(background)
    page.open(pair, scheme="dark")
    dark = page.ask(background)
    assert light != dark
    page.press("d")
    assert page.ask(background) == light
    page.press("d")
    assert page.ask(background) == dark


def test_markup_in_a_record_stays_text(page: Page, tmp_path: Path) -> None:
    page.open(view([copied(tmp_path / "run", hostile)], tmp_path / "hostile.html"))
    assert page.ask("document.querySelector('.steps p').textContent").startswith("</script><script>")
    assert page.ask("document.title") == "best_of_n, n = 8, weighted"
    assert page.ask("document.querySelectorAll('img').length") == 0


def test_formulas_are_typeset(page: Page, tmp_path: Path) -> None:
    pytest.importorskip("latex2mathml")
    half = r"\frac{1}{2}"

    def change(rows: list[dict[str, Any]]) -> None:
        for part in rows[0]["tree"]:
            part["text"] = f"It costs $5: ${half}$, and $\\frac{{$ is none."
        for part in rows[0]["candidates"]:
            part["answer"] = half
        rows[0]["answer"] = half

    page.open(view([copied(tmp_path / "run", change)], tmp_path / "formulas.html"))
    step = "document.querySelector('.steps p')"
    assert page.ask(f"{step}.textContent").startswith("It costs $5: 12, and $\\frac{$")
    assert page.ask(f"{step}.querySelector('math').parentNode.title") == f"${half}$"
    height = "document.querySelector('.steps mfrac').getBoundingClientRect().height"
    assert page.ask(height) > page.ask("document.querySelector('.steps mn').getBoundingClientRect().height")
    for answer in (".answer b", ".vote .said"):
        assert page.ask(f"document.querySelector('{answer} mfrac') !== null"), answer


def test_a_tall_tree_shows_what_is_read(page: Page, tmp_path: Path) -> None:
    def many(rows: list[dict[str, Any]]) -> None:
        steps = range(len(rows[0]["tree"]), 400)
        rows[0]["tree"] += [dict(rows[0]["tree"][0], node=at) for at in steps]

    file = view([copied(tmp_path / "run", many)], tmp_path / "tall.html")
    frame = "document.querySelector('.tree .scroll')"
    page.open(file, "problem=a&step0=0")
    assert page.ask(f"{frame}.scrollHeight > 2 * {frame}.clientHeight") and page.ask(f"{frame}.scrollTop") == 0
    page.open(file, "problem=a&step0=399")
    assert page.ask(f"{frame}.scrollTop + {frame}.clientHeight > {frame}.scrollHeight - 2")


@pytest.mark.parametrize("width", [360, 760, 1280])
def test_nothing_sticks_out(page: Page, pair: Path, width: int) -> None:
    page.open(pair, width=width)
    assert page.ask("document.documentElement.scrollWidth <= innerWidth")
    inside = "[...document.querySelectorAll('aside, article')].filter((one) => one.scrollWidth > one.clientWidth)"
    assert page.ask(f"{inside}.map((one) => one.tagName)") == []
