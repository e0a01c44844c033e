"""Readers of recurrent cells, graphs, speech and event sequences, on files written to the published format."""

from __future__ import annotations

import base64
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import BenchmarkError, tfrecord
from nasturtium.spaces import nasbench1shot1, nasbench101, nasbench_asr, nasbench_nlp


@pytest.mark.parametrize("zipped", [True, False])
def test_event_sequences(zipped: bool, tmp_path: Path) -> None:
    from nasturtium.spaces import seqnas

    space = seqnas((96, 1), 2)
    code = space.to_notation(space.member("ABank"))
    content = json.dumps({"arch": {}, "score": 0.75, "arch_code": [int(bit) for bit in code]})
    name = "dataset/seqnas/ABank/epoch_5_arch_FlexibleTransformer_12345_params_abc.json"
    with zipfile.ZipFile(tmp_path / "nas-bench-event-sequences.zip", "w") as archive:
        archive.writestr(name, content)
        archive.writestr("dataset/random_sampling/ABank/epoch_5_arch_FlexibleTransformer_1_params_d.json", content)
    if not zipped:
        with zipfile.ZipFile(tmp_path / "nas-bench-event-sequences.zip") as archive:
            archive.extractall(tmp_path)
        (tmp_path / "nas-bench-event-sequences.zip").unlink()
    bench = benchmarks.load("event_sequences", "seqnas/ABank", tmp_path)
    assert len(bench) == 1
    assert bench.query(bench.space.member("ABank")) == 0.75
    assert bench.query(bench.space.member("ABank"), "params") == 12345


def test_recurrent_cells(tmp_path: Path) -> None:
    space = nasbench_nlp()
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for number, name in enumerate(("lstm", "gru", "lstm")):
            run = {"recepie": space.to_notation(space.member(name)), "train_losses": [3.0, 2.0], "num_params": 10,
                   "val_losses": [5.0 + number, 4.0 + number] if number != 1 else [5.0, None],
                   "test_losses": [6.0, 5.5], "wall_times": [10.0, 12.0], "status": "OK"}  # fmt: skip
            archive.writestr(f"logs/log_{number}.json", json.dumps(run))
        archive.writestr(
            "logs/log_9.json", json.dumps({**run, "recepie": '{"h_new_0": {"op": "spline", "input": []}}'})
        )
    bench = benchmarks.load("nasbench_nlp", "ptb", tmp_path)
    assert len(bench) == 2
    assert "1 runs of cells outside the space left out" in bench.source
    lstm = space.member("lstm")
    assert bench.query(lstm, "val_loss") == 5.0  # of the runs 4 and 6
    assert bench.query(lstm, "val_loss", seed=1) == 6.0
    assert bench.query(lstm, "train_seconds") == 22.0
    with pytest.raises(benchmarks.NotInTable, match="holds no val_loss"):
        bench.query(space.member("gru"), "val_loss")


def varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def message(evaluations: list[tuple[float, ...]], params: int, seconds: float) -> bytes:
    """A ModelMetrics message of NAS-Bench-101 by the rules of protocol buffers."""
    content = b""
    for values in evaluations:
        inner = b"".join(bytes([place << 3 | 1]) + struct.pack("<d", value) for place, value in enumerate(values, 1))
        inner += bytes([6 << 3 | 2]) + varint(5) + b"/ckpt"
        content += bytes([1 << 3 | 2]) + varint(len(inner)) + inner
    return content + bytes([2 << 3]) + varint(params) + bytes([3 << 3 | 1]) + struct.pack("<d", seconds)


def tfrecord_of(path: Path, records: list[list[Any]]) -> None:
    with open(path, "wb") as file:
        for each in records:
            content = json.dumps(each).encode()
            file.write(struct.pack("<Q", len(content)) + b"crc." + content + b"crc.")


def test_messages_of_nasbench101() -> None:
    found = tfrecord.training(message([(0.0, 0.0, 0.1, 0.1, 0.1), (108.0, 1769.1, 1.0, 0.94, 0.93)], 8_555_530, 1800.5))
    assert found.params == 8_555_530
    assert found.seconds == 1800.5
    assert found.evaluations[1] == (108.0, 1769.1, 1.0, 0.94, 0.93)
    with pytest.raises(BenchmarkError, match="no record of NAS-Bench-101"):
        tfrecord.training(b"\x0a\xff\x01abc")


def graphs() -> list[tuple[str, str]]:
    """The Inception-like graph of the paper, and a small one."""
    space = nasbench101()
    texts = [space.members["Inception-like"], "0111001000010000 input,conv3x3-bn-relu,conv3x3-bn-relu,output"]
    return [(text, space.key(space.from_notation(text))) for text in texts]


@pytest.fixture
def tfrecord_file(tmp_path: Path) -> Path:
    records = []
    for number, (text, key) in enumerate(graphs()):
        matrix, _, operations = text.partition(" ")
        for epochs in (4, 12, 36, 108):
            for repeat in range(3):
                half, end = 0.5 + number / 100, 0.8 + repeat / 10 + number / 100
                evaluations = [(0.0, 0.0, 0.1, 0.1, 0.1), (epochs / 2, epochs, 0.6, half, 0.5),
                               (epochs, 2.0 * epochs, 0.99, end, end - 0.01)]  # fmt: skip
                metrics = base64.b64encode(message(evaluations, 1000 + number, 3.0)).decode()
                records.append([key, epochs, matrix, operations, metrics])
    tfrecord_of(tmp_path / "nasbench_full.tfrecord", records)
    return tmp_path / "nasbench_full.tfrecord"


