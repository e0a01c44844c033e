"""Summaries: numbers against the leaves of the network, known networks, the English, and how long they are."""

import re
import time
from collections import Counter

import numpy as np
import pytest

from nasturtium import spaces
from nasturtium.errors import SpaceError
from nasturtium.layers import (
    GRU,
    Add,
    Attention,
    BatchNorm,
    Branch,
    Chunk,
    Clone,
    Concat,
    Container,
    Conv2d,
    FeedForward,
    GlobalPool,
    LayerNorm,
    Linear,
    LinearSum,
    Multiply,
    Permute,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
)
from nasturtium.layers.events import MixtureOfHeads
from nasturtium.layers.fundamental import (
    DotProduct,
    Fold,
    LastLinear,
    LearnedOffset,
    MeanOverRest,
    Routing,
    Softmax,
    Unfold,
)
from nasturtium.report.flow import by_stage
from nasturtium.report.motifs import held
from nasturtium.report.outline import outline
from nasturtium.report.structure import Structure
from nasturtium.report.summary import summary
from nasturtium.space import Architecture, sequence
from nasturtium.space.graph import nodes_of
from tests.report.networks import EVERY, deep
from tests.skeletons.small import recipe_space


def said(layer, shape):
    return summary(Architecture(layer, input=shape))


def member(space, name):
    return summary(spaces.SPACES[space](spaces.SPACES[space].input).member(name))


def holds(architecture):
    return held(Structure().network(outline(architecture)))


def leaves(architecture):
    return [node for node in nodes_of(architecture.value, architecture.input) if node.layer is not None]


def unfolded_convolutions(architecture):
    """How often im2col, a linear map and col2im follow each other, and nothing else reads what is between."""
    nodes = nodes_of(architecture.value, architecture.input)
    readers = Counter(source for node in nodes for source, _ in node.inputs)
    found = 0
    for node in nodes:
        linear = nodes[node.inputs[0][0]] if isinstance(node.layer, Fold) else node
        if isinstance(linear.layer, LastLinear) and linear is not node and readers[node.inputs[0][0]] == 1:
            found += isinstance(nodes[linear.inputs[0][0]].layer, Unfold)
    return found


SAMPLES = {
    f"{name}-{seed}": space.sample(np.random.default_rng(seed))
    for name, row in spaces.SPACES.items()
    for space in [row(row.input)]
    for seed in range(1, 6)
}
ALL = EVERY | SAMPLES


@pytest.mark.parametrize("name", ALL)
def test_numbers_are_those_of_the_network(name):
    architecture = ALL[name]
    root = outline(architecture)
    motifs = Structure().network(root)
    assert sum(motif.params for motif in motifs) == root.cost.params == architecture.count()["params"]
    nodes = leaves(architecture)
    found = held(motifs)
    convolutions = [node.layer for node in nodes if hasattr(node.layer, "dilation") and hasattr(node.layer, "groups")]
    unfolded = unfolded_convolutions(architecture)
    assert found["convolution"] == len(convolutions) + unfolded
    assert found["dilated"] == sum(layer.dilation > 1 for layer in convolutions)
    norms = sum(type(node.layer).__name__.endswith("Norm") for node in nodes)
    assert found["normalisation"] == norms
    linear = sum(isinstance(node.layer, (Linear, LinearSum, LastLinear)) for node in nodes)
    assert found["linear"] == linear - unfolded
    if not any(isinstance(node.layer, Softmax) for node in nodes):
        assert found["attention"] == sum(isinstance(node.layer, (Attention, MixtureOfHeads)) for node in nodes)


@pytest.mark.parametrize("name", ALL)
def test_every_network_has_a_short_summary_in_clean_sentences(name):
    architecture = ALL[name]
    text = summary(architecture)
    params = architecture.count()["params"]
    assert (f"with {params:,} parameter" if params else "no parameters") in text
    check_english(text)
    begun = time.process_time()
    assert summary(architecture) == text
    assert time.process_time() - begun < 1  # at most 30 ms on a quiet core


def check_english(text):
    assert len(text.split()) <= 125
    assert text.endswith(".")
    assert "  " not in text
    assert " ," not in text
    assert " ." not in text
    assert not re.search(r"[a-z]\w*\(\w*=|\b[A-Z]\w+\(", text)  # no text of a part
    assert not re.search(r"\b(a|an) (a|an|the|two)\b", text)
    assert not re.search(r"\b(?:[2-9]|\d{2,}|two|three|four|five|six|seven|eight|nine|ten) [\w-]*convolution\b", text)
    assert not re.search(r"\ba [aeio]|\ba 8|\ba 11|\ban [bcdfgjkpqtvwyz]", text)
    assert 1 <= len(re.findall(r"\.(?: [A-Z0-9]|$)", text)) <= 6


