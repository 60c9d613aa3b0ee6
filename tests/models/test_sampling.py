import numpy as np
import torch

from ttcs.models.sampling import draw, uniforms


def test_a_stream_is_a_function_of_its_seed_and_a_prefix_of_a_longer_one():
    assert np.array_equal(uniforms(5, 3), uniforms(5, 9)[:3])
    assert not np.array_equal(uniforms(5, 3), uniforms(6, 3))


def test_frequencies_are_the_softmax_at_the_temperature():
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]]).repeat(40_000, 1)
    chance = torch.tensor(uniforms(1, 40_000))
    drawn = draw(logits, torch.full((40_000,), 0.8), 1.0, chance)
    expected = torch.softmax(logits[0] / 0.8, -1)
    assert torch.allclose(torch.bincount(drawn, minlength=4) / 40_000, expected, atol=0.01)


def test_temperature_zero_is_the_most_likely_token_row_by_row():
    logits = torch.tensor([[0.0, 3.0], [0.0, 3.0]])
    assert draw(logits, torch.tensor([0.0, 5.0]), 1.0, torch.tensor([0.0, 0.0])).tolist() == [1, 0]


def test_nucleus_keeps_the_smallest_sufficient_set():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2]])).repeat(1000, 1)
    drawn = draw(logits, torch.ones(1000), 0.6, torch.linspace(0, 0.999, 1000))
    assert set(drawn.tolist()) == {0, 1}


def test_the_last_token_is_reached_and_never_passed():
    logits = torch.zeros(1, 7)
    assert draw(logits, torch.ones(1), 1.0, torch.tensor([1.0 - 1e-9])).item() == 6


def test_top_k_keeps_the_likeliest_before_the_nucleus_is_taken():
    logits = torch.log(torch.tensor([[0.4, 0.3, 0.2, 0.1]])).repeat(1000, 1)
    chance = torch.linspace(0, 0.999, 1000)
    assert set(draw(logits, torch.ones(1000), 1.0, chance, 3).tolist()) == {0, 1, 2}
    # Of the three that are left the first two hold 7 of 9 parts, of all four only 7 of 10.
    assert set(draw(logits, torch.ones(1000), 0.75, chance, 3).tolist()) == {0, 1}
    assert set(draw(logits, torch.ones(1000), 0.75, chance).tolist()) == {0, 1, 2}
    assert torch.equal(draw(logits, torch.ones(1000), 0.75, chance, 9), draw(logits, torch.ones(1000), 0.75, chance))
