"""What a person sees while rows are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import monotonic

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ttcs.running.progress import LOG_SECONDS, console


def counted(blocks: Iterable[Sequence[str]], title: str, done: int, total: int | None) -> Iterator[Sequence[str]]:
    """The blocks, with a bar of their rows on a terminal and a line now and then elsewhere.

    done: rows before the first block. total: None where nobody knows; the rate is of this command alone.
    """
    columns = SpinnerColumn("line"), TextColumn("{task.description}"), BarColumn(bar_width=None)
    texts = TextColumn("{task.fields[said]}"), TimeElapsedColumn()
    started = said = monotonic()
    rows = done
    with Progress(*columns, *texts, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total, completed=done, said="")
        for block in blocks:
            yield block
            rows += len(block)
            now = monotonic()
            words = f"{rows:,}{'' if total is None else f'/{total:,}'} rows"
            words += f"  {(rows - done) / max(now - started, 1e-9):,.0f} rows/s"
            progress.update(task, completed=rows, said=words)
            if not console.is_terminal and now - said > LOG_SECONDS:
                said = now
                console.print(f"{title}  {words}")
