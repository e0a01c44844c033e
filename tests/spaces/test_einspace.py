"""einspace: options and weights as published, members with the published sizes, and the reference's defects absent."""

from __future__ import annotations

import pickle
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from nasturtium import Space
from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import Branch, Clone
from nasturtium.space.following import weight
from nasturtium.space.infer import infer
from nasturtium.space.sampling import draw
from nasturtium.space.signal import image, sequence
from nasturtium.spaces.einspace import einspace
from nasturtium.spaces.einspace_notation import AFTER, BEFORE, COMPUTATIONS, CONVOLUTIONS, JOINS, SPLITS
from nasturtium.testing import check_space
from nasturtium.testing.running import run_once

SPLIT_NAMES = "clone2 clone4 clone8 group_dim2s1d group_dim2s2d group_dim2s3d group_dim4s1d group_dim4s2d"
SPLIT_NAMES += " group_dim4s3d group_dim8s1d group_dim8s2d group_dim8s3d"
PERMUTATIONS = "identity permute21 permute132 permute213 permute231 permute312 permute321"
UNFOLDINGS = "im2col1k1s0p im2col1k2s0p im2col3k1s1p im2col3k2s1p im2col4k4s0p im2col8k8s0p im2col16k16s0p"
LINEAR = "linear16 linear32 linear64 linear128 linear256 linear512 linear1024 linear2048"
OTHERS = "norm leakyrelu softmax learnable_positional_encoding"


@cache
def space(*input: int, **options: Any) -> Space:
    return einspace(input or (3, 64, 64), 10, **options)


def backbone(text: str, *input: int) -> Any:
    """What leaves a backbone."""
    found = space(*input).from_notation(text)
    return infer(found.value.layers[0], *found.input)


def standing(where: Space, *taken: int) -> Any:
    """A derivation after these decisions."""
    derivation = where.derive()
    for index in taken:
        derivation.take(index)
    return derivation


def test_all_options_stand_in_the_permanent_order() -> None:
    assert list(SPLITS) == SPLIT_NAMES.split()
    assert list(BEFORE) == f"{PERMUTATIONS} {UNFOLDINGS}".split()
    assert list(AFTER) == f"{PERMUTATIONS} col2im".split()
    assert [name for name in COMPUTATIONS if name not in CONVOLUTIONS] == f"identity {LINEAR} {OTHERS}".split()
    assert [len(SPLITS), sum(map(len, JOINS.values())), len(BEFORE), len(AFTER)] == [12, 2 + 1 + 9 + 2, 14, 8]
    assert len({name for names in JOINS.values() for name in names}) == 12
    assert list(CONVOLUTIONS)[:5] == [
        "conv1d8k1s3p32d",
        "conv1d8k1s3p64d",
        "conv1d8k1s3p128d",
        "conv1d8k1s3p256d",
        "conv1d5k1s2p32d",
    ]
    assert len(CONVOLUTIONS) == 16


def test_the_choices_hold_those_options() -> None:
    start = standing(space())
    assert [len(option.options) if not hasattr(option, "fields") else 1 for option in start.point.choice.options] == [
        1,
        12,
        1,
    ]
    module = standing(space(), 0).point
    assert [*module.weights(module.offered)] == pytest.approx([0.68 / 3] * 3 + [0.32])
    computation = standing(space(), 0, 3).point
    assert list(computation.choice.options) == [
        layer for name, layer in COMPUTATIONS.items() if name not in CONVOLUTIONS
    ]
    assert list(standing(space(), 2).point.choice.options) == list(BEFORE.values())
    assert list(standing(space(), 2, 0, 3, 0).point.choice.options) == list(AFTER.values())


@pytest.mark.parametrize(("taken", "shares"), [((), [1 / 3] * 3), ((0,), [0.68 / 3] * 3 + [0.32]), ((2,), None)])
def test_productions_are_drawn_by_their_weights(taken: Any, shares: Any) -> None:
    point, rng = standing(space(), *taken).point, np.random.default_rng(0)
    drawn = Counter(draw(point, rng) for _ in range(6_000))
    shares = shares or [1 / len(point.offered)] * len(point.offered)
    assert set(drawn) == set(point.offered)
    assert chisquare([drawn[i] for i in point.offered], [6_000 * share for share in shares]).pvalue > 1e-3


