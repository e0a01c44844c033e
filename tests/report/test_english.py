"""Articles, plurals, lists and counts in sentences."""

import pytest

from nasturtium.report.english import article, counted, listed, plural, spaced, total


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("8-way branch", "an"), ("18x18 patch", "an"), ("11x11 convolution", "an"), ("1x1 convolution", "a"),
        ("80-step convolution", "an"), ("181-step convolution", "a"), ("LSTM", "an"), ("GRU", "a"), ("GCN layer", "a"),
        ("inverted residual", "an"), ("unit", "a"), ("upsampling", "an"), ("one-way street", "a"), ("MLP", "an"),
    ],
)  # fmt: skip
def test_articles(word, wanted):
    assert article(word) == wanted


def test_plurals_and_lists():
    assert [plural(word) for word in ("branch", "softmax", "entry", "array", "layer")] == [
        "branches", "softmaxes", "entries", "arrays", "layers",
    ]  # fmt: skip
    assert counted(13, "3x3 ", "convolution") == "13 3x3 convolutions"
    assert counted(2, "3x3 max ", "pooling") == "two rounds of 3x3 max pooling"
    assert [total(count, "token mixing") for count in (1, 1_200)] == [
        "1 round of token mixing",
        "1,200 rounds of token mixing",
    ]
    assert plural("token mixing") == "token mixing"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a and b", "c"]) == "a and b, and c"
    assert [spaced(name) for name in ("ClassToken", "GRUCell", "FirstStep", "Conv2d")] == [
        "class token", "GRU cell", "first step", "conv2d",
    ]  # fmt: skip