def test_nasbench101(tfrecord_file: Path) -> None:
    bench = benchmarks.load("nasbench101", data=tfrecord_file)
    inception = bench.space.member("Inception-like")
    assert len(bench) == 2
    assert bench.query(inception) == pytest.approx(0.9)
    assert bench.query(inception, epoch=4, seed=3) == pytest.approx(1.0)
    assert bench.query(inception, "test_accuracy", 36, seed=1) == pytest.approx(0.79)
    assert bench.query(inception, "val_accuracy_halfway") == pytest.approx(0.5)
    assert bench.query(inception, "train_seconds", 12) == 24.0
    small = bench.architectures()[1]
    assert bench.query(small, "params") == 1001
    assert bench.row(bench.space.from_notation(graphs()[1][0])) == 1
    assert bench.space.mutate(inception, np.random.default_rng(0)) not in bench
    cut = tfrecord_file.with_name("nasbench_cut.tfrecord")
    cut.write_bytes(tfrecord_file.read_bytes()[:-10])
    with pytest.raises(BenchmarkError, match="ends within a record"):
        benchmarks.load("nasbench101", data=cut)


def test_views_of_nasbench1shot1(tmp_path: Path) -> None:
    """A view holds the graphs that its sub-space reads, and answers as the whole does."""
    spaces = {number: nasbench1shot1(subspace=number) for number in (1, 2, 3)}
    rng, records = np.random.default_rng(0), {}
    for number, space in spaces.items():
        for _ in range(4):
            a = space.sample(rng)
            matrix, _, operations = space.to_notation(a).partition(" ")
            metrics = base64.b64encode(
                message([(0.0,) * 5, (54.0, 1.0, 0.5, 0.5, 0.5), (108.0, 2.0, 0.9, rng.random(), number)], 7, 1.0)
            )
            records[space.key(a)] = [space.key(a), 108, matrix, operations, metrics.decode()]
    file = tmp_path / "nasbench_only108.tfrecord"
    tfrecord_of(file, list(records.values()))
    whole = benchmarks.load("nasbench101", data=file)
    assert len(whole) == len(records)
    for number, space in spaces.items():
        view = benchmarks.load("nasbench1shot1", str(number), tmp_path)
        assert 4 <= len(view) < len(whole)
        for a in view.architectures():
            found = whole.space.from_notation(space.to_notation(a))
            assert view.query(a) == whole.query(found)
            assert view.query(space.from_notation(space.to_notation(a)), "params") == 7
        assert view.column("test_accuracy").tolist().count(number) >= 4 - (number != 1)


def test_a_file_without_graphs_of_a_part_is_refused(tmp_path: Path) -> None:
    """The output of the Inception-like graph reads four vertices; in the sub-spaces it reads two or three."""
    text, key = graphs()[0]
    matrix, _, operations = text.partition(" ")
    metrics = base64.b64encode(message([(0.0,) * 5, (54.0,) * 5, (108.0,) * 5], 7, 1.0)).decode()
    tfrecord_of(tmp_path / "nasbench_full.tfrecord", [[key, 108, matrix, operations, metrics]])
    with pytest.raises(BenchmarkError, match="holds no graph of the sub-space 1"):
        benchmarks.load("nasbench1shot1", "1", tmp_path)


def test_speech(tmp_path: Path) -> None:
    space, point = nasbench_asr((100, 80)), [[0, 1], [4, 0, 1], [5, 1, 0, 1]]
    header = {"version": 2, "search_space": {"shape": [], "ops": [], "nodes": []}}
    for seed in (1234, 1235):
        kind = {
            **header,
            "dataset_type": "training",
            "seed": seed,
            "epochs": 40,
            "columns": ["model_hash", "val_per", "test_per"],
        }
        rows = [["abc", [0.9, 0.3, 0.4 + seed % 2], 0.25 + seed % 2, point]]
        (tmp_path / f"nb-asr-e40-{seed}.pickle").write_bytes(pickle.dumps(kind) + pickle.dumps(rows))
    kind = {**header, "dataset_type": "benchmarking", "device": "gtx-1080ti-fp32", "columns": ["model_hash", "latency"]}
    rows = pickle.dumps([["abc", 0.05, point]])
    (tmp_path / "nb-asr-bench-gtx-1080ti-fp32.pickle").write_bytes(pickle.dumps(kind) + rows)
    kind = {**header, "dataset_type": "static", "columns": ["model_hash", "params", "flops"]}
    (tmp_path / "nb-asr-info.pickle").write_bytes(pickle.dumps(kind) + pickle.dumps([["abc", 100, 200, point]]))
    bench = benchmarks.load("nasbench_asr", data=tmp_path)
    a = space.from_notation(json.dumps(point))
    assert bench.seeds == (1234, 1235)
    assert bench.query(a) == 0.3
    assert bench.query(a, "val_error", 3) == pytest.approx(0.9)
    assert bench.query(a, "test_error", seed=1234) == 0.25
    assert bench.query(a, "latency_gtx_1080ti_fp32") == 0.05
    assert (bench.query(a, "params"), bench.query(a, "flops")) == (100, 200)
    assert bench.optimum("test_error") == 0.75
    # the third operation is zero: what it reads does not matter
    assert bench.query(space.from_notation("[[0, 1], [4, 0, 1], [5, 1, 0, 1]]")) == 0.3
