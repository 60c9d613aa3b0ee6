import sys

import pytest

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
