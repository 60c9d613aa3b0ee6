"""Diversity: a domain, then a question of it, until there are enough (Muennighoff et al., 2025, section 2.2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ttcs.curation.row import Entry
from ttcs.errors import UserError

NOT_DRAWN = "not drawn"
Pick = Callable[[Random, int], int]


@dataclass(frozen=True, slots=True)
class DomainSampling:
    """Draws `size` rows without replacement: a domain by weight, then one of its rows by its rank, the longest first.

    pick: (random numbers, rows left in the domain) -> rank of the one drawn. weights: domain -> weight, of all domains
    that are drawn from; None: all domains alike. A domain without rows left is not drawn again.
    """

    size: int
    seed: int
    pick: Pick
    weights: Mapping[str, float] | None = None

    def choose(self, entries: Sequence[Entry]) -> Sequence[str | None]:
        pools = self._pools(entries)
        check_size(self.size, sum(map(len, pools.values())), f" in {len(pools)} domains")
        draw, drawn = Random(f"{self.seed}/domains"), set[str]()
        while len(drawn) < self.size:
            domains = list(pools)
            weights = None if self.weights is None else [self.weights[domain] for domain in domains]
            domain = draw.choices(domains, weights)[0]
            drawn.add(pools[domain].pop(self.pick(draw, len(pools[domain]))).key)
            if not pools[domain]:
                del pools[domain]
        return [None if entry.key in drawn else NOT_DRAWN for entry in entries]

    def _pools(self, entries: Sequence[Entry]) -> dict[str, list[Entry]]:
        """Domain -> its rows, the longest first; in an order that does not depend on theirs."""
        pools: dict[str, list[Entry]] = {}
        for entry in longest_first(entries):
            if entry.domain is None:
                raise UserError(
                    f"row {entry.key} has no domain: a stage of the group domain belongs before the sampling"
                )
            pools.setdefault(entry.domain, []).append(entry)
        if self.weights is not None:
            if empty := [domain for domain in self.weights if domain not in pools]:
                there = ", ".join(f"{domain} {len(pool)}" for domain, pool in sorted(pools.items()))
                raise UserError(f"weights name {empty[0]}, a domain with 0 rows; there are: {there or 'none'}")
            if wrong := [domain for domain, weight in self.weights.items() if not _positive(weight)]:
                raise UserError(f"the weight {self.weights[wrong[0]]} of {wrong[0]} is not a positive number")
        return {domain: pools[domain] for domain in sorted(pools) if self.weights is None or domain in self.weights}


def _positive(weight: object) -> bool:
    """Yaml may hold anything."""
    return isinstance(weight, int | float) and weight > 0


def long(draw: Random, n: int) -> int:
    """Rank r < n with probability proportional to 2^-r."""
    mass = draw.random() * (1 - 2.0**-n) if n < 64 else draw.random()
    return min(int(-math.log2(1 - mass)), n - 1)


def uniform(draw: Random, n: int) -> int:
    return draw.randrange(n)


def longest_first(entries: Sequence[Entry]) -> list[Entry]:
    """By the length that was measured; ties by source and id."""
    for entry in entries:
        if entry.length is None:
            raise UserError(f"row {entry.key} was not measured: the stage length belongs before the sampling")
    return sorted(entries, key=lambda entry: (-(entry.length or 0), entry.key))


def check_size(size: int, left: int, where: str = "") -> None:
    if size < 1:
        raise UserError(f"size={size} is not a positive whole number")
    if left < size:
        raise UserError(f"size={size}, but only {left} rows are left{where}")
