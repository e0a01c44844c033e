"""Exports of all formats compute what the trained network computes, for spaces of all kinds."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from nasturtium.errors import MissingExtra, NasturtiumError
from nasturtium.export import FORMATS, Trained, export
from nasturtium.export.graphs import quiet
from nasturtium.space import Architecture
from nasturtium.space.signal import sequence, tokens
from nasturtium.spaces import make
from tests.export.conftest import small, trained

SPACES = ("mlp", "convnet", "sequencenet", "seqnas", "einspace", "transformer", "nasbench_nlp", "nasbench_graph")
MASKED = (
    "Sequential(ConvBlock(8), Residual(Attention(2)), GRU(6, bidirectional=True), AvgPool(), GlobalPool(), Linear(3))"
)


def imported(file: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location(file.stem, file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def model_output(network: Trained) -> Any:
    with torch.inference_mode():
        output = network.model(*[torch.from_numpy(values) for values in network.rows])
    return (output[0] if isinstance(output, tuple) else output).numpy()


def close(one: Any, other: Any) -> bool:
    return bool(np.abs(one - other).max() <= 1e-4 * (1 + np.abs(other).max()))


@pytest.mark.parametrize("name", SPACES)
def test_source_agrees_for_spaces_of_all_kinds(name: str, tmp_path: Path) -> None:
    network = trained(small(name).sample(np.random.default_rng(0)))
    from nasturtium.export.source import write_source

    write_source(network, tmp_path / "net.py")
    module = imported(tmp_path / "net.py")
    given = module.run(tuple(map(torch.from_numpy, network.rows)), batch=33).numpy()
    assert close(given, model_output(network))
    assert np.ptp(given) > 0
    source = (tmp_path / "net.py").read_text()
    assert "nasturtium" not in source.split('"""', 2)[2]


