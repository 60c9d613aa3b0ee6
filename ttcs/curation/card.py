"""The data card of a data set: what is in it, where that comes from, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import mean, quantiles

from ttcs.curation.funnel import Funnel
from ttcs.curation.row import Entry

# Names the file of the data set, so that a loader of such folders does not take the rejected rows for data.
FRONT = """---
configs:
- config_name: default
  data_files: data.jsonl
---
"""
TEXT = """# {name}

{kept:,} of {rows:,} questions with a reasoning trace and a solution, chosen with `python -m ttcs.curation`
(after Muennighoff et al., 2025, *s1: Simple test-time scaling*, arXiv 2501.19393). Seed {seed}.

`data.jsonl` has an object a line: `id`, `question`, `thinking` (the trace), `answer` (the solution after it),
`reference` (the right final answer; null: not known), `domain`, `source`, `length` (of the trace; null: not measured).
`rejected.jsonl` has the other rows with the `stage` that dropped them and the `reason`; `funnel.csv` the table below.

## Funnel

{funnel}

## Sources

{sources}

## Domains

{domains}

## Length of the traces

{lengths}

## Configuration

```yaml
{config}```
"""


def card(name: str, seed: int, funnel: Funnel, kept: Sequence[Entry], rows: Counter[str], config: str) -> str:
    """rows: source -> rows of it before any stage. config: yaml."""
    return FRONT + TEXT.format(
        name=name,
        kept=len(kept),
        rows=funnel.rows,
        seed=seed,
        funnel=funnel.to_markdown(),
        sources=_table("source", Counter(entry.source for entry in kept), rows),
        domains=_table("domain", Counter(entry.domain or "not known" for entry in kept)),
        lengths=_lengths(kept),
        config=config,
    )


def _table(what: str, kept: Counter[str], before: Counter[str] | None = None) -> str:
    counts = kept if before is None else before
    names = sorted(counts, key=lambda name: (-kept[name], name))
    head = [
        f"| {what} | rows |{'' if before is None else ' before |'}",
        f"|---|---:|{'' if before is None else '---:|'}",
    ]
    return "\n".join([*head, *(f"| {n} | {kept[n]:,} |{'' if before is None else f' {before[n]:,} |'}" for n in names)])


def _lengths(kept: Sequence[Entry]) -> str:
    columns = {"characters": [entry.characters for entry in kept]}
    measured = [entry.length for entry in kept if entry.length is not None]
    columns |= {"length": measured} if measured else {}
    lines = ["| unit | mean | least | 10 % | median | 90 % | most |", "|---|---:|---:|---:|---:|---:|---:|"]
    for unit, numbers in columns.items():
        tenths = quantiles(numbers, n=10, method="inclusive") if len(numbers) > 1 else numbers * 9
        shown = mean(numbers), min(numbers), tenths[0], tenths[4], tenths[8], max(numbers)
        lines.append(f"| {unit} | {' | '.join(f'{number:,.0f}' for number in shown)} |")
    return "\n".join(lines)
