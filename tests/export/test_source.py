"""The source that is written: how it reads, what it carries, what it refuses."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nasturtium.errors import NasturtiumError
from nasturtium.export import Trained, export
from nasturtium.export.program import snake
from nasturtium.export.recording import record
from nasturtium.export.rendering import literal
from nasturtium.export.source import write_source
from nasturtium.layers import Linear, Sequential
from nasturtium.layers.wrapped import wrap
from nasturtium.space import Architecture, Signal, Space
from nasturtium.space.infer import infer
from nasturtium.space.signal import group, sequence, tokens
from nasturtium.spaces import make
from tests.export.aliases import Clamped
from tests.export.conftest import small, trained
from tests.export.layers import Mix, Mixer, Network
from tests.layers.conftest import CASES, tensors_for

RESIDUAL = (
    "Sequential(ConvBlock(8), Residual(Sequential(ConvBlock(8), ConvBlock(8, kernel=5))), ConvBlock(16, stride=2), "
    "Residual(Sequential(ConvBlock(16), ConvBlock(16, kernel=3))), Dropout(0.0), ReLU(), ReLU(), ReLU(), "
    "GlobalPool(), Linear(4))"
)

EXPECTED = '''
class ConvBlock(nn.Sequential):
    """Convolution, normalisation, activation, over an image or a sequence."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class Residual(nn.Module):
    """The body's output plus its input (He et al. 2016)."""

    def __init__(self, in_channels: int, kernel_size: int, padding: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBlock(in_channels, in_channels, 3, 1, 1),
            ConvBlock(in_channels, in_channels, kernel_size, 1, padding),
        )

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        return body + x


class Network(nn.Sequential):
    """The network."""

    def __init__(self) -> None:
        super().__init__(
            ConvBlock(1, 8, 3, 1, 1),  # (B, 8, 8, 8)
            Residual(8, 5, 2),  # (B, 8, 8, 8)
            ConvBlock(8, 16, 3, 2, 1),  # (B, 16, 4, 4)
            Residual(16, 3, 1),  # (B, 16, 4, 4)
            *[nn.ReLU() for _ in range(3)],  # (B, 16, 4, 4)
            ImagePool("mean"),  # (B, 16)
            nn.Linear(16, 4),  # (B, 4)
        )
