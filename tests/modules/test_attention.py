"""Attention against torch's nn.MultiheadAttention with the same weights, and where nothing is real."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nasturtium.modules import CrossAttention, SelfAttention

CHANNELS, HEADS = 12, 3


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def _mask(*lengths):
    return torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)


def _torch_attention(weights, output, memory=CHANNELS):
    theirs = nn.MultiheadAttention(CHANNELS, HEADS, batch_first=True, kdim=memory, vdim=memory)
    with torch.no_grad():
        if memory == CHANNELS:
            theirs.in_proj_weight.copy_(torch.cat([weight for weight, _ in weights]))
        else:
            for name, (weight, _) in zip(("q", "k", "v"), weights, strict=True):
                getattr(theirs, f"{name}_proj_weight").copy_(weight)
        theirs.in_proj_bias.copy_(torch.cat([bias for _, bias in weights]))
        theirs.out_proj.load_state_dict(output.state_dict())
    return theirs


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_self_attention_equals_torch(causal, masked):
    ours = SelfAttention(CHANNELS, HEADS, CHANNELS // HEADS, causal)
    nn.init.normal_(ours.project.bias)
    weights = list(zip(ours.project.weight.chunk(3), ours.project.bias.chunk(3), strict=True))
    theirs = _torch_attention(weights, ours.output)
    x, mask = torch.randn(3, 7, CHANNELS), _mask(7, 3, 1)
    later = torch.ones(7, 7, dtype=torch.bool).triu(1) if causal else None
    expected = theirs(x, x, x, key_padding_mask=~mask if masked else None, attn_mask=later)[0]
    found = ours(x, mask if masked else None)
    real = mask if masked else torch.ones_like(mask)
    torch.testing.assert_close(found[real], expected[real])


@pytest.mark.parametrize("query_mask", [False, True])
@pytest.mark.parametrize("memory_mask", [False, True])
def test_cross_attention_equals_torch(query_mask, memory_mask):
    ours = CrossAttention(CHANNELS, 5, HEADS, CHANNELS // HEADS, masked=query_mask)
    pairs = list(zip(ours.key_value.weight.chunk(2), ours.key_value.bias.chunk(2), strict=True))
    theirs = _torch_attention([(ours.query.weight, ours.query.bias), *pairs], ours.output, memory=5)
    x, memory, mask = torch.randn(2, 6, CHANNELS), torch.randn(2, 4, 5), _mask(4, 2)
    expected = theirs(x, memory, memory, key_padding_mask=~mask if memory_mask else None)[0]
    found = ours(x, *[_mask(6, 3)] * query_mask, memory, *[mask] * memory_mask)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("causal", [False, True])
def test_nothing_real_gives_the_bias_and_finite_gradients(causal):
    ours = SelfAttention(CHANNELS, HEADS, 2, causal)
    nn.init.normal_(ours.output.bias)
    mask = torch.tensor([[True, False, False], [False, False, False], [False, True, True]])
    x = torch.randn(3, 3, CHANNELS, requires_grad=True)
    result = ours(x, mask)
    torch.testing.assert_close(result[1], ours.output.bias.expand(3, CHANNELS))
    result.sum().backward()
    for gradient in (x.grad, *[parameter.grad for parameter in ours.parameters()]):
        assert torch.isfinite(gradient).all()


def test_dropout_only_in_training():
    ours = SelfAttention(CHANNELS, HEADS, 4, dropout=0.5)
    x = torch.randn(2, 9, CHANNELS)
    assert not torch.equal(ours(x), ours(x))
    ours.eval()
    torch.testing.assert_close(ours(x), ours(x))
