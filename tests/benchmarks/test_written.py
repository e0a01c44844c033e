"""Readers of files that are not at hand, on files written to the published format."""

from __future__ import annotations

import bz2
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasturtium import benchmarks
from nasturtium.benchmarks import BenchmarkError, hw_fbnet
from nasturtium.spaces import fbnet, nasbench201, nasbench_mr


def record_201(epochs: int, base: float, names: tuple[str, ...]) -> dict[str, Any]:
    """One run as NAS-Bench-201 keeps it."""
    keys = [f"{name}@{epoch}" for name in names for epoch in range(epochs)]
    return {
        "name": "x", "seed": 777, "epochs": epochs, "params": 0.5, "flop": 100.0, "latency": [0.01, 0.03],
        "train_acc1es": {epoch: base + epoch for epoch in range(epochs)}, "train_acc5es": None,
        "train_losses": dict.fromkeys(range(epochs), 1.0), "train_times": dict.fromkeys(range(epochs), 2.0),
        "arch_config": {}, "eval_names": list(names), "eval_times": {},
        "eval_acc1es": {key: base + int(key.split("@")[1]) + (0.5 if "test" in key else 0.0) for key in keys},
        "eval_losses": dict.fromkeys(keys, 0.25), "net_state_dict": {"w": torch.ones(2)},
    }  # fmt: skip


@pytest.mark.parametrize("zipped", [False, True])
def test_the_old_file_of_nasbench201(zipped: bool, tmp_path: Path) -> None:
    texts = [nasbench201().member(name) for name in ("ResNet", "NATS-SSS")]
    infos = {}
    for number, a in enumerate(texts):
        runs = {}
        for key, epochs in (("less", 12), ("full", 200)):
            runs[key] = {
                "arch_str": nasbench201().to_notation(a), "arch_index": number, "dataset_seed": {},
                "clear_net_done": False,
                "all_results": {
                    ("cifar10-valid", 777): record_201(epochs, 10.0 * number, ("x-valid", "ori-test")),
                    ("cifar10", 777): record_201(epochs, 20.0 + number, ("ori-test",)),
                    ("cifar100", 888): record_201(epochs, 30.0 + number, ("x-valid", "x-test", "ori-test")),
                },
            }  # fmt: skip
        infos[number] = runs
    content = {"meta_archs": [], "total_archs": 2, "arch2infos": infos, "evaluated_indexes": {0, 1}}
    torch.save(content, tmp_path / "NAS-Bench-201-v1_1-096897.pth", _use_new_zipfile_serialization=zipped)
    bench = benchmarks.load("nasbench201", "cifar10", tmp_path)
    assert bench.query(texts[1], "val_accuracy", 200) == 10.0 + 199
    assert bench.query(texts[1], "test_accuracy", 12) == 21.0 + 11 + 0.5
    assert bench.query(texts[0], "train_seconds", 12) == 24.0
    assert bench.query(texts[0], "latency") == pytest.approx(0.02)
    assert bench.query(texts[0], "test_curve", 3) == 20.0 + 2 + 0.5
    other = benchmarks.load("nasbench201", "cifar100", tmp_path / "NAS-Bench-201-v1_1-096897.pth")
    assert other.query(texts[1], "val_accuracy", 200, seed=888) == 31.0 + 199
    with pytest.raises(BenchmarkError, match="no training on 'imagenet16-120'"):
        benchmarks.load("nasbench201", "imagenet16-120", tmp_path)