'''


def imported(file: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(file.stem, file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def of_layers(*layers: Any) -> Architecture:
    return Space(Sequential(*layers), input=(3,), name="own").sample(np.random.default_rng(0))


def same_output(network: Trained, file: Path) -> bool:
    rows = tuple(map(torch.from_numpy, network.rows))
    with torch.inference_mode():
        expected = network.model(*rows)
    return bool(torch.allclose(imported(file).run(rows), expected, atol=1e-6))


def test_it_reads_as_a_person_would_write_it(tmp_path: Path) -> None:
    network = trained(Architecture.parse(RESIDUAL, input=(1, 8, 8)))
    write_source(network, tmp_path / "net.py")
    source = (tmp_path / "net.py").read_text()
    assert EXPECTED in source
    assert same_output(network, tmp_path / "net.py")


@pytest.mark.parametrize("name", ["convnet", "darts", "seqnas", "mlp"])
def test_ruff_finds_nothing_in_it(name: str, tmp_path: Path) -> None:
    network = Trained(
        small(name).sample(np.random.default_rng(5)).build().eval(), small(name).sample(np.random.default_rng(5))
    )
    write_source(network, tmp_path / "net.py")
    command = ["ruff", "check", "--isolated", "--line-length=120", "--select=E4,E5,E7,E9,F,I", str(tmp_path / "net.py")]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_all_that_is_carried_is_used(tmp_path: Path) -> None:
    network = trained(small("nasbench_graph").sample(np.random.default_rng(0)))
    write_source(network, tmp_path / "net.py")
    tree = ast.parse((tmp_path / "net.py").read_text())
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert defined - used <= {"load", "predict", "prepare", "outputs", "main"}


def test_constructions_are_recorded_as_they_were_made() -> None:
    noted = record(Architecture.parse(RESIDUAL, input=(1, 8, 8)))
    convolutions = [module for module in noted.model.modules() if isinstance(module, nn.Conv2d)]
    assert convolutions
    for module in convolutions:
        given = {argument.keyword: argument.value for argument in noted.constructions[id(module)]}
        again = nn.Conv2d(**given)
        assert repr(again) == repr(module)


def test_own_layers_are_carried_with_all_they_refer_to(tmp_path: Path) -> None:
    network = trained(of_layers(Linear(6), Mix(), Mix("network"), Mix("applied"), Linear(2)))
    export(network, tmp_path / "net.py")
    assert same_output(network, tmp_path / "net.py")
    source = (tmp_path / "net.py").read_text()
    assert "Mixer(6, nn.Sequential(nn.Linear(6, 6), nn.ReLU()), 3, 4, more=0.5)" in source
    assert "class NetworkOfLayers(nn.Module)" in source
    assert "from torch.nn import functional as F" in source
    assert "SLOPE = math.sqrt(2) / 10" in source


def test_every_layer_is_written(tmp_path: Path) -> None:
    alone = [case for case in CASES if len(case) == 2 and type(infer(*case)) is Signal]
    one_input = {(str(layer), signal.kind, signal.mask): (layer, signal) for layer, signal in alone}
    assert len(one_input) > 150
    for layer, signal in one_input.values():
        architecture = Architecture.parse(f"Sequential({layer})", input=signal)
        rows = tuple(tensor.numpy() for tensor in tensors_for(signal))
        network = Trained(architecture.build().eval(), architecture, rows)
        write_source(network, tmp_path / "net.py")
        tensors = tuple(map(torch.from_numpy, rows))
        ours, theirs = imported(tmp_path / "net.py").load()(*tensors), network.model(*tensors)
        first, expected = (each[0] if isinstance(each, tuple) else each for each in (ours, theirs))
        assert torch.allclose(first, expected, atol=1e-6), layer


def test_wrapped_modules_are_carried(tmp_path: Path) -> None:
    layer = wrap(Network, name="OwnNetwork", channels="channels")
    network = trained(of_layers(Linear(6), layer(), Linear(2)))
    export(network, tmp_path / "net.py")
    assert same_output(network, tmp_path / "net.py")
    assert "NetworkOfLayers(6)" in (tmp_path / "net.py").read_text()


def test_other_names_and_constants_of_one_statement_are_carried(tmp_path: Path) -> None:
    network = trained(of_layers(Linear(6), wrap(Clamped, name="ClampedOfTests", channels="channels")(), Linear(2)))
    export(network, tmp_path / "net.py")
    assert same_output(network, tmp_path / "net.py")
    source = (tmp_path / "net.py").read_text()
    assert source.count("LOW, HIGH = -1.0, 1.0") == source.count("FIRST = SECOND = 0.5") == 1
    assert "\nsoft = leaky\n" in source
    assert "\nParent = Base\n" in source


def test_helpers_of_one_name_in_two_files_are_told_apart(tmp_path: Path) -> None:
    text = "Sequential(Conv1d(4), Attention(2), GlobalPool(), Linear(3))"
    attention = Architecture.parse(text, input=(6, 3))
    write_source(trained(attention), tmp_path / "net.py")
    assert (tmp_path / "net.py").read_text().count("def _linear(") == 1

    from nasturtium.export.carrying import Carrier
    from nasturtium.modules import SelfAttention
    from nasturtium.modules.graph import GCNConv

    carrier = Carrier()
    for kind in (SelfAttention, GCNConv, Mixer):
        carrier.carry(kind)
    text = "\n\n".join(["from __future__ import annotations", *carrier.import_lines(), *carrier.texts()])
    (tmp_path / "three.py").write_text(text)
    module = imported(tmp_path / "three.py")
    torch.manual_seed(0)
    theirs = SelfAttention(4, 2, 2)
    ours = module.SelfAttention(4, 2, 2)
    ours.load_state_dict(theirs.state_dict())
    rows = torch.randn(2, 5, 4)
    assert torch.equal(ours(rows), theirs(rows))
    assert module.GCNConv(3, 4).linear.bias is None
    assert {"_linear", "_linear_graph", "_linear_layers"} <= set(dir(module))


@pytest.mark.parametrize(
    ("uses", "message"),
    [
        ("numpy", r"NumpyModule of tests.export.unfit needs numpy.*export to \.pt2 or \.onnx"),
        ("function", r"cannot write the argument function = <function .*> of a module as source"),
        ("made", r"Linear: it was not constructed by its layer while the network was built"),
    ],
)
def test_what_cannot_be_written_is_refused(uses: str, message: str, tmp_path: Path) -> None:
    architecture = of_layers(Mix(uses), Linear(2))
    with pytest.raises(NasturtiumError, match=message):
        export(Trained(architecture.build().eval(), architecture), tmp_path / "net.py")
    assert list(tmp_path.iterdir()) == []


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    one, other = (Architecture.parse(f"Sequential({text}, Linear(2))", input=(3,)) for text in ("Tanh()", "Linear(3)"))
    with pytest.raises(NasturtiumError, match="another network"):
        write_source(Trained(one.build(), other), tmp_path / "net.py")


@pytest.mark.parametrize("value", [True, 3, -0.5, 1e-7, 'a"b\\', None, (1,), (1, (2, 3)), [1, "x"], {"a": (1, 2)}])
def test_plain_values_come_back(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value


def test_names_are_those_of_python() -> None:
    assert [snake(name) for name in ("ConvUnit", "ReLU", "GATConv", "Conv2d")] == [
        "conv_unit",
        "relu",
        "gat_conv",
        "conv2d",
    ]


def test_members_of_any_name_become_arguments(tmp_path: Path) -> None:
    members = {"mcc code": tokens(None, 7), "self": sequence(None, 2), "torch": sequence(None, 1)}
    others = {"class": sequence(None, 1), "1st": sequence(None, 1), "mcc_code": tokens(None, 5)}
    signal = group(**members, **others)._replace(mask=True)
    space = make("seqnas", signal, 3, numeric_embedding=3, hidden=4)
    network = trained(space.sample(np.random.default_rng(0)))
    export(network, tmp_path / "net.py")
    assert same_output(network, tmp_path / "net.py")
    text = (tmp_path / "net.py").read_text()
    for name in ("mcc_code: Tensor", "self_2: Tensor", "torch_2: Tensor", "class_2: Tensor", "_1st: Tensor"):
        assert f", {name}" in text
