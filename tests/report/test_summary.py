"""Summaries: numbers against the leaves of the network, known networks, the English, and how long they are."""

import time
from collections import Counter

import numpy as np
import pytest

from nasturtium import spaces
from nasturtium.layers import (
    GRU,
    Add,
    Attention,
    Branch,
    Chunk,
    Clone,
    Concat,
    Conv2d,
    FeedForward,
    GlobalPool,
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
    Routing,
    Softmax,
    Unfold,
)
from nasturtium.report.motifs import held
from nasturtium.report.outline import outline
from nasturtium.report.structure import Structure
from nasturtium.report.summary import summary
from nasturtium.space.graph import nodes_of
from tests.report.networks import EVERY
from tests.report.sayings import check_english, leaves, member, said


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
