"""Runs of one method that differ in their settings -> methods of their own, named by what differs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from analysis.runs.load import Records

Settings = frozenset[str]  # of "k=1", "width=4", ...
WIDTH = re.compile(r"\bwidth=(\d+)")
Pair = tuple[str, int]  # the settings of a run as text, and its n


def named(estimates: pd.DataFrame) -> pd.DataFrame:
    """Variants told apart in the column `method`: "lookahead (k=1)", "lookahead (k=3)".

    A width that is the square root of n (Snell et al., 2024, section 5.2) makes one variant, "width=√N". A run that
    belongs to it and to a fixed width as well (n = 16 and width = 4) is in both.
    """
    parts = [_told_apart(str(name), rows) for name, rows in estimates.groupby("method", sort=False)]
    return pd.concat(parts, ignore_index=True)


def by(records: Records, group: str) -> dict[str, Records]:
    """The runs of each `group` (policy, prm or dataset) apart, under its name and the settings that differ.

    Only settings that all runs of a name have count: an option that is younger than a record is no difference.
    """
    table = records.runs.fillna({group: f"unknown {group}"})
    known = {name: _known(rows["setup"], group) for name, rows in table.groupby(group)}
    runs: dict[str, list[str]] = defaultdict(list)
    for run, name, setup in zip(table["run"], table[group], table["setup"], strict=True):
        differs = ", ".join(f"{key.removeprefix(f'{group}.')}={setup[key]}" for key in known[name])
        runs[f"{name} ({differs})" if differs else str(name)].append(run)
    return {name: records.only(several) for name, several in runs.items()}


def _known(setups: Iterable[dict[str, object]], group: str) -> list[str]:
    """The keys of the group that all of the setups have, with different values."""
    every = list(setups)
    keys = sorted(key for key in every[0] if key.startswith(f"{group}.") and all(key in setup for setup in every))
    return [key for key in keys if len({setup[key] for setup in every}) > 1]


def _told_apart(method: str, rows: pd.DataFrame) -> pd.DataFrame:
    pairs: list[Pair] = [(str(text), int(n)) for text, n in zip(rows["settings"], rows["n"], strict=True)]
    variants = _variants(set(pairs))
    shared = frozenset.intersection(*variants)
    parts = []
    for settings, members in variants.items():
        differs = ", ".join(sorted(settings - shared))
        one = rows[[pair in members for pair in pairs]]
        parts.append(one.assign(method=f"{method} ({differs})") if differs else one)
    return pd.concat(parts)


def _variants(pairs: set[Pair]) -> dict[Settings, set[Pair]]:
    roots = _roots(pairs)
    fixed = {text for text, _ in pairs - roots}
    found: dict[Settings, set[Pair]] = defaultdict(set)
    for text, n in sorted(pairs):
        if (text, n) in roots:
            found[_settings(_rooted(text))].add((text, n))
        if text in fixed:
            found[_settings(text)].add((text, n))
    return found


def _roots(pairs: set[Pair]) -> set[Pair]:
    """Those whose width is √n, where the same other settings have such a width at several n."""
    found: dict[str, set[Pair]] = defaultdict(set)
    for text, n in pairs:
        if (match := WIDTH.search(text)) and int(match[1]) ** 2 == n:
            found[_rooted(text)].add((text, n))
    return {pair for several in found.values() if len(several) > 1 for pair in several}


def _rooted(text: str) -> str:
    return WIDTH.sub("width=√N", text)


def _settings(text: str) -> Settings:
    return frozenset(text.split(", "))
