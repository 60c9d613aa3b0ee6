"""The curves of a training, from what Trainer has logged."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures.training import curves, training_curves
from analysis.runs.load import RecordsError
from ttcs.training.curves import COLUMNS, Curves, table

HISTORY = [
    {"step": 5, "epoch": 0.5, "num_input_tokens_seen": 100, "seconds": 1.0, "loss": 2.0, "learning_rate": 0.1},
    {"step": 5, "epoch": 0.5, "num_input_tokens_seen": 100, "seconds": 1.5, "eval_loss": 1.8, "eval_runtime": 0.5},
    {"step": 10, "epoch": 1.0, "num_input_tokens_seen": 210, "seconds": 2.5, "loss": 1.5, "learning_rate": 0.0},
    {"step": 10, "epoch": 1.0, "train_loss": 1.7, "train_runtime": 2.6},
]


def test_a_step_has_one_line_with_both_of_its_losses() -> None:
    assert table(HISTORY).splitlines() == [
        "step,epoch,tokens,seconds,loss,eval_loss,learning_rate",
        "5,0.5,100,1.5,2.0,1.8,0.1",
        "10,1.0,210,2.5,1.5,,0.0",
    ]


def test_seconds_go_on_from_those_of_the_checkpoint(tmp_path: Path) -> None:
    state = SimpleNamespace(log_history=[dict(HISTORY[0]), {"step": 6, "loss": 1.0}], is_world_process_zero=True)
    writer, args = Curves(), SimpleNamespace(output_dir=str(tmp_path / "work"))
    writer.on_train_begin(args, state, None)
    writer.on_log(args, state, None)
    read = pd.read_csv(tmp_path / "work" / "curves.csv")
    assert list(read) == list(COLUMNS.values()) and list(read["step"]) == [5, 6]
    assert 1.0 <= read["seconds"].iloc[1] < 2.0


def test_only_the_first_process_writes(tmp_path: Path) -> None:
    state = SimpleNamespace(log_history=[dict(HISTORY[0])], is_world_process_zero=False)
    writer = Curves()
    writer.on_train_begin(None, state, None)
    writer.on_log(SimpleNamespace(output_dir=str(tmp_path / "work")), state, None)
    assert not (tmp_path / "work").exists()


def test_the_picture_has_a_line_for_each_loss(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(table(HISTORY))
    ax = curves(Figure().add_subplot(), pd.read_csv(tmp_path / "curves.csv"))
    assert [list(line.get_xydata().ravel()) for line in ax.lines] == [[100, 2.0, 210, 1.5], [100, 1.8]]
    assert training_curves(tmp_path).stat().st_size > 5000
    assert (tmp_path / "curves.csv").read_text() == table(HISTORY)


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"has no curves\.csv"):
        training_curves(tmp_path)
    (tmp_path / "curves.csv").write_text(table([]))
    with pytest.raises(RecordsError, match="has no step"):
        training_curves(tmp_path)
