"""TensorBoard: a folder of event files for each run, those of a sweep in one folder."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from time import time

from ttcs.running.loggers.finished import Finished
from ttcs.running.loggers.logger import needs

EVENTS = "events.out.tfevents.*"


@dataclass(frozen=True, slots=True)
class TensorBoard:
    """folder: what `tensorboard --logdir` is told."""

    folder: str

    def __post_init__(self) -> None:
        needs("tensorboard", "tensorboard")

    def log(self, run: Finished) -> str:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb  # the API beside it needs TensorFlow
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        folder = Path(self.folder, run.sweep or "", run.name)
        for old in folder.glob(EVENTS):  # of the same run, which is told of again
            old.unlink()
        writer = EventFileWriter(str(folder))

        def write(summary: Summary, step: int = 0) -> None:
            writer.add_event(Event(wall_time=time(), step=step, summary=summary))

        write(hparams_pb({key: _plain(value) for key, value in run.parameters.items()}))
        for name, value in run.metrics.items():
            write(Summary(value=[Summary.Value(tag=name, simple_value=value)]))
        for selection, curve in run.curves.items():
            for n, accuracy in curve.items():
                write(Summary(value=[Summary.Value(tag=f"accuracy_vs_n/{selection}", simple_value=accuracy)]), n)
        for file in run.figures:
            content = file.read_bytes()
            width, height = struct.unpack(">II", content[16:24])  # of a PNG's first chunk
            image = Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=content)
            write(Summary(value=[Summary.Value(tag=f"figures/{file.stem}", image=image)]))
        writer.close()
        return str(folder)


def _plain(value: object) -> bool | float | str:
    """What a hyperparameter of TensorBoard can be."""
    return value if isinstance(value, bool | int | float) else str(value)