def test_resnets():
    text = member("resnet", "ResNet-18")
    assert text.startswith("A convolutional network with 11,689,512 parameters, from an image of 3x224x224 to 1,000 ")
    assert "8 residual blocks, 20 convolutions and 1 linear map, with batch normalisation and ReLU" in text
    assert "a 7x7 convolution halving to 64x112x112, 3x3 max pooling halving to 64x56x56" in text
    assert "two residual blocks of two 3x3 convolutions each" in text
    deeper = member("resnet", "ResNet-50")
    assert "16 residual blocks, 53 convolutions" in deeper
    assert "six bottleneck residual blocks (the first halving to 1024x14x14)" in deeper
    last = 11_689_512 - 1000 * 513 - sum((9_536, 147_968, 525_568, 2_099_712))
    assert f"{100 * last / 11_689_512:.0f} % of the parameters are in the last stage (512x7x7)" in text


def test_mobilenet():
    text = member("mobilenet_v3", "MobileNetV3-Small")  # table 2 of the paper: 11 blocks, 9 squeeze
    assert "11 inverted residual blocks (6 with a skip), 9 squeeze-and-excitations" in text
    assert "34 convolutions (11 depthwise)" in text
    text = member("mobilenet_v3", "MobileNetV3-Large")
    assert "15 inverted residual blocks (10 with a skip), 8 squeeze-and-excitations" in text


def test_vision_transformer():
    text = member("transformer", "ViT-Ti/16")
    assert text.startswith("A transformer with ")
    assert "16x16 patch embedding to 196 steps of 192 channels, a class token" in text
    assert "twelve transformer layers (attention with 3 heads over 197 tokens and feed-forward of width 768)" in text
    assert "12 attention layers" in text


def test_darts():
    text = member("darts", "DARTS (second order)")
    assert "In all it has 8 cells, " in text
    assert text.count("a reduction cell") == 2
    assert "ten 3x3 separable convolutions, two skips and a 3x3 dilated separable convolution" in text


def test_densenet():
    text = member("densenet", "DenseNet-BC-100-12")
    assert "48 dense layers, 99 convolutions and 1 linear map" in text
    assert "16 dense layers of growth 12 to 216 channels" in text


def test_recurrent_cell():
    text = member("nasbench_nlp", "lstm")
    assert "an embedding of 10,000 tokens to 70 steps of 64 channels" in text
    assert "a recurrent cell of width 64 with 2 states" in text
    assert "1 recurrent layer and 5 linear maps" in text


def test_graph_network():
    text = member("nasbench_graph", "GCN")
    assert text.startswith("A graph neural network with 500,999 parameters, from 2,708 nodes with 1,433 channels")
    assert "two GCN message-passing layers" in text


def test_cells_of_nasbench201():
    text = member("nasbench201", "ResNet")  # edges that give zeros are no part of a cell
    assert "five residual blocks of two 3x3 convolutions each" in text
    assert "17 residual blocks, 37 convolutions" in text  # 15 cells, 2 reductions; 1 + 15 * 2 + 2 * 3


def test_im2col_linear_col2im_is_a_convolution():
    unit = Routing(Unfold(3, padding=1), LastLinear(3), Fold())
    text = said(Sequential(Branch(Clone(2), unit, Sequential(), join=Add()), GlobalPool()), (3, 8, 8))
    assert "a residual block of a 3x3 convolution and global mean pooling" in text
    assert "1 residual block and 1 convolution." in text
    assert "a 4x4 patch embedding" in said(Sequential(Unfold(4, stride=4), LastLinear(16)), (3, 8, 8))


def head():
    keys = Sequential(LastLinear(16), Permute((1, 0)))
    scores = Branch(Clone(2), LastLinear(16), keys, join=DotProduct(scaled=True))
    return Branch(Clone(2), Sequential(scores, Softmax()), LastLinear(16), join=DotProduct())


def test_softmax_of_a_product_times_a_third_is_attention():
    text = said(head(), (10, 16))
    assert "an attention layer with 1 head over 10 tokens" in text
    assert "1 attention layer and 3 linear maps" in text
    several = said(Sequential(Branch(Clone(4), head(), join=Concat()), LastLinear(16)), (10, 16))
    assert "an attention layer with 4 heads over 10 tokens" in several
    assert "1 attention layer and 13 linear maps" in several
    assert "an attention layer with 2 heads" in said(Branch(Chunk(2), head(), join=Concat()), (10, 16))


def test_gates_mixing_and_recurrence():
    gate = Sequential(GlobalPool(), Linear(4), ReLU(), Linear(16), Sigmoid())
    text = said(Sequential(Conv2d(16), Branch(Clone(2), Sequential(), gate, join=Multiply())), (3, 8, 8))
    assert "a 3x3 convolution to 16 channels and a squeeze-and-excitation" in text
    mixing = Residual(Sequential(Permute((1, 0)), FeedForward(2), Permute((1, 0))))
    assert "a residual token mixing over 10 tokens" in said(mixing, (10, 16)).replace("h r", "h a r")
    assert "a bidirectional GRU to 32 channels" in said(GRU(bidirectional=True), (10, 16))


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
