"""Keys and values of token prefixes, each prefix stored once, in a radix tree (as in SGLang, Zheng et al., 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch


@dataclass(eq=False, slots=True)
class Edge:
    """A run of tokens and its keys and values [layers, 2, heads, tokens, dim]."""

    tokens: tuple[int, ...]
    kv: torch.Tensor
    parent: Edge | None
    children: dict[int, Edge] = field(default_factory=dict)  # by first token
    used: int = 0


class RadixCache:
    """Longest-prefix lookup over everything stored; the least recently used leaves go first when it is full.

    limit: tokens kept at most.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._clock = 0
        self._root = Edge((), torch.empty(0), None)

    def match(self, tokens: Sequence[int]) -> tuple[int, list[torch.Tensor]]:
        """(length of the longest stored prefix of `tokens`, its keys and values in pieces)."""
        length, edges = self._path(tokens)
        pieces = [edge.kv for edge in edges]
        if over := sum(len(edge.tokens) for edge in edges) - length:
            pieces[-1] = pieces[-1][:, :, :, :-over]
        return length, pieces

    def length(self, tokens: Sequence[int]) -> int:
        """That of the longest stored prefix of `tokens`."""
        return self._path(tokens)[0]

    def insert(self, tokens: Sequence[int], kv: torch.Tensor) -> None:
        """Store a prefix; `kv` holds the keys and values of its last kv.shape[3] tokens.

        What comes before them must be stored: if it was dropped meanwhile, nothing is kept.
        """
        self._clock += 1
        edge, length = self._root, 0
        while length < len(tokens) and (child := edge.children.get(tokens[length])) is not None:
            shared = _shared(child.tokens, tokens, length)
            child.used = self._clock
            length += shared
            edge = child if shared == len(child.tokens) else self._split(child, shared)
        start = len(tokens) - kv.shape[3]
        if length < start or length == len(tokens):
            return
        leaf = Edge(tuple(tokens[length:]), kv[:, :, :, length - start :].clone(), edge, used=self._clock)
        edge.children[leaf.tokens[0]] = leaf
        self.size += len(leaf.tokens)
        if self.size > self.limit:
            self._evict()

    def _path(self, tokens: Sequence[int]) -> tuple[int, list[Edge]]:
        """(length of the longest stored prefix of `tokens`, the edges it is on: of the last one perhaps a part)."""
        self._clock += 1
        edge, length, edges = self._root, 0, []
        while length < len(tokens) and (child := edge.children.get(tokens[length])) is not None:
            shared = _shared(child.tokens, tokens, length)
            child.used = self._clock
            edges.append(child)
            length += shared
            if shared < len(child.tokens):
                break
            edge = child
        return length, edges

    def _split(self, edge: Edge, at: int) -> Edge:
        """Cut an edge in two; returns the upper half."""
        upper = Edge(edge.tokens[:at], edge.kv[:, :, :, :at].clone(), edge.parent, used=edge.used)
        assert edge.parent is not None
        edge.parent.children[upper.tokens[0]] = upper
        edge.tokens, edge.kv, edge.parent = edge.tokens[at:], edge.kv[:, :, :, at:].clone(), upper
        upper.children[edge.tokens[0]] = edge
        return upper

    def _evict(self) -> None:
        """Drop the oldest leaves until a quarter is free, so that this is rare."""
        while self.size > 0.75 * self.limit:
            leaves = sorted((edge for edge in self._edges() if not edge.children), key=lambda edge: edge.used)
            for leaf in leaves[: max(1, len(leaves) // 2)]:
                assert leaf.parent is not None
                del leaf.parent.children[leaf.tokens[0]]
                self.size -= len(leaf.tokens)
                if self.size <= 0.75 * self.limit:
                    return

    def _edges(self) -> list[Edge]:
        found, stack = [], list(self._root.children.values())
        while stack:
            edge = stack.pop()
            found.append(edge)
            stack.extend(edge.children.values())
        return found


def _shared(run: tuple[int, ...], tokens: Sequence[int], start: int) -> int:
    """How many tokens `run` and `tokens[start:]` have in common at their beginning."""
    piece = tuple(tokens[start : start + len(run)])
    if piece == run:  # the usual case, without a look at each token
        return len(run)
    return next((place for place, (a, b) in enumerate(zip(run, piece, strict=False)) if a != b), len(piece))
