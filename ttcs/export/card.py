"""The card of an exported run, README.md: what was run, what is in the files, and how to read them."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa  # type: ignore[import-untyped]

from ttcs.config import file
from ttcs.config.identity import portable
from ttcs.export.run import Run

TEXT = """---
{front}---

# {title}

{problems:,} problems, searched with `{strategy}` at n = {n} (seed {seed}): `{policy}` wrote the solutions, {judged}.
{right}

Made by `python -m ttcs.export` from the records of a run. The problems are those of `{dataset}`; they, and what the
models wrote, are under the licences they come with.

## Files

{files}

## Configuration

```yaml
{config}```
"""


def card(
    name: str, run: Run, about: Mapping[str, str], schemas: Mapping[str, pa.Schema], counts: Mapping[str, int]
) -> str:
    """about: what each table holds. counts: rows of each table."""
    setting = run.setting
    judged = f"`{setting.prm}` scored them, and `{setting.selection}` ({setting.reduction}) chose"
    return TEXT.format(
        front=_front(schemas),
        title=name,
        problems=next(iter(counts.values())),
        strategy=setting.strategy,
        n=setting.n,
        seed=setting.seed,
        policy=setting.policy,
        judged=judged,
        right=_right(run),
        dataset=setting.dataset,
        files="\n\n".join(_table(table, about[table], schemas[table], counts[table]) for table in schemas),
        config=file.text(portable(run.stored.config)),
    )


def _front(schemas: Mapping[str, pa.Schema]) -> str:
    """So that `datasets.load_dataset` and the viewer of the Hub find the tables."""
    lines = ["configs:"]
    for number, table in enumerate(schemas):
        lines += [f"- config_name: {table}", f"  data_files: data/{table}.parquet"]
        lines += ["  default: true"] if number == 0 else []
    return "\n".join(lines) + "\n"


def _right(run: Run) -> str:
    verdicts = [record.correct for record in run.records() if record.correct is not None]
    if not verdicts:
        return "No reference is known, so nothing is graded."
    return f"{sum(verdicts):,} of {len(verdicts):,} with a reference were answered rightly."


def _table(table: str, about: str, schema: pa.Schema, count: int) -> str:
    columns = ", ".join(f"`{field.name}` ({_type(field.type)})" for field in schema)
    return f"`data/{table}.parquet`, {count:,} rows: {about}.\n\n{columns}"


def _type(kind: pa.DataType) -> str:
    return f"list of {_type(kind.value_type)}" if pa.types.is_list(kind) else str(kind)
