"""The stage that has a PRM score labelled solutions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.solutions import lines, write
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.prms.scripted import ScriptedPRM
from ttcs.training.evaluate import Evaluate, scored, trajectory
from ttcs.training.labelled import Labelled

COUNT = 40


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    folder = write(tmp_path / "rollouts", lines(COUNT))

    def made(limit: int | None = None, **settings: float) -> Evaluate:
        prm = {"_target_": "ttcs.prms.scripted.ScriptedPRM", "capacity": 7, "shuffle": True, **settings}
        source = {"_target_": "ttcs.training.rollout_file.RolloutFolder", "folder": folder}
        return Evaluate(str(tmp_path / "scores"), "scripted", prm, source, limit)

    return made


def read(tmp_path: Path) -> list[dict[str, Any]]:
    text = (tmp_path / "scores" / "scripted" / "scores.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_scores_stand_beside_the_labels_of_their_solution(stage: Any, tmp_path: Path) -> None:
    stage().run()
    first, *rows = read(tmp_path)
    assert first["settings"]["prm._target_"] == "ttcs.prms.scripted.ScriptedPRM"
    for row, made in zip(rows, lines(COUNT), strict=True):
        solution = Labelled(Problem(made["problem_id"], made["question"]), tuple(made["steps"]), tuple(made["labels"]))
        assert {key: row[key] for key in ("problem_id", "question", "steps", "labels")} == {
            key: made[key] for key in ("problem_id", "question", "steps", "labels")
        }
        assert row["scores"] == list(ScriptedPRM().judged(trajectory(solution)).scores)


def test_a_killed_evaluation_goes_on(stage: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage().run()
    file = tmp_path / "scores" / "scripted" / "scores.jsonl"
    whole = file.read_text()
    kept = whole.splitlines(keepends=True)
    file.write_text("".join(kept[:12]) + kept[12][:20])
    stage().run()
    assert file.read_text() == whole
    assert f"{COUNT} solutions scored, 11 of them before" in capsys.readouterr().out
    stage().run()
    assert file.read_text() == whole


def test_the_first_so_many(stage: Any, tmp_path: Path) -> None:
    stage(5).run()
    assert len(read(tmp_path)) == 6
    stage().run()
    assert len(read(tmp_path)) == COUNT + 1


def test_scores_of_another_prm_or_of_other_solutions_are_not_added_to(stage: Any, tmp_path: Path) -> None:
    stage(5).run()
    with pytest.raises(UserError, match=r"made with other settings: prm.quality is absent there and 0.1 here"):
        stage(quality=0.1).run()
    (tmp_path / "rollouts" / "0.jsonl").write_text(json.dumps(list(lines(2))[1]) + "\n")
    with pytest.raises(UserError, match=r"scores.jsonl:2 is of another solution than there is now"):
        stage().run()


def test_a_verifier_gets_to_see_earlier_attempts() -> None:
    """And one that scores the last step alone gives the others none."""

    class Outcome(ScriptedPRM):
        def judged(self, trajectory: Any) -> Any:
            seen.append([turn.attempt.text for turn in trajectory.history])
            whole = super().judged(trajectory)
            return type(whole)((None, whole.scores[-1]), whole.tokens, whole.cached_tokens)

    seen: list[list[str]] = []
    solution = Labelled(Problem("p", "q"), ("a\n\n", "b"), (None, 1.0), ("first", "second"))
    (scores,) = scored(Outcome(), [solution])
    assert seen == [["first", "second"]]
    assert scores[0] is None and scores[1] is not None
    assert trajectory(solution).finished and trajectory(solution).text == "a\n\nb"
