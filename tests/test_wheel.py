"""The wheel at work: in an environment of its own, far from the repository, with nothing but what it brings along."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PARTS = "ttcs", "analysis", "conf", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md"
ZOO, REST = 46_000_000, 1_500_000  # bytes, compressed, that the zoo's models and all else may have
QUICK = "policy=scripted", "prm=scripted", "dataset.limit=4", "n=4"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, as building leaves things behind."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(out), str(source))
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel and, of the environment at hand, all but the project."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, symlinks=True)
    found = place / "bin" / "python"
    pip("--python", str(found), "install", "--no-deps", "--no-index", str(wheel))
    (packages,) = place.glob("lib/python*/site-packages")
    # What a .pth adds is looked at last, and the .pth files in it are not: those of an installation to be edited.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return found


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment())
    assert ended.returncode == 0, ended.stderr


def environment() -> dict[str, str]:
    """Ours, but for what leads to the repository."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def run(place: Path, *command: str | Path) -> str:
    """What a command says that has to succeed, in a folder of its own."""
    ended = subprocess.run(command, capture_output=True, text=True, cwd=place, env=environment())
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_it_holds_the_packages_and_the_configuration_and_nothing_loose(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    ours = {path.relative_to(ROOT).as_posix() for name in ("ttcs", "analysis") for path in (ROOT / name).rglob("*")}
    assert {name for name in ours if (ROOT / name).is_file() and "__pycache__" not in name} <= set(names)
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "conf").rglob("*.yaml")}
    assert {name.removeprefix("ttcs/") for name in names if name.startswith("ttcs/conf/")} == wanted
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"ttcs", "analysis"}


def test_it_is_no_larger_than_its_models_make_it(wheel: Path) -> None:
    """The zoo is nearly all of it."""
    sizes = {entry.filename: entry.compress_size for entry in ZipFile(wheel).infolist()}
    zoo = sum(size for name, size in sizes.items() if name.startswith("ttcs/zoo/"))
    assert zoo < ZOO and sum(sizes.values()) - zoo < REST


def test_a_run_leaves_its_folder_where_one_stands(python: Path, tmp_path: Path) -> None:
    said = run(tmp_path, python, "-m", "ttcs", *QUICK)
    (summary,) = tmp_path.glob("outputs/**/summary.json")
    assert "accuracy" in said
    assert (summary.parent / "accuracy.png").is_file()
    assert run(tmp_path, python, "-c", "import ttcs; print(ttcs.__file__)").startswith(str(python.parents[1]))


def test_a_program_searches(python: Path, tmp_path: Path) -> None:
    code = "import ttcs; print(ttcs.solver('policy=scripted', 'prm=scripted', 'n=4').solve('1 + 1?').ledger)"
    assert run(tmp_path, python, "-c", code).startswith("Ledger(")
    assert not list(tmp_path.iterdir())


def test_the_zoo_runs_by_the_command_of_the_project(python: Path, tmp_path: Path) -> None:
    run(tmp_path, python.parent / "ttcs", "dataset.limit=2", "n=2")
    assert len(list(tmp_path.glob("outputs/zoo_zoo_zoo/*/*/records.jsonl"))) == 1


def test_figures_are_drawn(python: Path, tmp_path: Path) -> None:
    run(tmp_path, python, "-m", "ttcs", *QUICK, "hydra.run.dir=run")
    run(tmp_path, python, "-m", "analysis", "records=run", "figure=accuracy", "out=drawn")
    assert list((tmp_path / "drawn").rglob("*.png"))


def test_yamls_of_ones_own_are_found_in_a_folder_that_is_named(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "strategy").mkdir(parents=True)
    (tmp_path / "mine" / "strategy" / "few.yaml").write_text("_target_: ttcs.strategies.best_of_n.BestOfN\nn: 2\n")
    run(tmp_path, python.parent / "ttcs", *QUICK, "strategy=few", "--config-dir", "mine")
    assert list(tmp_path.glob("outputs/*/few_*/*/records.jsonl"))


MINE = """
from dataclasses import dataclass
from ttcs.core import Sample, Trajectory

@dataclass(frozen=True)
class Mine:
    n: int

    def search(self, problem):
        return (yield Sample((Trajectory(problem),) * self.n))
"""


@pytest.mark.parametrize("place", [".", "conf", "elsewhere"])
def test_a_strategy_of_ones_own_is_found_where_one_stands_and_by_its_yamls(
    place: str, python: Path, tmp_path: Path
) -> None:
    """Where `python -m ttcs` finds it, though an installed command has no working folder among its modules'."""
    yamls = tmp_path / ("elsewhere/conf" if place == "elsewhere" else "conf")
    (yamls / "strategy").mkdir(parents=True)
    (tmp_path / place / "mine.py").write_text(MINE)
    (yamls / "strategy" / "mine.yaml").write_text("_target_: mine.Mine\nn: ${n}\n")
    run(tmp_path, python.parent / "ttcs", *QUICK, "strategy=mine", "--config-dir", str(yamls))
    assert list(tmp_path.glob("outputs/*/mine_*/*/records.jsonl"))


def test_a_module_that_is_not_there_is_told_in_a_line(python: Path, tmp_path: Path) -> None:
    (tmp_path / "conf" / "strategy").mkdir(parents=True)
    (tmp_path / "conf" / "strategy" / "mine.yaml").write_text("_target_: mine.Mine\nn: ${n}\n")
    words = python.parent / "ttcs", *QUICK, "strategy=mine", "--config-dir", "conf"
    ended = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=environment())
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: strategy._target_=mine.Mine: there is no module mine")
    assert ended.stderr.count("\n") == 1
