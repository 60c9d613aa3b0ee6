import pytest
import torch
from transformers import AutoModelForCausalLM

from tests import tiny
from ttcs.models.cached import CachedModel


@pytest.mark.parametrize("kv_heads", [4, 2])
def test_prefixes_and_ragged_rows_give_the_logits_of_a_plain_pass(kv_heads):
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(4, kv_heads), dtype="float32").eval()
    rng = torch.Generator().manual_seed(1)
    sequences = [torch.randint(0, 300, (n,), generator=rng).tolist() for n in (5, 17, 300)]
    sequences.append([*sequences[1][:9], 3, 4])
    cached = CachedModel(model, 4, 0.01)
    with torch.inference_mode():
        for rounds in range(2):
            starts = [cached.load(row, tokens[:-1], len(tokens)) for row, tokens in enumerate(sequences)]
            assert starts == ([0, 0, 0, 0] if rounds == 0 else [len(s) - 1 for s in sequences])
            hidden = cached.read(0, [s[a:] for s, a in zip(sequences, starts, strict=True)], starts)
            for row, (tokens, start) in enumerate(zip(sequences, starts, strict=True)):
                plain = model(torch.tensor([tokens])).logits[0, start:].float()
                assert torch.allclose(cached.logits(hidden[row, : len(tokens) - start]), plain, atol=1e-4)
                cached.store(row, tokens, start)
