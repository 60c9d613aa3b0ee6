"""Writes the facts of the zoo's chains, one an example: what their model learns before it sees a chain.

Neither digit of a sum modulo 10 tells anything of the result by itself, and in a chain some fifty other digits stand
around them, so a model that begins with chains long writes down sums at random. By themselves they take minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from ttcs.models.load import load_tokenizer
from ttcs.training.corpus import save
from ttcs.zoo.chains.acts import PLACES, Add
from ttcs.zoo.chains.chain import compared
from ttcs.zoo.chains.families import MOVES


@dataclass(frozen=True, slots=True)
class FactCorpus:
    """Stage: `facts` sums and differences as a step writes them, and comparisons, saved as `Corpus` saves its own.

    The loss is that of the result alone. small: the share of sums in which 1 or 2 is added or taken away, the first
    that can be learnt. comparisons: the share of facts that compare two digits as a check does, half of them the same.
    """

    out: str
    tokenizer: str
    seed: int
    facts: int
    small: float
    comparisons: float = 0.0

    def run(self) -> None:
        save(self.out, self._examples, [(0, self.facts)])

    def _examples(self, shards: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
        encoder = load_tokenizer(self.tokenizer)
        rng = Random(f"{self.seed}/facts")
        for _ in range(sum(size for _, size in shards)):
            compares = rng.random() < self.comparisons
            text = f": {comparison(rng)}" if compares else f"{rng.randint(1, MOVES)}: {fact(rng, self.small)}"
            ids = encoder(encoder.bos_token + text, add_special_tokens=False).input_ids
            yield {"input_ids": ids, "labels": [-100] * (len(ids) - 1) + ids[-1:], "length": len(ids)}


def fact(rng: Random, small: float) -> str:
    """As in: D5+B7=D2."""
    operand = rng.randint(1, 2) if rng.random() < small else rng.randrange(10)
    target, source = rng.sample(range(len(PLACES)), 2)
    state = tuple(operand if place == source else rng.randrange(10) for place in range(len(PLACES)))
    sign = rng.choice((1, -1))
    act = Add(target, sign, source=source) if rng.random() < 0.5 else Add(target, sign, operand)
    return act.done(state)[0]


def comparison(rng: Random) -> str:
    """As in: B7 5 no."""
    one = rng.randrange(10)
    return compared(rng.choice(PLACES), one, one if rng.random() < 0.5 else rng.randrange(10))