def names_offered(table: dict[str, Any], point: Any) -> set[str]:
    return {list(table)[index] for index in point.offered}


@pytest.mark.parametrize(("size", "allowed"), [(64, (1, 3, 4, 8, 16)), (8, (1, 3, 4, 8)), (2, (1, 3))])
def test_only_routing_that_works_is_offered(size: int, allowed: Any) -> None:
    point = standing(space(3, size, size), 2).point
    unfoldings = {name for name in UNFOLDINGS.split() if int(name[6:].split("k")[0]) in allowed}
    assert names_offered(BEFORE, point) == {*PERMUTATIONS.split(), *unfoldings} - {"permute21"}
    steps = standing(space(3, size, size), 2, list(BEFORE).index("im2col1k1s0p"), 3, 0).point
    assert names_offered(AFTER, steps) == {"identity", "permute21", "col2im"}


def test_col2im_folds_what_its_own_routing_unrolled() -> None:
    unfold = list(BEFORE).index("im2col1k1s0p")
    inner = standing(space(), 2, unfold, 2, 0, 3, 0).point
    assert names_offered(AFTER, inner) == {"identity", "permute21"}
    after = standing(space(), 2, unfold, 2, 0, 3, 0, 1).point
    assert after.address.endswith("after")
    assert names_offered(AFTER, after) == {"identity", "permute21"}  # 3 tokens of 4,096 features do not fold
    back = standing(space(), 2, unfold, 2, 1, 3, 0, 1).point
    assert "col2im" in names_offered(AFTER, back)
    assert backbone("R[im2col3k2s1p R[permute21 C[linear2048] permute21] col2im]") == image(2 * 27, 32, 32)


# What the reference gets wrong (numbers of its list of defects).


def test_1_a_concatenation_joins_as_many_as_there_are() -> None:
    with pytest.raises(ParseError, match="cat_tensors1d4t"):
        space().from_notation("B[clone2 {C[identity] ; C[identity]} cat_tensors1d4t]")
    assert backbone("B[clone2 {C[identity] ; C[identity]} cat_tensors1d2t]", 4, 8, 8) == image(8, 8, 8)
    nested = "B[clone4 {B[clone2 {C[identity] ; C[identity]} add]} cat_tensors1d4t]"
    assert backbone(nested, 4, 8, 8) == image(16, 8, 8)
    inner = standing(space(), 1, 1, 1, 0, 3, 0, 3, 0, 2)  # four ways, two ways inside, added
    joins = list(JOINS[4].values())
    assert [inner.point.choice.options[i] for i in inner.point.offered] == joins
    product = "B[clone2 {B[clone4 {C[identity]} add] ; C[identity]} dot_product]"
    assert backbone(product, 4, 8, 8) == image(4, 8, 8)


@pytest.mark.parametrize("count", [4, 8])
def test_2_mutations_reach_every_copy(count: int) -> None:
    where, rng = einspace((4, 8, 8), limits={"params": 30_000, "flops": 1e7}), np.random.default_rng(0)
    parent = where.from_notation(f"B[clone{count} {{S[C[linear16] C[norm]]}} add]")
    changed = 0
    for _ in range(40):
        child = where.mutate(parent, rng)
        assert child != parent
        body = child.value.layers[0]
        if isinstance(body, Branch) and isinstance(body.split, Clone) and body.split.count == count:
            changed += 1
            run_once(child, 2, 0)
            children = dict(child.build()[0].named_children())
            paths = [children[name] for name in children if name not in ("split", "join")]
            assert len(paths) == count
            assert len({str(path) for path in paths}) == 1
            held = [set(map(id, path.parameters())) for path in paths]
            assert len(set().union(*held)) == sum(map(len, held))  # weights of their own
    assert changed > 5


def test_3_and_4_mutations_at_a_branch_and_on_sequences() -> None:
    rng = np.random.default_rng(0)
    for where in (space(4, 8, 8), space(16, 4)):
        parent = where.from_notation("B[clone2 {C[norm] ; C[leakyrelu]} add]")
        found = [where.mutate(parent, rng) for _ in range(150)]
        assert all(child in where and child != parent for child in found)
        assert {0, 1, 2} == {child.decisions[0] for child in found}
        paths = {child.value.layers[0].paths[0] for child in found if child.decisions[:2] == parent.decisions[:2]}
        assert len(paths - set(parent.value.layers[0].paths)) > 1


