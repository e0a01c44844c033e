"""The sizes of the spaces, against products of the numbers of options written out here."""

from __future__ import annotations

from nasturtium.space.signal import sequence, tokens
from nasturtium.spaces import convnet, mlp, multibranch, sequencenet

UNIT = 3 * 2 * 2 * 2 * 3  # expansion, kernel, separable, skip, activation
HEAD = 3 * 4  # pooling, dropout
HALVING = 3  # stride, max, mean


def test_convnet_on_digits():
    first = 7 * 2 * (3 * UNIT)  # channels and kernel of the stem; one to three units
    second = HALVING * 6 * (3 * UNIT)
    assert convnet(input=(1, 8, 8)).size == first * second * HEAD


def test_convnet_has_a_stage_for_each_halving():
    first = 5 * 2 * 2 * (3 * UNIT)  # a large side leaves the stride of the stem open
    second, third, fourth = (HALVING * channels * (3 * UNIT) for channels in (6, 7, 6))
    assert convnet(input=(1, 28, 28)).size == first * second * third * fourth * HEAD
    assert convnet(input=(3, 32, 32), depth=1).size == first * second * third * fourth * HEAD // 3**4


def test_multibranch_counts_paths():
    block = 2 * (8**2 + 8**3 + 8**4)  # sum or concatenation of two, three or four paths
    sizes = 7 * 2 * (2 * block), HALVING * 6 * (2 * block)
    assert multibranch(input=(1, 8, 8)).size == sizes[0] * sizes[1] * HEAD
    narrow = 2 * 8**2
    assert multibranch(input=(1, 8, 8), depth=1, paths=2).size == 7 * 2 * narrow * HALVING * 6 * narrow * HEAD


def test_mlp_has_one_or_two_stacks():
    stack = 6 * 3 * 3 * 3 * 2 * 4  # width, depth, norm, activation, skip, dropout
    assert mlp(input=(16,)).size == stack * (1 + stack)
    assert mlp(input=(1, 8, 8), depth=1).size == stack // 3 * (1 + stack // 3)


def test_sequencenet_counts_blocks():
    convolutions, recurrent, attention = 4 * 3 * 3, 4, 3 * 3 * 2
    block = convolutions + recurrent + attention
    blocks = block * (1 + block) ** 3
    head = 4 * 4
    known = 5 * 3 * 2 * 3 * 3 * blocks * head  # stem: channels, kernel, stride; positions; pooling half-way
    assert sequencenet(input=(96, 1)).size == known
    unknown = 5 * 3 * 2 * blocks * head  # no stride, no learned positions, no pooling
    assert sequencenet(input=sequence(None, 9, mask=True)).size == unknown
    words = 4 * 3 * unknown  # embedding and its dropout
    assert sequencenet(input=tokens(None, 100, mask=True)).size == words


def test_widths_that_round_to_the_same_are_one():
    assert convnet(input=(1, 8, 8), width=0.01).size == 2 * (3 * UNIT) * HALVING * (3 * UNIT) * HEAD
