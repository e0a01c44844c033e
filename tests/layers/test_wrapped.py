"""Wrapped modules: signals, parameters and FLOPs are those of the module itself, and of the built-in layers."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium import Architecture, Signal, Space, choice
from nasturtium.errors import Mismatch, SpaceError
from nasturtium.layers import Branch, Clone, Concat, Conv2d, ConvBlock, Flatten, GlobalPool, Linear, Sequential, wrap
from nasturtium.space.infer import cost_of, infer
from nasturtium.space.signal import image, sequence, tokens, vector
from nasturtium.testing import check_space


class Scorer(nn.Module):
    """Recurrent, with a head: (B, T, C) to (B, T, out)."""

    def __init__(self, channels, out, hidden=8, norm=nn.LayerNorm):
        super().__init__()
        self.gru = nn.GRU(channels, hidden, batch_first=True)
        self.head = nn.Sequential(norm(hidden), nn.Linear(hidden, out))

    def forward(self, x):
        return self.head(self.gru(x)[0])


class Looking(nn.Module):
    """Looks at values, which tensors without content have not."""

    def forward(self, x):
        return x if float(x.sum()) > -1e9 else -x


class Masked(nn.Module):
    def forward(self, x, mask):
        return (x * mask.unsqueeze(-1)).sum(1)


class Two(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.map = nn.Bilinear(first, second, 4)

    def forward(self, x, y):
        return self.map(x, y), x


def convolution(channels, out, kernel=3):
    return nn.Conv2d(channels, out, kernel, padding=kernel // 2)


WrappedScorer = wrap(Scorer, name="WrappedScorer", channels="channels")
WrappedConvolution = wrap(convolution, name="WrappedConvolution", channels="channels")
WrappedLinear = wrap(nn.Linear, name="WrappedLinear", channels="in_features")


def test_arguments_become_fields():
    assert WrappedScorer.fields == ("out", "hidden")
    assert str(WrappedScorer(5)) == "WrappedScorer(5)"
    text = "Sequential(WrappedScorer(5, hidden=3), GlobalPool(), Linear(2))"
    assert str(Architecture.parse(text, input=(9, 4))) == text


@pytest.mark.parametrize("signal", [image(3, 8, 8), image(1, 5, 7)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_convolution_is_as_the_layer(signal, kernel):
    ours, wrapped = Conv2d(6, kernel=kernel), WrappedConvolution(6, kernel=kernel)
    assert infer(wrapped, signal) == infer(ours, signal)
    assert cost_of(wrapped, (signal,)) == cost_of(ours, (signal,))


@pytest.mark.parametrize("signal", [vector(5), sequence(7, 5), sequence(None, 5), sequence(7, 5, mask=True)])
def test_a_linear_map_is_as_the_layer(signal):
    ours, wrapped = Linear(6), WrappedLinear(6)
    assert infer(wrapped, signal) == infer(ours, signal)
    assert cost_of(wrapped, (signal,)) == cost_of(ours, (signal,))


def test_parameters_are_those_of_the_module():
    architecture = Architecture(Sequential(WrappedScorer(5, hidden=6), GlobalPool(), Linear(2)), input=(9, 4))
    module = architecture.build()
    assert architecture.count()["params"] == sum(each.numel() for each in module.parameters())
    assert module(torch.randn(3, 9, 4)).shape == (3, 2)


def test_running_it_changes_no_generator_and_is_remembered():
    made = []

    def counting(channels):
        made.append(channels)
        return nn.Linear(channels, 2)

    layer = wrap(counting, name="WrappedCounting", channels="channels")
    state = torch.get_rng_state()
    for _ in range(3):
        infer(layer(), vector(4))
        cost_of(layer(), (vector(4),))
    assert torch.equal(torch.get_rng_state(), state)
    assert made == [4]


def test_modules_that_look_at_values_are_run_with_some():
    layer = wrap(Looking, name="WrappedLooking")
    assert infer(layer(), vector(4)) == vector(4)


def test_masks_tokens_several_inputs_and_outputs():
    masked = wrap(Masked, name="WrappedMasked", mask=True)
    module = Architecture(Sequential(masked(), Linear(2)), input=sequence(6, 3, mask=True)).build()
    x, mask = torch.randn(2, 6, 3), torch.arange(6) < torch.tensor([[2], [6]])
    torch.testing.assert_close(module(x, mask), module(x.masked_fill(~mask.unsqueeze(-1), 9.0), mask))
    embed = wrap(nn.Embedding, name="WrappedEmbedding", computed={"num_embeddings": lambda x: x.vocabulary[0]})
    assert infer(embed(5), tokens(7, 30)) == sequence(7, 5)
    two = wrap(Two, name="WrappedTwo", computed={"first": lambda x, y: x.channels, "second": lambda x, y: y.channels})
    assert infer(two(), vector(3), vector(5)) == (vector(4), vector(3))
    assert cost_of(two(), (vector(3), vector(5))).params == 3 * 5 * 4 + 4


class Averaging(nn.Module):
    """The mean over all steps, padded ones too."""

    def forward(self, x):
        return x.mean(1)


@pytest.mark.parametrize(
    "module",
    [Averaging(), nn.Conv1d(4, 4, 3, padding=1), nn.GRU(4, 4, batch_first=True, bidirectional=True)],
    ids=["mean", "convolution", "both ways"],
)
@pytest.mark.parametrize("length", [9, None])
def test_modules_that_take_padding_for_content_are_refused(module, length):
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = module

        def forward(self, x):
            if isinstance(module, nn.Conv1d):
                return module(x.transpose(1, 2)).transpose(1, 2)
            left = module(x)
            return left[0] if isinstance(left, tuple) else left

    layer = wrap(Turned, name="WrappedTurned")
    with pytest.raises(Mismatch, match=r"depends on the padding.*mask=True"):
        infer(layer(), sequence(length, 4, mask=True))
    infer(layer(), sequence(length, 4))


def test_modules_that_look_back_alone_need_no_mask():
    class Backward(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.GRU(4, 5, batch_first=True)

        def forward(self, x):
            return self.inner(x)[0]

    layer = wrap(Backward, name="WrappedBackward")
    assert infer(layer(), sequence(None, 4, mask=True)) == sequence(None, 5, mask=True)


def test_rules_of_the_user_come_first():
    layer = wrap(
        Scorer, name="WrappedRuled", channels="channels",
        signal=lambda layer, x: x.with_channels(layer.out), flops=lambda layer, x: 7 * layer.hidden,
    )  # fmt: skip
    assert infer(layer(5), sequence(9, 4, mask=True)) == sequence(9, 5, mask=True)
    assert cost_of(layer(5), (sequence(9, 4),)).flops == 56


def test_a_space_of_wrapped_layers_keeps_the_laws():
    block = WrappedConvolution(choice(4, 6), kernel=choice(1, 3))
    net = Sequential(
        ConvBlock(4), block, Flatten("sequence"), WrappedScorer(3, hidden=choice(2, 3)), GlobalPool(), Linear(2)
    )
    space = Space(net, input=(1, 6, 6), name="wrapped")
    check_space(space, seeds=2)
    assert space.size == 8


def test_options_that_do_not_fit_are_not_offered():
    space = Space(Sequential(choice(WrappedConvolution(4), Linear(4)), Linear(2)), input=(3,), name="fitting")
    assert {str(each) for each in space.enumerate()} == {"Sequential(Linear(4), Linear(2))"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: wrap(nn.Linear), "there is a layer 'Linear' already"),
        (lambda: wrap(lambda x: x), "cannot be called '<lambda>'"),
        (lambda: wrap(Scorer, name="W1", channels="channel"), "did you mean 'channels'"),
        (lambda: wrap(3, name="W2"), "needs a module class"),
        (lambda: infer(wrap(lambda a: a, name="W3")(3), vector(2)), "gives 3, not a torch.nn.Module"),
        (lambda: infer(wrap(nn.ReLU, name="W4")(inplace=nn.ReLU), vector(2)), "no plain value"),
        (lambda: infer(WrappedConvolution(5), vector(4)), "cannot work on vector 4"),
        (lambda: infer(wrap(Masked, name="W5")(), sequence(6, 3)), r"does its forward take \(B, 6, 3\)"),
        (lambda: infer(wrap(lambda: Total(), name="W6")(), vector(3)), "batch first"),
    ],
)
def test_errors_say_what_would_do(make, said):
    with pytest.raises((SpaceError, Mismatch), match=said):
        make()


class Total(nn.Module):
    def forward(self, x):
        return x.sum()


def test_wrapped_layers_travel_by_the_module_that_wraps_them(tmp_path):
    (tmp_path / "mine.py").write_text(
        textwrap.dedent("""
        from torch import nn
        from nasturtium.layers import wrap

        def small(channels, out=3):
            return nn.Linear(channels, out)

        Differs = wrap(small, name="TravelsFar", channels="channels")
        """)
    )
    read = "import sys, pickle; print(pickle.loads(sys.stdin.buffer.read()))"
    write = "import sys, pickle, mine; sys.stdout.buffer.write(pickle.dumps(mine.Differs(5)))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def run(code, data=b""):
        command = [sys.executable, "-c", code]
        return subprocess.run(command, input=data, capture_output=True, env=environment, check=True).stdout

    assert run(read, run(write)).decode().strip() == "TravelsFar(5)"


def test_a_copy_is_equal():
    layer = WrappedScorer(5, hidden=3)
    assert pickle.loads(pickle.dumps(layer)) == layer  # noqa: S301
    assert Signal("vector", (2,)) == infer(Sequential(GlobalPool(), Linear(2)), infer(layer, sequence(4, 4)))


def test_a_cell_that_is_run_again_replaces_the_layer():
    first = wrap(Scorer, name="WrappedAgain", channels="channels")
    second = wrap(Scorer, name="WrappedAgain", channels="channels")
    assert first is not second
    assert type(Architecture.parse("WrappedAgain(5)").value) is second
    rng = np.random.default_rng(0)
    net = Sequential(Branch(Clone(2), second(4), second(choice(4, 5)), join=Concat()), GlobalPool())
    assert Space(net, input=(5, 3), name="again").sample(rng).build()(torch.randn(2, 5, 3)).shape[0] == 2
