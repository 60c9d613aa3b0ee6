"""What a person sees of a run: a bar while it works, a table when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic
from typing import Protocol, Self, TypeVar

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ttcs.records.record import Record
from ttcs.records.summary import Accuracy, Summary
from ttcs.search.ledger import Ledger

LOG_SECONDS = 30.0
MANY = 50  # points of a sweep

Item = TypeVar("Item")

console = Console(highlight=False, soft_wrap=True)


class Bar(AbstractContextManager["Bar"]):
    """Problems done, with problems/s, tokens/s and the accuracy so far; rates count this session only."""

    def __init__(self, title: str, done: Iterable[bool | None], total: int) -> None:
        before = list(done)
        self._graded = [correct for correct in before if correct is not None]
        self._started, self._problems, self._tokens = monotonic(), 0, 0
        self._progress = Progress(
            SpinnerColumn("line"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rates]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._said = self._started
        self._task = self._progress.add_task(title, total=total, completed=len(before), rates="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, record: Record) -> None:
        self._problems += 1
        self._tokens += record.ledger.decoded_tokens
        if record.correct is not None:
            self._graded.append(record.correct)
        seconds = max(monotonic() - self._started, 1e-9)
        rates = [f"{self._problems / seconds:.2f} problems/s", f"{self._tokens / seconds:,.0f} tokens/s"]
        if self._graded:
            rates.append(f"accuracy {sum(self._graded) / len(self._graded):.1%}")
        self._progress.update(self._task, advance=1, rates="  ".join(rates))
        self._log(rates)

    def _log(self, rates: Sequence[str]) -> None:
        """Where there is no terminal, a line now and then instead of the bar."""
        if not console.is_terminal and monotonic() - self._said > LOG_SECONDS:
            self._said = monotonic()
            task = self._progress.tasks[self._task]
            console.print(f"{task.description} {task.completed:.0f}/{task.total:.0f}", *rates, sep="  ")


@contextmanager
def spending(tokens: int) -> Iterator[Callable[[int], None]]:
    """A bar of the tokens of a budget, to be told how many were spent more; without a terminal a line now and then."""
    said = monotonic()

    def tell(spent: int) -> None:
        nonlocal said
        bar.advance(task, spent)
        if not console.is_terminal and monotonic() - said > LOG_SECONDS:
            said = monotonic()
            console.print(f"{bar.tasks[task].completed:,.0f} of {tokens:,} tokens spent")

    counted = TextColumn("{task.completed:,.0f} of {task.total:,.0f} tokens")
    columns = SpinnerColumn("line"), BarColumn(bar_width=None), counted, TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=tokens)
        yield tell


def track(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items, with a bar on a terminal where there are many; nothing stays on the screen."""
    quiet = len(items) < MANY or not console.is_terminal
    yield from rich.progress.track(items, what, console=console, transient=True, disable=quiet)


def show(summary: Summary, files: Sequence[Path]) -> None:
    """The table of one run, and where its files are."""
    setting, ledger = summary.setting, summary.ledger
    kind = "level" if setting.difficulty == "annotated" else f"{setting.difficulty} bin"
    table = Table(title=title(summary, ledger.prm_calls > 0), title_justify="left", show_header=False)
    table.add_row("accuracy", percent(summary), counted(summary))
    for level, accuracy in summary.by_level.items():
        table.add_row(f"  {kind} {level}", percent(accuracy), counted(accuracy))
    if summary.no_levels:
        table.add_row("  by level", "unknown", summary.no_levels)
    for k, value in summary.pass_at_k.items():
        if k in ("1", str(setting.n)):
            table.add_row(f"pass@{k}", f"{value:.1%}", "")
    table.add_row("tokens decoded", f"{ledger.decoded_tokens:,}", f"read by the PRM: {ledger.prm_tokens:,}")
    if summary.samples is not None:
        table.add_row("samples", f"{summary.samples:.1f} per problem", f"tokens beyond them: {_speculated(ledger):.1%}")
    table.add_row("FLOPs", f"{ledger.policy_flops + ledger.prm_flops:.2e}", f"of the PRM: {ledger.prm_flops:.2e}")
    table.add_row(
        "seconds",
        f"{summary.wall_seconds:.1f}",
        f"{summary.n_problems / max(summary.wall_seconds, 1e-9):.2f} problems/s",
    )
    console.print(table)
    for note in summary.notes():
        console.print(f"  {note}", markup=False)
    for file in files:
        console.print(f"  {file}", markup=False)


def _speculated(ledger: Ledger) -> float:
    """Share of the decoded tokens that were of samples which ran ahead for nothing."""
    return ledger.speculated_tokens / max(1, ledger.decoded_tokens)


def show_sweep(points: Sequence[tuple[Mapping[str, str], Summary]]) -> None:
    """One line per run, with the settings that differ. points: overrides of the run, and what came of it."""
    overrides = [given for given, _ in points]
    swept = [key for key in overrides[0] if len({given.get(key) for given in overrides}) > 1]
    table = Table(*swept, "accuracy", "tokens", "FLOPs", "seconds", title="sweep", title_justify="left")
    for given, summary in points:
        ledger = summary.ledger
        flops = f"{ledger.policy_flops + ledger.prm_flops:.1e}"
        costs = f"{ledger.decoded_tokens:,}", flops, f"{summary.wall_seconds:.1f}"
        table.add_row(*(given.get(key, "") for key in swept), percent(summary), *costs)
    console.print(table)
    say_graded([summary for _, summary in points])


class Graded(Protocol):
    """Of n_problems, n_graded have a reference."""

    @property
    def n_problems(self) -> int: ...

    @property
    def n_graded(self) -> int: ...


def counted(result: Graded) -> str:
    """How many problems an accuracy is of."""
    some = 0 < result.n_graded < result.n_problems
    return f"{result.n_graded} of {result.n_problems} problems graded" if some else f"{result.n_problems} problems"


def say_graded(results: Sequence[Graded]) -> None:
    """What a table has no column for, as most runs have all references."""
    for line in dict.fromkeys(counted(result) for result in results if 0 < result.n_graded < result.n_problems):
        console.print(f"  {line}: the others have no reference answer", markup=False)


def title(summary: Summary, scored: bool) -> str:
    """scored: whether a PRM was asked; one that was not is not named."""
    setting = summary.setting
    models = f"policy {setting.policy}, {f'PRM {setting.prm}, ' if scored else ''}dataset {setting.dataset}"
    return f"{setting.strategy} n={setting.n} seed={setting.seed}, {setting.selection} by {setting.reduction}\n{models}"


def percent(result: Accuracy | Summary) -> str:
    if result.accuracy is None or result.ci95 is None:
        return "unknown: nothing is graded"
    low, high = result.ci95
    return f"{result.accuracy:.1%} [{100 * low:.1f}, {100 * high:.1f}]"