@pytest.mark.parametrize(("dataset", "file", "inside"), [
    ("ninapro", "NATS-tss-v1_0-daa55.pickle.pbz2", "ninapro"),
    ("darcyflow", "NATS-tss-v1_0-48858.pickle.pbz2", "darcy"),
])  # fmt: skip
def test_other_data_in_the_same_layout(dataset: str, file: str, inside: str, tmp_path: Path) -> None:
    text = nasbench201().members["ResNet"]
    record = {**record_201(200, 10.0, ("x-valid", "x-test")), "net_state_dict": None}
    infos = {5: {"200": {"arch_str": text, "all_results": {(inside, 777): record}}}}
    (tmp_path / file).write_bytes(bz2.compress(pickle.dumps({"arch2infos": infos, "meta_archs": []})))
    bench = benchmarks.load("nasbench201", dataset, tmp_path)
    a = bench.space.member("ResNet")
    assert bench.query(a, "val_accuracy") == 10 + 199
    assert bench.query(a, "test_accuracy") == 10 + 199 + 0.5
    assert bench.signal == ("val_loss" if dataset == "darcyflow" else "val_accuracy")
    assert bench.query(a, "val_loss") == 0.25


def test_transnas(tmp_path: Path) -> None:
    names = ["train_top1", "train_loss", "valid_top1", "test_top1", "time_elapsed"]
    archs = {"micro": ["64-41414-1_02_333", "64-41414-0_00_000"], "macro": ["64-1234-basic"]}
    data = {
        kind: {
            arch: {"jigsaw": {
                "metrics": {name: [float(i + place) for i in range(10)] for place, name in enumerate(names)},
                "model_info": {"encoder_params": 1000.0 + number}, "total_epochs": 10}}
            for number, arch in enumerate(listed)
        }
        for kind, listed in archs.items()
    }  # fmt: skip
    content = {
        "metrics_dict": {"jigsaw": names},
        "info_names": ["encoder_params"],
        "task_list": ["jigsaw"],
        "data": data,
    }
    torch.save(content, tmp_path / "transnas-bench_v10141024.pth")
    micro = benchmarks.load("transnas_micro", "jigsaw", tmp_path)
    a = micro.space.from_notation("64-41414-0_00_000")
    assert (micro.signal, micro.verdict) == ("val_accuracy", "test_accuracy")
    assert micro.query(a) == 9 + 2
    assert micro.query(a, "test_accuracy", epoch=1) == 3
    assert micro.query(a, "encoder_params") == 1001.0
    macro = benchmarks.load("transnas_macro", "jigsaw", tmp_path)
    assert len(macro) == 1
    assert macro.query(macro.space.from_notation("1234"), "train_loss", 10) == 10
    with pytest.raises(BenchmarkError, match="holds jigsaw, not 'normal'"):
        benchmarks.load("transnas_micro", "normal", tmp_path)


def test_macro(tmp_path: Path) -> None:
    held = {
        "02012100": {"test_acc": [89.5, 88.5, 89.0], "mean_acc": 89.0, "std": 0.4, "params": 890666, "flops": 47327744}
    }
    (tmp_path / "nas-bench-macro_cifar10.json").write_text(json.dumps(held))
    bench = benchmarks.load("nasbench_macro", data=tmp_path)
    a = bench.space.from_notation("02012100")
    assert bench.query(a) == 89.0
    assert bench.query(a, "params") == a.count()["params"]
    (tmp_path / "nas-bench-macro_cifar10.json").write_text('{"02012100": {"mean_acc": 1}}')
    with pytest.raises(BenchmarkError, match="no file of NAS-Bench-Macro"):
        benchmarks.load("nasbench_macro", data=tmp_path)


def test_multi_resolution(tmp_path: Path) -> None:
    code = json.loads(nasbench_mr().members["NCP seg"])
    items = [{"embedding": code, "input_channel": [40, 40], "mIoU": 77.5, "mAcc": np.float64(80.0), "flops": 1.5}]
    (tmp_path / "data" / "seg-4x").mkdir(parents=True)
    (tmp_path / "data" / "seg-4x" / "trainval.pkl").write_bytes(pickle.dumps(items))
    bench = benchmarks.load("nasbench_mr", "seg-4x", tmp_path)
    a = bench.space.member("NCP seg")
    assert (bench.signal, bench.query(a)) == ("val_miou", 77.5)
    assert bench.query(a, "val_class_accuracy") == 80.0
    assert bench.metrics["flops"].split == "cost"