def test_10_the_head_pools_over_tokens_and_classifies_features() -> None:
    text = "S[R[im2col4k4s0p C[linear32] identity] C[norm]]"
    ours, theirs = space().from_notation(text), space(head="reference").from_notation(text)
    body = 48 * 32 + 32 + 64
    assert ours.count()["params"] == body + 33 * 10
    assert theirs.count()["params"] == body + 257 * 10
    whole = ours.build()
    x = torch.randn(2, 3, 64, 64)
    tokens = whole[0](x)
    assert tokens.shape == (2, 256, 32)
    assert torch.allclose(whole(x), whole[-1](tokens.mean(1)), atol=1e-6)
    flat = space(head="reference").from_notation("S[C[norm] C[identity]]")
    assert flat.count()["params"] == 6 + 40


def test_13_an_axis_that_is_too_short_is_no_reason_against_the_others() -> None:
    point = standing(space(), 1).point
    assert names_offered(SPLITS, point) == set(SPLITS) - {f"group_dim{count}s1d" for count in (2, 4, 8)}
    assert names_offered(SPLITS, standing(space(12, 4, 5), 1).point) == {
        *("clone2", "clone4", "clone8"),
        *("group_dim2s1d", "group_dim4s1d", "group_dim2s2d", "group_dim4s2d"),
    }


# Samples and variants.


@pytest.mark.parametrize("input", [(3, 16, 16), (2, 9, 12), (24, 6)])
def test_samples_run_forward_and_backward(input: Any) -> None:
    where = einspace(input, 5, nodes=300, limits={"params": 200_000, "flops": 2e7, "activations": 1e6})
    rng = np.random.default_rng(0)
    for seed in range(60):
        run_once(where.sample(rng), 3, seed)


def test_the_variant_for_sequences() -> None:
    where = space(100, 4)
    point = standing(where, 0, 3).point
    assert list(point.choice.options) == list(COMPUTATIONS.values())
    assert len(point.offered) == 29
    assert names_offered(BEFORE, standing(where, 2).point) == {"identity", "permute21"}
    assert len(standing(where, 2).point.choice.options) == 7
    found = where.from_notation("S[C[conv1d8k1s3p32d] R[permute21 C[conv1d5k1s2p64d] identity]]")
    assert infer(found.value.layers[0], *found.input) == sequence(32, 64)
    assert found.count()["params"] == 4 * 8 * 32 + 32 + 100 * 5 * 64 + 64 + 650
    run_once(found, 2, 0)
    plain = standing(space(100, 4, variant="2d"), 2)
    assert names_offered(BEFORE, plain.point) == {"identity", "permute21"}
    assert list(plain.point.choice.options) == list(BEFORE.values())


@pytest.mark.parametrize(
    ("input", "options"),
    [
        ((5,), {}),
        ((None, 5), {}),
        (sequence(9, 5, mask=True), {}),
        ((3, 8, 8), {"compute": 0.0}),
        ((3, 8, 8), {"head": "mean"}),
        ((3, 8, 8), {"variant": "3d"}),
        ((3, 8, 8), {"nodes": 2}),
        ((3, 8, 8), {"depth": 0}),
    ],
)
def test_what_cannot_be_used_is_refused(input: Any, options: Any) -> None:
    with pytest.raises(SpaceError):
        einspace(input, **options)


def test_limits_hold_and_the_space_travels() -> None:
    where, rng = space(nodes=60, depth=6), np.random.default_rng(0)
    for _ in range(100):
        architecture = where.sample(rng)
        assert weight(architecture) <= 60
        assert where.to_notation(architecture).count("[") <= 60
    again = pickle.loads(pickle.dumps(where))  # noqa: S301 - our own
    assert again.fingerprint == where.fingerprint
    assert again.sample(np.random.default_rng(5)) == where.sample(np.random.default_rng(5))


@pytest.mark.parametrize("input", [(1, 8, 8), (24, 6)])
def test_laws(input: Any) -> None:
    check_space(einspace(input, 4, nodes=500), seeds=2)
