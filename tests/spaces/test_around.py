"""The space around a network: its start is the module itself, by parameters and by outputs with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import nasturtium as nt
from nasturtium import layers
from nasturtium.errors import SpaceError
from nasturtium.layers import Linear
from nasturtium.space.signal import vector
from nasturtium.spaces import around
from nasturtium.spaces.outline import Branch
from nasturtium.spaces.reading import read_module
from nasturtium.testing import check_space


class Block(nn.Module):
    """A basic block as ResNets have it."""

    def __init__(self, before, after, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        same = stride == 1 and before == after
        self.down = (
            None if same else nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        )

    def forward(self, x):
        identity = x if self.down is None else self.down(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += identity
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.stage1 = nn.Sequential(Block(8, 8), Block(8, 8))
        self.stage2 = nn.Sequential(Block(8, 16, 2), Block(16, 16))
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stage2(self.stage1(self.stem(x)))
        x = F.adaptive_avg_pool2d(x, 1)
        return self.head(F.dropout(x.view(x.size(0), -1), 0.2, self.training))


class Reader(nn.Module):
    def __init__(self, last):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.lstm = nn.LSTM(16, 12, num_layers=2, batch_first=True, bidirectional=not last, dropout=0.1)
        self.norm = nn.LayerNorm(12 if last else 24)
        self.head = nn.Linear(12 if last else 24, 5)
        self.last = last

    def forward(self, x):
        y, _ = self.lstm(self.embed(x))
        y = self.norm(y)
        return self.head(y[:, -1] if self.last else torch.mean(y, 1))


def vgg():
    block = [nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()]
    other = [nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()),
        nn.Sequential(*block, *other, nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(16, 24, 4, stride=2, padding=1), nn.GELU(), nn.AvgPool2d(3, 2, 1)),
        nn.Sequential(nn.Conv2d(24, 24, 5, padding=2, groups=24), nn.Conv2d(24, 24, 1, groups=3), nn.GroupNorm(4, 24)),
        nn.MaxPool2d(2),  # of 7 / 2: torch rounds down
        nn.Flatten(),
        nn.Sequential(nn.LazyLinear(20), nn.Tanh(), nn.Dropout(0.25), nn.Linear(20, 10)),
    )


def patches():
    """A ViT-like stem, a dilated convolution, a valid one, rounding up, unequal windows."""
    return nn.Sequential(
        nn.Conv2d(3, 12, 4, stride=4), nn.Hardswish(), nn.Conv2d(12, 12, 3, padding=2, dilation=2), nn.ReLU6(),
        nn.Conv2d(12, 14, (3, 1), padding=(1, 0)), nn.LeakyReLU(), nn.Conv2d(14, 10, 2),
        nn.MaxPool2d(2, ceil_mode=True), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(10, 4),
    )  # fmt: skip


def mlp():
    inner = [each for _ in range(3) for each in (nn.Linear(32, 32), nn.ReLU())]
    return nn.Sequential(nn.Linear(20, 32), nn.BatchNorm1d(32), nn.SiLU(), *inner, nn.Linear(32, 3))


TOKENS = nt.Signal("tokens", (9,), vocabulary=(50,))
CASES = {
    "vgg": (vgg, (1, 29, 29), lambda: torch.randn(3, 1, 29, 29)),
    "patches": (patches, (3, 38, 38), lambda: torch.randn(2, 3, 38, 38)),
    "mlp": (mlp, (20,), lambda: torch.randn(4, 20)),
    "resnet": (ResNet, (3, 17, 17), lambda: torch.randn(2, 3, 17, 17)),
    "lstm": (lambda: Reader(True), TOKENS, lambda: torch.randint(0, 50, (2, 9))),
    "both ways": (lambda: Reader(False), TOKENS, lambda: torch.randint(0, 50, (2, 9))),
}


@pytest.fixture(params=CASES)
def case(request):
    torch.manual_seed(0)
    make, input, example = CASES[request.param]
    network, x = make(), example()
    network(x)  # so that lazy modules have their sizes, and running statistics are not trivial
    return network.eval(), around(network, input=input), x


def test_start_is_the_module(case):
    network, space, x = case
    start = space.member("start")
    module = start.build().eval()
    assert start.count()["params"] == sum(each.numel() for each in network.parameters())
    given = network.state_dict().values()
    module.load_state_dict(dict(zip(module.state_dict(), given, strict=True)))
    with torch.no_grad():
        torch.testing.assert_close(module(x), network(x), rtol=1e-5, atol=1e-5)


def test_laws_hold_around(case):
    _, space, _ = case
    check_space(space, seeds=2)


def test_neighbours_keep_what_leaves(case):
    network, space, x = case
    start = space.member("start")
    outputs = network(x).shape[1:]
    neighbours = list(space.neighbours(start))
    assert len(neighbours) > 8
    assert all(each.output.shape == tuple(outputs) for each in neighbours)
    assert len({each.hash for each in neighbours}) == len(neighbours)


def test_widths_of_a_residual_stage_are_one_decision():
    space = around(ResNet(), input=(3, 16, 16))
    rng = np.random.default_rng(0)
    for _ in range(5):  # no sum needs a projection but that of the strided block, which the module has
        module = space.sample(rng).build()
        module(torch.randn(2, 3, 16, 16))
        strided = [each for each in module.modules() if isinstance(each, nn.Conv2d) and each.stride == (2, 2)]
        assert len(strided) == 2
    widths = {step.point.choice.share for step in space.member("start").steps if step.point.choice.share}
    assert len(widths) == 2  # that of each stage; the hidden ones of the blocks are their own, or one in copies


def test_size_is_that_of_the_enumeration():
    network = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    space = around(network, input=(6,), factors=(0.5, 1))
    assert space.size == len({each.hash for each in space.enumerate()}) == 2 * 3 * 4 * 4


def test_widths_that_enter_groups_are_multiples_of_them():
    body = layers.Residual(layers.Sequential(layers.Conv2d(6, groups=2), layers.ReLU(), layers.Conv2d(6)))
    network = layers.Sequential(layers.Conv2d(6), body, layers.GlobalPool(), Linear(3))
    space = around(network, input=(3, 8, 8), factors=(0.5, 0.75, 1), kernels=(3,))
    assert space.size == sum(1 for _ in space.enumerate())
    depthwise = layers.Sequential(layers.Conv2d(6), layers.Conv2d(12, groups="depthwise"), layers.GlobalPool())
    space = around(layers.Sequential(depthwise, Linear(3)), input=(3, 8, 8), kernels=(3,))
    assert space.size == sum(1 for _ in space.enumerate())


class Deep(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.stem = nn.Linear(4, 8)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(blocks))
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


@pytest.mark.parametrize("blocks", [40, 600])
def test_many_sums_are_read_in_no_time(blocks):
    network = Deep(blocks)
    chain = read_module(network, (vector(4),), {})
    assert sum(isinstance(item, Branch) for item in chain.items) == blocks


def test_depths_change_in_both_directions():
    space = around(mlp(), input=(20,))
    depths = {
        sum(isinstance(m, nn.Linear) for m in each.build().modules())
        for each in space.neighbours(space.member("start"))
    }
    assert depths == {3, 4, 5, 6, 7}


def test_architectures_and_texts_are_opened():
    text = "Sequential(ConvBlock(16), Repeat(2, ConvBlock(16, kernel=5)), GlobalPool('max'), Linear(10))"
    space = around(text, input=(3, 8, 8))
    assert space.member("start").count() == nt.Architecture.parse(text, input=(3, 8, 8)).count()
    again = around(nt.Architecture.parse(text, input=(3, 8, 8)))
    assert again.fingerprint == space.fingerprint
    check_space(space, seeds=2)


class Gate(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.map = nn.Linear(width, width)

    def forward(self, x):
        return x * torch.sigmoid(self.map(x))


class Depends(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_classes_of_the_user_are_read_by_a_reader():
    layer = nt.layers.wrap(Gate, name="AroundGate", computed={"width": lambda x: x.channels})
    network = nn.Sequential(nn.Linear(4, 8), Gate(), nn.Linear(8, 3)).eval()
    space = around(network, input=(4,), readers={Gate: lambda module: layer()})
    module = space.member("start").build().eval()
    module.load_state_dict(dict(zip(module.state_dict(), network.state_dict().values(), strict=True)))
    x = torch.randn(3, 4)
    torch.testing.assert_close(module(x), network(x))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.map = nn.Linear(4, 4)

    def forward(self, x):
        return self.map(self.map(x))


@pytest.mark.parametrize(
    ("network", "input", "said"),
    [
        (nn.Sequential(nn.Linear(4, 8), Gate()), (4,), "'mul' in forward"),
        (nn.Sequential(nn.Sequential(nn.Conv1d(3, 4, 3))), (3, 9), r"child '0.0' \(Conv1d\)"),
        (nn.Sequential(nn.Linear(4, 8), nn.Softmax(1)), (4,), "logits"),
        (nn.Sequential(nn.Linear(4, 8), nn.ReLU()), (5,), "expects 4 channels"),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(6, 2)), (3, 8, 8), r"child '1' \(Linear\).*flatten"),
        (nn.Sequential(nn.LSTM(3, 4)), (7, 3), "batch_first"),
        (Depends(), (4,), "cannot follow the forward of Depends"),
        (Shared(), (4,), "20 parameters, but as layers 40"),
        (nn.Linear(4, 2), (4,), "nothing in"),
        (nn.Linear(4, 2), None, "give input="),
        (Linear(3), (4,), "nothing in"),
        (17, (4,), "cannot search around a int"),
    ],
)
def test_errors_name_the_child(network, input, said):
    with pytest.raises(SpaceError, match=said):
        around(network, input=input)


@pytest.mark.parametrize("kernel", [4, (3, 2)])
def test_same_padding_of_an_even_kernel_is_refused(kernel):
    net = nn.Sequential(nn.Conv2d(3, 8, kernel, padding="same"), nn.Flatten(), nn.Linear(8 * 81, 3))
    with pytest.raises(SpaceError, match="even kernel"):
        around(net, input=(3, 9, 9))


def test_same_padding_of_an_odd_kernel_is_read():
    net = nn.Sequential(nn.Conv2d(3, 8, (3, 5), padding="same", dilation=2), nn.Flatten(), nn.Linear(8 * 81, 3))
    space = around(net, input=(3, 9, 9))
    assert space.member("start").build()(torch.zeros(2, 3, 9, 9)).shape == (2, 3)
