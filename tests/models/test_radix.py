import torch
from hypothesis import given
from hypothesis import strategies as st

from ttcs.models.radix import RadixCache

runs = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=12)


def kv(tokens):
    """Keys and values that tell the position and everything before it, as real ones do."""
    states = [float(hash(tuple(tokens[: i + 1])) % 1000) for i in range(len(tokens))]
    return torch.tensor(states).reshape(1, 1, 1, -1, 1).repeat(1, 2, 1, 1, 1)


@given(runs, st.lists(st.integers(0, 2), max_size=10))
def test_match_is_the_longest_stored_prefix(stored, query):
    cache = RadixCache(10_000)
    for tokens in stored:
        cache.insert(tokens, kv(tokens))
    length, pieces = cache.match(query)
    longest = max(sum(1 for _ in _common(tokens, query)) for tokens in stored)
    assert length == longest
    found = torch.cat(pieces, 3) if pieces else torch.empty(1, 2, 1, 0, 1)
    assert torch.equal(found, kv(query[:length]) if length else found)
    distinct = {tuple(t[:i]) for t in stored for i in range(1, len(t) + 1)}
    assert cache.size == len(distinct)  # each prefix once


def _common(a, b):
    for x, y in zip(a, b, strict=False):
        if x != y:
            return
        yield x


def test_a_tail_is_kept_only_behind_its_prefix():
    cache = RadixCache(100)
    cache.insert([1, 2, 3, 4], kv([1, 2, 3, 4])[:, :, :, 2:])
    assert cache.match([1, 2, 3, 4])[0] == 0
    cache.insert([1, 2], kv([1, 2]))
    cache.insert([1, 2, 3, 4], kv([1, 2, 3, 4])[:, :, :, 2:])
    assert cache.match([1, 2, 3, 4])[0] == 4


def test_the_oldest_leaves_go_first():
    cache = RadixCache(20)
    for first in range(5):
        tokens = [first, 9, 9, 9]
        cache.insert(tokens, kv(tokens))
    cache.match([0, 9, 9, 9])
    cache.insert([7, 9, 9, 9], kv([7, 9, 9, 9]))
    assert cache.size <= 20
    assert cache.match([0, 9, 9, 9])[0] == 4
    assert cache.match([7, 9, 9, 9])[0] == 4
    assert cache.match([1, 9, 9, 9])[0] == 0