@pytest.mark.parametrize("name", ["convnet", "seqnas", "nasbench_graph"])
def test_traced_programs_agree_for_any_batch(name: str, tmp_path: Path) -> None:
    network = trained(small(name).sample(np.random.default_rng(1)))
    made = export(network, tmp_path / "net.pt2")
    with quiet():
        program = torch.export.load(tmp_path / "net.pt2").module()
    expected = model_output(network)
    for count in (1, 2, 50):
        given = program(*[torch.from_numpy(values[:count]) for values in network.rows]).detach().numpy()
        assert close(given, expected[:count])
    assert made.rows == 100
    assert made.difference <= made.bound == pytest.approx(1e-4 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("name", ["convnet", "nasbench_graph", "masked"])
def test_onnx_agrees_for_any_batch(name: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    masked = Architecture.parse(MASKED, input=sequence(10, 4, mask=True))
    network = trained(masked if name == "masked" else small(name).sample(np.random.default_rng(2)))
    made = export(network, tmp_path / "net.onnx")
    assert made.difference <= made.bound
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    names = [given.name for given in session.get_inputs()]
    assert names == {"nasbench_graph": ["nodes", "edges"], "masked": ["x", "mask"]}.get(name, ["x"])
    expected = model_output(network)
    for count in (1, 2, 50):
        given = dict(zip(names, [values[:count] for values in network.rows], strict=True))
        assert close(session.run(["output"], given)[0], expected[:count])
    held = {entry.key: entry.value for entry in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert json.loads(held["nasturtium"])["architecture"] == str(network.architecture)


def test_masked_sequences_agree_in_source_and_program(tmp_path: Path) -> None:
    network = trained(Architecture.parse(MASKED, input=sequence(10, 4, mask=True)))
    for suffix in (".py", ".pt2"):
        assert export(network, tmp_path / f"net{suffix}").difference < 1e-4
    assert "def forward(self, x: Tensor, mask: Tensor) -> Tensor" in (tmp_path / "net.py").read_text()


def test_masked_tokens_agree(tmp_path: Path) -> None:
    text = "Sequential(Embedding(6), PositionalEncoding(), LSTM(5), GlobalPool('last'), Linear(2))"
    network = trained(Architecture.parse(text, input=tokens(7, 9, mask=True)))
    assert export(network, tmp_path / "net.py").difference < 1e-4


@pytest.mark.parametrize("pool", ["MaxPool", "AvgPool"])
def test_pools_that_round_rows_and_columns_differently_agree(pool: str, tmp_path: Path) -> None:
    text = f"Sequential(Conv2d(4), {pool}(4, stride=3), ReLU(), Flatten(), Linear(3))"
    network = trained(Architecture.parse(text, input=(3, 4, 6)))
    suffixes = [".py", ".pt2", *([".onnx"] if importlib.util.find_spec("onnxscript") else [])]
    for suffix in suffixes:
        assert export(network, tmp_path / f"net{suffix}").difference < 1e-4


def test_of_auxiliary_heads_the_first_output_alone_is_exported(tmp_path: Path) -> None:
    space = make("darts", (1, 8, 8), 4, channels=4, cells=3, auxiliary=True)
    network = trained(space.sample(np.random.default_rng(0)))
    with torch.inference_mode():
        assert len(network.model(torch.from_numpy(network.rows[0]))) == 2
    for suffix in (".py", ".pt2"):
        export(network, tmp_path / f"net{suffix}")
    module = imported(tmp_path / "net.py")
    assert close(module.run(tuple(map(torch.from_numpy, network.rows))).numpy(), model_output(network))
    assert len(module.load().state_dict()) < len(network.model.state_dict())


def test_source_runs_where_only_torch_is(convnet: Trained, tmp_path: Path) -> None:
    export(convnet, tmp_path / "net.py")
    np.savez(tmp_path / "rows.npz", input0=convnet.rows[0][:5])
    program = (
        "import sys, runpy\n"
        "for name in ('nasturtium', 'numpy', 'safetensors', 'polars', 'scipy', 'sklearn'): sys.modules[name] = None\n"
        f"sys.argv = ['net.py', {str(tmp_path / 'rows.npz')!r}]\n"
        f"runpy.run_path({str(tmp_path / 'net.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    given = np.array([json.loads(line) for line in done.stdout.splitlines()])
    np.testing.assert_allclose(given, model_output(convnet)[:5], atol=1e-5)


def test_an_export_that_differs_is_not_left(convnet: Trained, tmp_path: Path) -> None:
    other = Trained(convnet.model, convnet.architecture, convnet.rows, model_output(convnet) + 1)
    for suffix in FORMATS:
        with pytest.raises(NasturtiumError, match="weights do not belong"):
            export(other, tmp_path / f"net{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_computes_something_else_is_not_left(
    convnet: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nasturtium.export import usage

    monkeypatch.setattr(usage, "PREDICT", usage.PREDICT.replace("torch.cat(", "1.01 * torch.cat("))
    with pytest.raises(NasturtiumError, match="exported source differs from the trained network by"):
        export(convnet, tmp_path / "net.py")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_does_not_run_is_not_left(
    convnet: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nasturtium.export import usage

    monkeypatch.setattr(usage, "LOAD", "import nasturtium\n\n" + usage.LOAD)
    with pytest.raises(NasturtiumError, match=r"does not run by itself.*nasturtium"):
        export(convnet, tmp_path / "net.py")
    assert list(tmp_path.iterdir()) == []


def test_networks_whose_outputs_are_not_finite_are_refused(convnet: Trained, tmp_path: Path) -> None:
    with torch.no_grad():
        next(iter(convnet.model.parameters())).fill_(float("nan"))
    with pytest.raises(NasturtiumError, match="not finite"):
        export(convnet, tmp_path / "net.py")


@pytest.mark.parametrize("name", ["net.pkl", "net", "net.pt"])
def test_other_suffixes_are_refused(convnet: Trained, tmp_path: Path, name: str) -> None:
    with pytest.raises(NasturtiumError, match=r"must end in \.py, \.onnx, \.pt2"):
        export(convnet, tmp_path / name)


def test_a_missing_extra_says_what_mends_it(convnet: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "onnxscript" else known(name, *a))
    with pytest.raises(MissingExtra, match=r"'onnxscript': pip install 'nasturtium\[export\]'"):
        export(convnet, tmp_path / "net.onnx")


def test_what_torch_cannot_trace_is_refused_with_the_reason(convnet: Trained, tmp_path: Path) -> None:
    class Branching(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return convnet.model(x) if x.sum() > -1e9 else convnet.model(-x)

    network = Trained(Branching(), convnet.architecture)
    with pytest.raises(NasturtiumError, match=r"cannot trace the network: .*; export to \.py"):
        export(network, tmp_path / "net.pt2")
