"""README and docs name what there is: pages, paths, modules, commands, options; what is generated is up to date."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import ttcs
from ttcs.config.commands import COMMANDS
from ttcs.config.options import CONF, comment
from ttcs.config.page import page
from ttcs.strategies.dvts import DVTS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HOUSE = [ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
# What a reader is told to write, and what a command writes.
MADE = {
    *("ttcs/prms/lines.py", "conf/prm/lines.yaml", "ttcs.prms.lines.Lines"),
    *("ttcs/strategies/my_search.py", "conf/strategy/my_search.yaml", "ttcs.strategies.my_search.MySearch"),
    *("conf/launcher/gpu.yaml", "benchmarks/results.json", "conf/GROUP/OPTION.yaml"),
}
PATH = re.compile(r"(?<![\w/.-])((?:ttcs|analysis|conf|benchmarks|tests|scripts)/[\w./-]*\w)(?![\w*{/])")
MODULE = re.compile(r"(?<![\w./-])((?:ttcs|analysis|benchmarks)(?:\.\w+)+)(?![\w./(])")
COMMAND = re.compile(r"(?:python|torchrun[^\n]*) -m\s+([\w.]+)")
OPTION = re.compile(r"(?<![\w.+/@])(/?[a-z]+(?:/[a-z]+)?)=([\w,]+)(?![\w/.=*:-])")
WIDTH = 120


@pytest.fixture(params=[*PAGES, *HOUSE], ids=lambda file: file.relative_to(ROOT).as_posix())
def file(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def anchors(file: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead(file: Path) -> Iterator[str]:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", file.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        other = file.parent / target if target else file
        if not other.exists() or (anchor and anchor not in anchors(other)):
            yield f"{target}#{anchor}"


def test_every_link_leads_somewhere(file: Path) -> None:
    assert list(dead(file)) == []


def test_every_path_and_module_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    missing = {name for name in PATH.findall(text) if not (ROOT / name).exists()}
    missing |= {name for name in MODULE.findall(text) if not name.endswith(".md") and not known(name)}
    assert missing - MADE == set()


def known(name: str) -> bool:
    """A package, a module, or something in one of them: `ttcs.planning`, `ttcs.core.Problem`, `ttcs.solver`."""
    if name.removeprefix("ttcs.") in (*ttcs.__all__, "__all__"):
        return True
    whole = ROOT / name.replace(".", "/")
    places = [whole, whole.parent] if whole.name.istitle() or name.count(".") > 1 else [whole]
    return any(place.is_dir() or place.with_suffix(".py").exists() for place in places)


def test_every_command_is_one_of_the_table(file: Path) -> None:
    named = COMMAND.findall(file.read_text(encoding="utf-8"))
    ours = {name for name in named if name.partition(".")[0] in ("ttcs", "analysis")}
    assert ours - {command.name for command in COMMANDS} - {"ttcs.config.page"} == set()


def test_every_option_is_there(file: Path) -> None:
    given = OPTION.findall(file.read_text(encoding="utf-8"))
    groups = {group: {file.stem for file in (CONF / group).glob("*.yaml")} for group, _ in given}
    unknown = {f"{group}={option}" for group, options in given if groups[group]
               for option in options.split(",") if option.islower() and option not in groups[group]}  # fmt: skip
    assert unknown - {"prm=lines", "strategy=my_search", "launcher=gpu", "answer=gold"} == set()


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in PAGES[1:] if file.stem != "README" and f"({file.name})" not in index] == []


def test_the_readme_is_three_screens() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120 and max(map(len, lines)) <= WIDTH


def test_the_readme_has_dvts_as_it_is() -> None:
    code = "\n\n".join(dedent(inspect.getsource(method)) for method in (DVTS.search, DVTS.grow))
    assert f"<!-- dvts -->\n```python\n{code}```\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_options_is_that_of_conf() -> None:
    content = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert page(content) == content, "python -m ttcs.config.page writes it anew"


@pytest.mark.parametrize("option", sorted(set(CONF.glob("*/**/*.yaml")) - set(CONF.glob("hydra/help/*"))), ids=str)
def test_an_option_says_in_one_line_what_it_is(option: Path) -> None:
    assert comment(option).endswith((".", ").")), comment(option)