def test_curves_of_graph_networks(tmp_path: Path) -> None:
    for seed in range(3):
        line = [[0.1 * epoch + seed, 0.2 + seed, 0.3 + seed, 1.0, 1.1, 1.2, 0.5] for epoch in range(5 - seed % 2)]
        held = {61237: {"dur": line, "para": 0.1}, 0: {"dur": [[np.float64(0.5)] * 7] * 5, "para": 0.2}}
        (tmp_path / f"cora{seed}.bench").write_bytes(pickle.dumps(held))
    bench = benchmarks.load("nasbench_graph", "cora", tmp_path)
    a = bench.space.from_notation("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])")
    assert bench.query(a, "val_accuracy", 1) == pytest.approx(1.2)
    assert bench.query(a, "train_accuracy", 3) == pytest.approx(1.2)
    assert bench.metrics["val_loss"].epochs == (1, 2, 3, 4, 5)
    assert not bench.metrics["val_loss"].maximise


def flops_of(name: str) -> float:
    """FLOPs of a block of HW-NAS-Bench's tables from the numbers in its name."""
    import re

    kind, numbers = name.split("_")[0], dict(re.findall(r"([A-Za-z]+)(\d+)", name))
    given = {key: int(value) for key, value in numbers.items()}
    cin, cout = given["Cin"], given["Cout"]
    if kind == "FC":
        return 2 * cin * cout
    if kind == "AvgP":
        return 0
    area, stride = given["H"] ** 2, given["stride"]
    after = (given["H"] // stride) ** 2
    if kind == "ConvNorm":
        return 2 * cin * cout * given["kernel"] ** 2 * after
    if kind == "Skip":
        return 0 if (cin, stride) == (cout, 1) else 2 * cin * cout * after
    inner, groups = cin * given["exp"], given["group"]
    return 2 * (cin * inner / groups * area + inner * given["kernel"] ** 2 * after + inner * cout / groups * after)


class Flops(dict[str, float]):
    """A table of blocks that answers with their FLOPs."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> float:
        return flops_of(name)


@pytest.mark.parametrize("dataset", ["imagenet", "cifar100"])
def test_blocks_of_hw_nas_bench_are_those_of_the_network(dataset: str) -> None:
    """With FLOPs as the cost of a block, the sum is the FLOPs of our network."""
    space = fbnet() if dataset == "imagenet" else fbnet((3, 32, 32), 100, width=1.0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        a = space.sample(rng)
        total = hw_fbnet.total(Flops(), hw_fbnet.blocks(a.decisions, dataset), "x")
        assert total == pytest.approx(a.count()["flops"], rel=1e-9)


def test_hw_nas_bench(tmp_path: Path) -> None:
    texts = [nasbench201().to_notation(nasbench201().member(name)) for name in ("ResNet", "NATS-SSS")]
    of_201 = {
        "raspi4_latency": [10.48, 2.0],
        "edgegpu_energy": np.array([1.5, 2.5]),
        "config": [{"arch_str": t} for t in texts],
    }
    names = set(hw_fbnet.blocks([0] * 22, "cifar100")) | set(hw_fbnet.blocks([8] * 22, "cifar100"))
    tables = {"raspi4_latency": dict.fromkeys(names, 2.0), "fpga_energy": dict.fromkeys(names, np.float64(0.5))}
    content = {"nasbench201": {"cifar10": of_201, "ImageNet16-120": of_201}, "fbnet": tables}
    (tmp_path / "HW-NAS-Bench-v1_0.pickle").write_bytes(pickle.dumps(content))
    bench = benchmarks.load("hw_nas_bench_201", "imagenet16-120", tmp_path)
    assert bench.query(bench.space.member("ResNet"), "latency_raspi4") == 10.48
    assert bench.query(bench.space.member("NATS-SSS"), "energy_edgegpu") == 2.5
    assert bench.metrics["energy_edgegpu"].unit == "mJ"
    summed = benchmarks.load("hw_nas_bench_fbnet", "cifar100", tmp_path)
    assert summed.grows
    a = summed.space.architecture([0] * 22)
    assert summed.query(a, "latency_raspi4") == 2.0 * (22 + 4)
    assert summed.query(a, "energy_fpga") == 0.5 * (22 + 4)
    with pytest.raises(benchmarks.NotInTable, match="no cost of the block"):
        summed.query(summed.space.architecture([3] * 22))


def test_suite_zero(tmp_path: Path) -> None:
    scores = {
        "nwot": {"score": 5.0, "time": 0.1},
        "epe_nas": {"score": -1e8, "time": 0.2},
        "params": {"score": 0.3, "time": 0},
    }
    second = {**scores, "epe_nas": {"score": 1, "time": 1}}
    held = {
        "(1, 0, 2, 3, 3, 3)": {"id": "x", "val_accuracy": 90.0, **scores},
        "(0, 0, 0, 0, 0, 0)": {"id": "y", "val_accuracy": 1.0, **second},
    }
    (tmp_path / "zc_transbench101_micro.json").write_text(json.dumps({"jigsaw": held}))
    bench = benchmarks.load("suite_zero", "transbench101_micro/jigsaw", tmp_path)
    a = bench.space.from_notation("64-41414-1_02_333")
    assert bench.query(a) == 90.0
    assert bench.query(a, "nwot") == 5.0
    assert bench.query(a, "nwot_seconds") == 0.1
    with pytest.raises(benchmarks.NotInTable, match="holds no epe_nas"):
        bench.query(a, "epe_nas")


BROKEN = [
    ("nasbench201", "cifar10", "NAS-Bench-201-v1_1-096897.pth", {"arch2infos": {0: {"less": {"arch_str": "x"}}}}),
    ("nasbench201", "cifar10", "NATS-tss-v1_0-3ffb9.pickle.pbz2", {"arch2infos": {0: {"200": {}}}}),
    (
        "transnas_micro",
        "jigsaw",
        "transnas-bench_v10141024.pth",
        {"data": {"micro": {"x": {}}}, "metrics_dict": {"jigsaw": []}},
    ),
    ("nasbench_mr", "seg", "seg/trainval.pkl", [{"embedding": [1, 2], "mIoU": 1.0}]),
    ("nasbench_graph", "cora", "cora.bench", {61237: {"valid": 1.0}}),
    ("hw_nas_bench_201", "cifar10", "HW-NAS-Bench-v1_0.pickle", {"nasbench201": {"cifar10": {"config": [{}]}}}),
    ("nasbench_asr", "timit", "nb-asr-e40-1234.pickle", {"dataset_type": "training"}),
]


@pytest.mark.parametrize(("name", "dataset", "file", "content"), BROKEN, ids=[each[2] for each in BROKEN])
def test_files_of_another_content_are_named(name: str, dataset: str, file: str, content: Any, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(benchmarks.table.NasturtiumError, match=path.name):
        benchmarks.load(name, dataset, tmp_path)
    path.write_bytes(b"not at all")
    with pytest.raises(benchmarks.table.NasturtiumError, match=path.name):
        benchmarks.load(name, dataset, tmp_path)


def test_files_of_nothing_are_named(tmp_path: Path) -> None:
    for name, dataset, file in (
        ("event_sequences", "seqnas/ABank", "nas-bench-event-sequences.zip"),
        ("nasbench_nlp", "ptb", "logs.zip"),
        ("suite_zero", "nasbench201/cifar10", "zc_nasbench201.json"),
        ("nasbench101", "cifar10", "nasbench_full.tfrecord"),
        ("nasbench_macro", "cifar10", "nas-bench-macro_cifar10.json"),
    ):
        (tmp_path / file).write_bytes(b"[1, 2] and nothing else")
        with pytest.raises(BenchmarkError, match=file):
            benchmarks.load(name, dataset, tmp_path)
