"""What summaries in words make of chains, memories, dense blocks and repetitions."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import SpaceError
from nasturtium.layers import (
    Add,
    Attention,
    BatchNorm,
    Chunk,
    Concat,
    Container,
    Conv2d,
    FeedForward,
    GlobalPool,
    LayerNorm,
    Linear,
    Permute,
    Residual,
    Sequential,
)
from nasturtium.layers.fundamental import (
    LastLinear,
    LearnedOffset,
    MeanOverRest,
    Softmax,
)
from nasturtium.report.flow import by_stage
from nasturtium.report.motifs import held
from nasturtium.report.outline import outline
from nasturtium.report.structure import Structure
from nasturtium.report.summary import summary
from nasturtium.space import Architecture, sequence
from tests.report.networks import deep
from tests.report.sayings import check_english, leaves, member, said
from tests.skeletons.small import recipe_space


def holds(architecture):
    return held(Structure().network(outline(architecture)))


class Decoder(Container):
    """Attention within, attention to a memory that is normalised first, and a feed-forward layer."""

    def wire(self, x, memory):
        x = yield Residual(Attention(4)), x
        memory = yield LayerNorm(), memory
        y = yield Attention(2), x, memory
        x = yield Add(), y, x
        return (yield Residual(FeedForward(2)), x)


class Decoded(Container):
    """Two decoder layers that read one memory."""

    def wire(self, x):
        memory, queries = yield Chunk(2, axis=0), x
        for _ in range(2):
            queries = yield Decoder(), queries, memory
        return queries


def test_a_memory_that_is_attended_to_leaves_a_chain_a_chain():
    text = said(Sequential(Decoder(), Linear(3)), (sequence(5, 16), sequence(9, 16)))
    parts = "attention with 4 heads over 5 tokens, cross-attention with 2 heads over 9 tokens and feed-forward"
    assert f"a transformer layer ({parts} of width 32), and a linear map to 3 channels" in text
    assert "two transformer layers (attention with 4 heads over 6 tokens, cross-" in said(Decoded(), (12, 16))


class AllBefore(Container):
    """Three layers that each read everything before them."""

    def wire(self, x):
        states = [x]
        for number in range(3):
            read = (yield Concat(), *states) if number else x
            states.append((yield Conv2d(4), read))
        return (yield Concat(), *states)


def test_layers_that_read_all_before_are_a_dense_block():
    text = said(AllBefore(), (3, 8, 8))
    assert "a dense block of three layers that each read all before to 15 channels" in text
    assert "1 dense block and 3 convolutions" in text


def test_what_repeats_is_said_once():
    pair = Sequential(Conv2d(3, kernel=5), BatchNorm(), Conv2d(3, kernel=1))
    text = said(Sequential(*[pair] * 7), (3, 8, 8))
    assert "seven times (a 5x5 convolution and a 1x1 convolution)" in text


def test_what_is_pooled_after_a_transposition_is_said():
    text = said(Sequential(LastLinear(16), Permute((1, 0)), GlobalPool(), Linear(2)), (12, 5))
    assert "a linear map to 16 channels, a transposition to 16 steps of 12 channels, global mean pooling" in text
    there_and_back = said(Sequential(Permute((0, 2, 1)), GlobalPool(), Linear(2)), (3, 8, 8))
    assert "transposition" not in there_and_back  # as large as before


def test_a_run_is_mostly_what_more_than_half_of_it_is():
    def told(*layers):
        return by_stage(Structure().network(outline(Architecture(Sequential(*layers), input=(12, 5)))))

    mixed = (LastLinear(8), Softmax(), LearnedOffset())
    assert told(*mixed) == "three layers and blocks over 12 steps of 8 channels"
    assert told(LastLinear(9), LastLinear(7), *mixed) == (
        "five layers and blocks, mostly linear maps (3), over 12 steps of 8 channels"
    )


def test_an_unknown_layer_is_named_by_its_class():
    assert "a mean over rest readout" in said(MeanOverRest(), (3, 8, 8))


def test_grammars_of_thousands_of_layers():
    largest = 0
    for architecture in deep():
        nodes = leaves(architecture)
        largest = max(largest, len(nodes))
        check_english(summary(architecture))
        found = holds(architecture)
        kinds = Counter(type(node.layer).__name__ for node in nodes)
        assert found["convolution"] + found["linear"] == kinds["LastLinear"] + kinds["Linear"]
    assert largest > 1000


def test_what_is_no_network_is_refused():
    with pytest.raises(SpaceError, match="no layer"):
        summary(recipe_space().sample(np.random.default_rng(0)))


def test_what_spans_resolutions_is_not_put_into_one_of_them():
    text = member("nasbench_mr", "largest")
    assert "a four-stream part of 144 residual blocks" in text
    assert "160 residual blocks, 405 convolutions" in text
    assert text.endswith("of the parameters are in the four-stream part.")
