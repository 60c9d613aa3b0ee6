"""A transformers model that works on many sequences of different lengths at once and never reads a prefix twice."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import torch

from ttcs.models.radix import RadixCache


class Rows:
    """Keys and values of the sequences being worked on, a row each, at positions of their own.

    transformers asks a cache only to `update`: write the new keys and values, return all that attention may read.
    """

    def __init__(self, rows: int) -> None:
        self.capacity = rows
        self.kv: torch.Tensor | None = None  # [layers, 2, rows, heads, positions, dim]
        self._shape: tuple[int, int] = (0, 0)  # rows and positions of the current pass
        self._first = 0
        self._positions = torch.empty(0)

    def begin(self, first: int, positions: torch.Tensor, length: int) -> None:
        """The next pass is over rows first, first + 1, ... at `positions` [rows, tokens]; attention reads `length`."""
        self._first, self._positions = first, positions
        self._shape = (positions.shape[0], length)

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        assert self.kv is not None
        rows, length = self._shape
        block = self.kv[layer, :, self._first : self._first + rows]
        index = torch.arange(rows, device=keys.device)[:, None]
        block[0][index, :, self._positions] = keys.transpose(1, 2)
        block[1][index, :, self._positions] = values.transpose(1, 2)
        return block[0, :, :, :length], block[1, :, :, :length]

    def reserve(self, config: Any, length: int, dtype: torch.dtype, device: torch.device) -> None:
        """Make room for `length` positions, keeping what is there."""
        have = 0 if self.kv is None else self.kv.shape[4]
        if length <= have:
            return
        heads, dim = _heads(config)
        size = max(256, 1 << (length - 1).bit_length())
        grown = torch.zeros(config.num_hidden_layers, 2, self.capacity, heads, size, dim, dtype=dtype, device=device)
        if self.kv is not None:
            grown[:, :, :, :, :have] = self.kv
        self.kv = grown


class CachedModel:
    """Forward passes over rows of keys and values, with a radix cache of prefixes beside them.

    rows: sequences at once. cache_gb: memory, in GB, for keys and values that are kept for later.
    """

    def __init__(self, model: Any, rows: int, cache_gb: float) -> None:
        self.model = model
        self.config = model.config.get_text_config()
        self.device = model.device
        self.rows = Rows(rows)
        heads, dim = _heads(self.config)
        token_bytes = self.config.num_hidden_layers * 2 * heads * dim * model.dtype.itemsize
        self.prefixes = RadixCache(int(cache_gb * 1e9) // token_bytes)
        # Since transformers 5.24 models call it `cache`, one after the other.
        self._name = "cache" if "cache" in signature(model.base_model.forward).parameters else "past_key_values"

    def forget(self) -> None:
        """Drop every cached prefix."""
        self.prefixes = RadixCache(self.prefixes.limit)

    def cached(self, tokens: Sequence[int]) -> int:
        """Length of the longest cached prefix of `tokens`."""
        return self.prefixes.length(tokens)

    def load(self, row: int, tokens: Sequence[int], room: int, rows: int = 1) -> int:
        """Copy the longest cached prefix of `tokens` into rows with space for `room` tokens; its length.

        row: the first of them; rows: how many.
        """
        self.rows.reserve(self.config, room, self.model.dtype, self.device)
        length, pieces = self.prefixes.match(tokens)
        if pieces:
            self._kv[:, :, row : row + rows, :, :length] = torch.cat(pieces, 3)[:, :, None]
        return length

    def store(self, row: int, tokens: Sequence[int], start: int) -> None:
        """Cache the keys and values of `tokens`, of which a row holds those from `start` on."""
        self.prefixes.insert(tokens, self._kv[:, :, row, :, start : len(tokens)])

    def move(self, source: int, target: int, length: int) -> None:
        self._kv[:, :, target, :, :length] = self._kv[:, :, source, :, :length]

    def read(self, first: int, inputs: Sequence[Sequence[int]], starts: Sequence[int]) -> torch.Tensor:
        """Final hidden states [rows, tokens, hidden] of new tokens, from row `first` on, padded on the right.

        starts: tokens each row already holds. Padding lands behind a row's end, where nothing ever reads it.
        """
        width = max(map(len, inputs))
        padded = torch.tensor([[*row, *[0] * (width - len(row))] for row in inputs], device=self.device)
        begin = torch.tensor(starts, device=self.device)[:, None]
        positions = begin + torch.arange(width, device=self.device)
        length = max(starts) + width
        self.rows.reserve(self.config, length, self.model.dtype, self.device)
        self.rows.begin(first, positions, length)
        visible = self._visible(positions[:, None, :, None], torch.arange(length, device=self.device))
        output = self.model.base_model(
            input_ids=padded, attention_mask=visible, position_ids=positions, use_cache=True, **{self._name: self.rows}
        )
        hidden: torch.Tensor = output.last_hidden_state
        return hidden

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Next-token logits in float32."""
        head: torch.Tensor = self.model.get_output_embeddings()(hidden)
        return head.float()

    def _visible(self, own: torch.Tensor, others: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        """Which positions each token attends to; by kind of layer, where a model mixes full and sliding attention."""
        past = others <= own
        window: int | None = getattr(self.config, "sliding_window", None)
        if window is None:
            return past
        near = past & (others > own - window)
        mixed = getattr(self.config, "layer_types", None) is not None
        return {"full_attention": past, "sliding_attention": near} if mixed else near

    @property
    def _kv(self) -> torch.Tensor:
        assert self.rows.kv is not None
        return self.rows.kv


def _heads(config: Any) -> tuple[int, int]:
    """(heads of keys and values, dimension of each)."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return heads, dim
