"""Transformers: published sizes, torch's own encoder layer, and what padding and causality promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import SpaceError
from nasturtium.layers import build
from nasturtium.space.infer import infer
from nasturtium.space.signal import image, sequence, tokens
from nasturtium.spaces.transformer import (
    RANGES,
    ClassToken,
    FirstStep,
    Patches,
    TransformerBody,
    TransformerLayer,
    patches_for,
    transformer,
)
from nasturtium.testing import check_space

VITS = {"ViT-Ti/16": 5_717_416, "ViT-S/16": 22_050_664, "ViT-B/16": 86_567_656}


def _space(input, ranges="small", **options):
    return transformer(input, 5, ranges=ranges, **options)


@pytest.mark.parametrize("name", VITS)
def test_published_vision_transformers(name):
    architecture = transformer((3, 224, 224), 1000).member(name)
    assert architecture.count()["params"] == VITS[name]
    assert architecture in transformer((3, 224, 224), 1000)


def test_vit_tiny_builds_and_costs_what_is_said():
    architecture = transformer((3, 224, 224), 1000, ranges="autoformer_tiny").member("ViT-Ti/16")
    with torch.device("meta"):
        module = architecture.build()
    assert sum(p.numel() for p in module.parameters()) == VITS["ViT-Ti/16"]
    with FlopCounterMode(display=False) as counter:
        y = module.eval()(torch.empty(1, 3, 224, 224, device="meta"))
    assert y.shape == (1, 1000)
    assert counter.get_total_flops() == architecture.count()["flops"]


def test_members_are_held_by_ranges_that_have_them():
    def members(**options):
        return list(transformer((3, 224, 224), 10, **options).members)

    assert members() == list(VITS)
    assert members(ranges="autoformer_tiny") == ["ViT-Ti/16"]
    assert members(ranges="autoformer_small") == ["ViT-S/16"]
    assert members(ranges="small") == members(causal=True) == []


def test_sizes_are_products():
    small = sum(16**layers for layers in range(1, 7))
    assert _space((1, 8, 8)).size == 3 * 5 * 2 * 2 * small
    assert _space((1, 8, 8), causal=True).size == 3 * 5 * 2 * 2 * small
    assert _space((None, 9)).size == 5 * 2 * small
    assert _space(tokens(20, 50)).size == 5 * 2 * 2 * small
    tiny = sum(4**layers for layers in (12, 13, 14))
    assert _space((3, 224, 224), "autoformer_tiny").size == 3 * 3 * 2 * 2 * tiny


@pytest.mark.parametrize("name", [name for name in RANGES if name.startswith("auto")])
def test_the_union_holds_every_range(name):
    for field in ("embeddings", "heads", "ratios", "layers"):
        assert set(getattr(RANGES[name], field)) <= set(getattr(RANGES["vit"], field))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_a_layer_is_torchs_encoder_layer(causal, masked):
    torch.manual_seed(0)
    ours = build(TransformerLayer(3, ratio=2, width=4, causal=causal), sequence(7, 12, mask=masked))
    theirs = nn.TransformerEncoderLayer(12, 3, 24, 0.0, "gelu", batch_first=True, norm_first=True)
    attention, feeding = _parts(ours)
    theirs.norm1.load_state_dict(attention[0].state_dict())
    theirs.norm2.load_state_dict(feeding[0].state_dict())
    theirs.self_attn.in_proj_weight.data.copy_(attention[1].project.weight)
    theirs.self_attn.in_proj_bias.data.copy_(attention[1].project.bias)
    theirs.self_attn.out_proj.load_state_dict(attention[1].output.state_dict())
    linear = [module for module in feeding[1].modules() if isinstance(module, nn.Linear)]
    theirs.linear1.load_state_dict(linear[0].state_dict())
    theirs.linear2.load_state_dict(linear[1].state_dict())
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in ours.parameters())
    x, mask = torch.randn(2, 7, 12), torch.arange(7) < torch.tensor([[7], [4]])
    later = torch.ones(7, 7, dtype=torch.bool).triu(1) if causal else None
    wanted = theirs(x, src_mask=later, src_key_padding_mask=~mask if masked else None)
    found = ours(x, mask)[0] if masked else ours(x)
    real = mask if masked else torch.ones_like(mask)
    torch.testing.assert_close(found[real], wanted[real])


def _parts(module):
    """(norm, attention) and (norm, feed-forward) of a layer."""
    norms = [inner for inner in module.modules() if isinstance(inner, nn.LayerNorm)]
    attention = next(inner for inner in module.modules() if type(inner).__name__ == "SelfAttention")
    feeding = [inner for inner in module.modules() if isinstance(inner, nn.Linear)]
    inside = set(attention.modules())
    return (norms[0], attention), (norms[1], nn.Sequential(*[inner for inner in feeding if inner not in inside]))


def test_patches_are_a_linear_map_of_each_patch():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 12)
    module = build(Patches(5, 4), image(3, 8, 12))
    weight, bias = [p.detach() for p in module.parameters()]
    cut = x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)  # (B, places, 48)
    torch.testing.assert_close(module(x), cut @ weight.flatten(1).T + bias)
    assert infer(Patches(5, 4), image(3, 8, 12)).shape == (6, 5)


@pytest.mark.parametrize(
    ("signal", "patches"),
    [
        (image(1, 8, 8), (1, 2, 4)),
        (image(1, 28, 28), (2, 4, 7, 14)),
        (image(3, 224, 224), (14, 16, 32)),
        (image(3, 45, 61), (4, 7, 8, 14, 16, 32)),
        (image(3, 1024, 1024), (64,)),
        (sequence(100, 2), (1, 2, 4, 8, 16, 32)),
        (sequence(3000, 2), (16, 32)),
        (sequence(3, 2), (1,)),
        (sequence(None, 2), (1,)),
        (tokens(5000, 9), (1,)),
    ],
    ids=str,
)
def test_patches_divide_an_image_and_leave_a_fair_number_of_steps(signal, patches):
    assert patches_for(signal) == patches


def test_class_token_and_first_step():
    torch.manual_seed(0)
    x, mask = torch.randn(2, 3, 4), torch.tensor([[True, True, False], [False, True, True]])
    longer, real = build(ClassToken(), sequence(3, 4, mask=True))(x, mask)
    torch.testing.assert_close(longer[:, 1:], x)
    assert torch.equal(longer[0, 0], longer[1, 0])
    assert real.tolist() == [[True, True, True, False], [True, False, True, True]]
    torch.testing.assert_close(build(FirstStep(), sequence(4, 4))(longer), longer[:, 0])
    assert infer(ClassToken(), sequence(3, 4)).length == 4
    assert infer(ClassToken(), sequence(None, 4)).length is None


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("signal", [sequence(9, 3, mask=True), sequence(None, 3, mask=True), tokens(9, 20, mask=True)])
def test_padding_does_not_matter(signal, causal):
    space, rng = _space(signal, causal=causal), np.random.default_rng(0)
    torch.manual_seed(0)
    made = torch.randint(20, (2, 9)) if signal.kind == "tokens" else torch.randn(2, 9, 3)
    mask = torch.arange(9) < torch.tensor([[9], [4]])
    other = made.clone()
    other[1, 4:] = 7
    for _ in range(6):
        module = space.sample(rng).build().eval()
        y = module(made, mask)
        assert y.shape == (2, 5)
        torch.testing.assert_close(module(other, mask), y)


def test_lengths_that_are_not_known_may_differ():
    space = _space(sequence(None, 3, mask=True))
    module = space.parse(
        "Sequential(TransformerBody(Patches(32), layers=Repeat(1, TransformerLayer(2, ratio=1, width=16)), "
        "positions='sinusoidal'), Linear(5))"
    ).build()
    torch.manual_seed(0)
    x = torch.randn(1, 6, 3)
    longer = torch.cat([x, torch.randn(1, 4, 3)], 1)
    real = torch.ones(1, 6, dtype=torch.bool)
    padded = torch.cat([real, torch.zeros(1, 4, dtype=torch.bool)], 1)
    torch.testing.assert_close(module(longer, padded), module(x, real))


def test_a_causal_layer_does_not_look_ahead():
    torch.manual_seed(0)
    module = build(TransformerLayer(2, width=4, causal=True), sequence(6, 8))
    x = torch.randn(1, 6, 8)
    changed = x.clone()
    changed[:, 4:] += 1
    torch.testing.assert_close(module(changed)[:, :4], module(x)[:, :4])
    assert not torch.allclose(module(changed)[:, 4:], module(x)[:, 4:])


@pytest.mark.parametrize(
    "input",
    [(1, 8, 8), (3, 13, 11), (None, 3), (40, 2), (1, 4), sequence(40, 2, mask=True), tokens(None, 30, mask=True)],
    ids=str,
)
def test_laws(input):
    check_space(_space(input), seeds=1)
    check_space(_space(input, causal=True), seeds=1)


def test_learns_digits():
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.images[:320], dtype=torch.float32)[:, None] / 16
    target = torch.tensor(digits.target[:320])
    torch.manual_seed(0)
    architecture = transformer((1, 8, 8), 10).parse(
        "Sequential(TransformerBody(Patches(32, size=2), layers=Repeat(2, TransformerLayer(2, ratio=2, width=16))), "
        "Linear(10))"
    )
    module = architecture.build()
    optimiser = torch.optim.AdamW(module.parameters(), 3e-3)
    for _ in range(20):
        for start in range(0, 320, 64):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(module(x[start : start + 64]), target[start : start + 64])
            loss.backward()
            optimiser.step()
    assert (module.eval()(x).argmax(1) == target).float().mean() > 0.9


def test_wrong_options_are_refused():
    with pytest.raises(SpaceError, match="did you mean 'autoformer_tiny'"):
        _space((1, 8, 8), "autoformer_tny")
    with pytest.raises(SpaceError, match="takes one image or sequence or tokens"):
        transformer((4,))
    with pytest.raises(SpaceError, match="knows no summary 'first'"):
        infer(TransformerBody(Patches(32), TransformerLayer(2), summary="first"), image(1, 8, 8))
