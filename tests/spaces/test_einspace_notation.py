"""einspace in brackets: by hand, there and back, and what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from nasturtium import Space
from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import Add, Branch, Chunk, Clone, Concat, Identity, Permute, Sequential
from nasturtium.layers.fundamental import DotProduct, Fold, LastLinear, LearnedOffset, ModeNorm, Routing, Unfold
from nasturtium.spaces.einspace import einspace


@cache
def space(*input: int, **options: Any) -> Space:
    return einspace(input or (3, 64, 64), 10, **options)


@pytest.mark.parametrize("input", [(3, 64, 64), (1, 8, 8), (24, 6)])
def test_notation_comes_back(input: Any) -> None:
    where, rng = einspace(input, compute=0.4, nodes=300), np.random.default_rng(0)
    for _ in range(700):
        architecture = where.sample(rng)
        text = where.to_notation(architecture)
        again = where.notation.read(text)  # type: ignore[union-attr]
        assert again == architecture.value
    assert where.from_notation(text) == architecture


def test_notation_by_hand() -> None:
    text = "S[B[clone_tensor2 {R[im2col3k1s1p C[linear64] col2im] ; C[linear64]} cat_tensors1d2t] C[pos-enc]]"
    conv = Routing(Unfold(3, 1, 1), LastLinear(64), Fold())
    branch = Branch(Clone(2), conv, LastLinear(64), join=Concat(0))
    found = space().from_notation(text)
    assert found.value.layers[0] == Sequential(branch, LearnedOffset())
    assert space().to_notation(found) == text.replace("_tensor2", "2").replace(
        "pos-enc", "learnable_positional_encoding"
    )
    turned = space(8, 8, 8).from_notation("B[group_dim4s2d {R[permute231 C[norm] permute132]} add]")
    routing = Routing(Permute((1, 2, 0)), ModeNorm(), Permute((0, 2, 1)))
    assert turned.value.layers[0] == Branch(Chunk(4, 1, equal=True), routing, join=Add())
    product = space().from_notation("B[clone2 {C[identity] ; C[identity]} scaled_dot_product]")
    assert product.value.layers[0] == Branch(Clone(2), Identity(), Identity(), join=DotProduct(True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a module.*at place 0, not the end"),
        ("S[C[norm]]", r"a module: S\[, B\[, R\[ or C\[ at place 9, not '\]'"),
        ("S[C[norm] C[norm] C[norm]]", "expected ']' at place 18"),
        ("C[nrom]", "a computation at place 2, not 'nrom'; did you mean 'norm'"),
        ("S[C[norm] C[norm]] x", "the end at place 19"),
        ("B[clone4 {C[norm] ; C[norm]} add]", "one module, which stands for all.*clone4"),
        ("B[clone2 {C[norm]} add]", "two modules"),
        ("R[im2col3k1s1p C[norm] im2col1k1s0p]", "a routing at place 23"),
        ("[" * 9_000, "a module"),
        ("S[" * 9_000, "nested too deep"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        space().from_notation(text)


def test_what_is_no_backbone_is_refused() -> None:
    with pytest.raises(SpaceError):
        space().from_notation("C[norm]")  # S has no computation alone
    with pytest.raises(SpaceError):
        space().from_notation("S[C[conv1d3k1s1p32d] C[norm]]")
    with pytest.raises(SpaceError):
        space().from_notation("S[R[permute21 C[norm] identity] C[norm]]")
