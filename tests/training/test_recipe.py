import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.errors import UserError
from ttcs.training.recipe import Recipe, Run


class Local(Recipe):
    """Runs Python one-liners instead of stages."""

    def commands(self, run):
        return [[sys.executable, "-c", run.stage]]


def test_stages_run_in_order_and_done_ones_are_left_alone(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("kept")
    runs = [
        Run(f"open({str(first)!r}, 'w').write('again')", str(first)),
        Run(f"open({str(second)!r}, 'w').write('made')", str(second)),
    ]
    Local(runs, 1).run()
    assert (first.read_text(), second.read_text()) == ("kept", "made")


def test_a_failing_stage_stops_the_recipe(tmp_path):
    with pytest.raises(UserError, match="failed"):
        Local([Run("raise SystemExit(3)", str(tmp_path / "x"))], 1).run()


def test_how_a_stage_is_spread():
    recipe = Recipe([], 3)
    assert len(recipe.commands(Run("s", "o"))) == 1
    assert "--nproc_per_node=3" in recipe.commands(Run("s", "o", "ranks"))[0]
    shards = recipe.commands(Run("s", "o", "shards"))
    assert [command[-1] for command in shards] == ["stage.shard=0", "stage.shard=1", "stage.shard=2"]


def test_an_ordinary_run_is_typed_as_it_is_and_stages_get_the_overrides():
    recipe = Recipe([], 2, ["seed=3"])
    run = Run("samples", "o", arguments=["n=64"], module="ttcs")
    assert recipe.commands(run) == [[sys.executable, "-m", "ttcs", "n=64"]]
    assert recipe.commands(Run("s", "o", arguments=["stage.start=m"]))[0][-2:] == ["seed=3", "stage.start=m"]
    assert recipe.commands(Run("s", "o"))[0][-2:] == ["stage=s", "seed=3"]
    assert all(
        "seed=3" in command for spread in ("ranks", "shards") for command in recipe.commands(Run("s", "o", spread))
    )


PLACES = "the_work/", "the_zoo/"  # where all that the recipes make goes
WRITTEN = {"out", "work", "hydra.run.dir"}
CHAINS = {file.stem for file in (CONF / "stage").glob("zoo_chains_*.yaml")}


@cache
def stage(name: str) -> Mapping[str, object]:
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("training", [f"stage={name}", "work=the_work", "zoo=the_zoo", "seed=3"])
    return OmegaConf.to_container(config, resolve=True)["stage"]


def texts(node: object, name: str = "") -> Iterator[tuple[str, str]]:
    """(the key it stands under, a text) for all texts of a stage."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from texts(value, name=key)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value, name)
    elif isinstance(node, str):
        yield name, node


def inputs(run: Mapping[str, object]) -> Iterator[str]:
    """Files and folders of the recipe that a run of it reads."""
    found = texts(stage(run["stage"])) if "module" not in run else (word.split("=", 1) for word in run["arguments"])
    yield from (text for name, text in found if text.startswith(PLACES) and name not in WRITTEN)


@pytest.mark.parametrize("recipe", ["zoo", "zoo_chains"])
def test_what_a_stage_reads_an_earlier_one_has_made(recipe: str) -> None:
    made: list[str] = []
    for run in stage(recipe)["runs"]:
        if run["stage"] == "zoo_chains":
            continue
        for read in inputs(run):
            folders = {str(Path(place).parent) for place in made if place.endswith(".jsonl")}
            found = read in folders or any(read == place or read.startswith(f"{place}/") for place in made)
            assert found, (run["stage"], read)
        made.append(str(Path(run["out"]).parent) if "module" in run else stage(run["stage"])["out"])


def test_no_run_is_within_the_folder_of_another() -> None:
    """Who reads the records of a run reads all that are below its folder."""
    runs = [run for name in ("zoo", "zoo_chains") for run in stage(name)["runs"] if "module" in run]
    folders = [Path(run["out"]).parent for run in runs]
    others = [Path(run["out"]) for name in ("zoo", "zoo_chains") for run in stage(name)["runs"] if "out" in run]
    assert len(set(folders)) == len(folders)
    assert not [(one, other) for one in folders for other in others if one in other.parents and one != other.parent]


@pytest.mark.parametrize("recipe", ["zoo", "zoo_chains"])
def test_a_stage_is_done_when_all_it_makes_is_there(recipe: str) -> None:
    """Of several shards one may be there and others not, so they are done with what the next stage makes of them."""
    runs = stage(recipe)["runs"]
    for run, following in zip(runs, [*runs[1:], None], strict=True):
        if "module" in run or run["stage"] == "zoo_chains":
            continue
        if run.get("spread") == "shards":
            assert run["out"] == following["out"] == stage(following["stage"])["out"]
        else:
            assert run["out"] == stage(run["stage"])["out"]


def test_the_seed_is_handed_on_to_runs_that_are_no_stages() -> None:
    words = [run["arguments"] for name in ("zoo", "zoo_chains") for run in stage(name)["runs"] if "module" in run]
    assert len(words) == 6 and all("seed=3" in arguments for arguments in words)
    assert [stage(name)["seed"] for name in ("zoo_train", "zoo_chains_train")] == [331, 331]


def test_the_whole_zoo_ends_with_the_chains_and_these_with_all_their_models() -> None:
    last = stage("zoo")["runs"][-1]
    assert (last["stage"], last["arguments"]) == ("zoo_chains", ["stage.processes=2"])
    assert {run["stage"] for run in stage("zoo_chains")["runs"] if "module" not in run} == CHAINS - {
        "zoo_chains_graded_validation"  # what verifiers are judged by
    }
