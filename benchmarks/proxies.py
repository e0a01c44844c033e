"""Prints how our zero-cost proxies rank networks beside the published scores, and what sharing passes saves.

``python benchmarks/proxies.py [ranks [COUNT] | speed | bias]``; without a word all three.
"""

from __future__ import annotations

import copy
import io
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium import benchmarks, spaces
from nasturtium.proxies import SUITE_ZERO, score
from nasturtium.proxies.bias import AIMS, bias_table, removed, trait_columns

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
PICTURES = DATA / "datasets/cifar10_jpeg/train_0.npz"
MEAN, SPREAD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
PUBLISHED = {name: {"jacob_cov": "jacov"}.get(name, name) for name in SUITE_ZERO}

Row = npt.NDArray[Any]
Plain = Callable[[nn.Module, Tensor, Tensor], float]


def pictures(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Standardised CIFAR-10 pictures (B, 3, 32, 32), drawn at random, and their classes."""
    from PIL import Image

    with np.load(PICTURES) as stored:
        joined, offsets, classes = stored["jpeg"], stored["offsets"], stored["y"]
    rows = np.random.default_rng(seed).choice(len(classes), count, replace=False)
    read = [np.asarray(Image.open(io.BytesIO(joined[offsets[i] : offsets[i + 1]].tobytes()))) for i in rows]
    images = torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).float() / 255  # (B, 3, 32, 32)
    scaled = (images - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(SPREAD).view(3, 1, 1)
    return scaled, torch.from_numpy(classes[rows].astype(np.int64))


def published() -> Any:
    """NAS-Bench-Suite-Zero on NAS-Bench-201 and CIFAR-10."""
    return benchmarks.load("suite_zero", dataset="nasbench201/cifar10", data=DATA / "benchmarks/nas_bench_suite_zero")


def rankings(count: int = 100, seed: int = 0) -> dict[str, tuple[float, int]]:
    """For each proxy the Spearman correlation of ours with the published scores, and over how many networks."""
    bench = published()
    listed = list(bench.architectures())
    columns = {name: np.asarray(bench.column(PUBLISHED[name]), dtype=float) for name in SUITE_ZERO}
    scored = np.flatnonzero(np.isfinite(columns["snip"]))  # of most networks only zen was published
    picked = np.random.default_rng(seed).choice(scored, count, replace=False)
    inputs, targets = pictures(64, seed)
    ours, theirs = [], []
    for number, index in enumerate(picked):
        torch.manual_seed(number)
        architecture = listed[int(index)]
        scores = score(architecture.build(), inputs, targets, SUITE_ZERO)
        ours.append([scores[name] for name in SUITE_ZERO])
        theirs.append([columns[name][index] for name in SUITE_ZERO])
    return {name: _rank(np.array(ours)[:, i], np.array(theirs)[:, i]) for i, name in enumerate(SUITE_ZERO)}


def _rank(ours: Row, theirs: Row) -> tuple[float, int]:
    both = np.isfinite(ours.astype(float)) & np.isfinite(theirs.astype(float))
    return float(spearmanr(ours[both], theirs[both]).statistic), int(both.sum())


def print_rankings(count: int) -> None:
    """The table of rank correlations."""
    print(f"Spearman with the published scores, NAS-Bench-201, CIFAR-10, {count} networks")
    for name, (rank, valid) in rankings(count).items():
        print(f"  {name:<10} {rank:6.3f}   both valid: {valid}")


def layers(model: nn.Module) -> list[Any]:
    """The convolutions and linear maps of a network."""
    return [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def back(model: nn.Module, x: Tensor, y: Tensor) -> list[Any]:
    """One forward and backward pass of a copy; gives its layers with their gradients."""
    model = copy.deepcopy(model).train()
    F.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
    return layers(model)


def plain_grad_norm(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Norms of the gradients."""
    return sum(float(layer.weight.grad.norm()) for layer in back(model, x, y) if layer.weight.grad is not None)


def plain_snip(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Weights times gradients, absolute."""
    return sum(float((w * w.grad).abs().sum()) for w in _held(back(model, x, y)))


def plain_plain(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Weights times gradients."""
    return sum(float((w * w.grad).sum()) for w in _held(back(model, x, y)))


def _held(found: list[Any]) -> list[Any]:
    return [layer.weight.requires_grad_(False) for layer in found if layer.weight.grad is not None]


def plain_grasp(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Two gradients, the second differentiated again."""
    model = copy.deepcopy(model).train()
    held = [layer.weight for layer in layers(model)]
    one = torch.autograd.grad(F.cross_entropy(model(x), y), held, allow_unused=True)
    other = torch.autograd.grad(F.cross_entropy(model(x), y), held, allow_unused=True, create_graph=True)
    product = torch.stack([(a * b).sum() for a, b in zip(one, other, strict=True) if a is not None]).sum()
    product.backward()  # type: ignore[no-untyped-call]
    return -sum(float((w * w.grad).sum()) for w in _held(layers(model)))


def plain_fisher(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Activations kept, their gradients from one backward pass."""
    model = copy.deepcopy(model).train()
    kept: list[tuple[Any, Tensor]] = []

    def keep(layer: nn.Module, given: Any, left: Tensor) -> None:
        left.retain_grad()
        kept.append((layer, left))

    for layer in layers(model):
        layer.register_forward_hook(keep)
    F.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
    sums = [(layer, (left * left.grad).detach()) for layer, left in kept if left.grad is not None]
    rows = [(layer, each.flatten(2).sum(2) if each.ndim > 2 else each) for layer, each in sums]
    return float(sum(0.5 * each.square().mean(0).sum() * layer.weight[0].numel() for layer, each in rows))


def jacobian(model: nn.Module, x: Tensor) -> Row:
    """Gradients of the sum of outputs by each row's inputs."""
    model, x = copy.deepcopy(model).train(), x.clone().requires_grad_()
    left = model(x)
    left.backward(torch.ones_like(left))
    return np.zeros((len(x), 1)) if x.grad is None else x.grad.flatten(1).numpy()


def plain_jacob_cov(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Eigenvalues of the correlations of the Jacobian."""
    values = np.linalg.eigvalsh(np.corrcoef(jacobian(model, x))) + 1e-5
    return float(-np.sum(np.log(values) + 1 / values))


def plain_epe_nas(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Correlations of the Jacobian within classes."""
    rows, classes = jacobian(model, x), y.numpy()
    held = [np.corrcoef(rows[classes == each]) for each in np.unique(classes)]
    return float(sum(abs(np.log(np.abs(each) + 1e-5).sum()) for each in held))


def plain_nwot(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Codes of ReLUs, both products as the formula has them."""
    model = copy.deepcopy(model).train()
    kernel = torch.zeros(len(x), len(x))

    def count(layer: nn.Module, given: tuple[Tensor, ...], left: Tensor) -> None:
        code = (given[0].flatten(1) > 0).float()
        kernel.add_(code @ code.T + (1 - code) @ (1 - code).T)

    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(count)
    model(x)
    return float(torch.linalg.slogdet(kernel)[1])


def plain_synflow(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Absolute weights in double precision, batch norms left out."""
    model = copy.deepcopy(model).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            setattr(module, "forward", lambda given: given)  # noqa: B010 - mypy takes it for a method
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    model(torch.ones_like(x[:1], dtype=torch.double)).sum().backward()
    flow = sum(float((w * w.grad).abs().sum()) for w in _held(layers(model)))
    return math.log(flow) if flow else math.nan


def plain_zen(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """A Gaussian network before its pooling, twice."""
    model = copy.deepcopy(model).train()
    for layer in layers(model):
        nn.init.normal_(layer.weight)
    met: list[Tensor] = []
    model.get_submodule("0.globalpool").register_forward_pre_hook(lambda module, given: met.append(given[0]))
    one, other = torch.randn_like(x), torch.randn_like(x)
    with torch.no_grad():
        model(one)
        model(one + 0.01 * other)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    scale = sum(0.5 * math.log(float(norm.running_var.mean())) for norm in norms if norm.running_var is not None)
    return math.log(float((met[0] - met[1]).abs().sum((1, 2, 3)).mean())) + scale


def plain_l2_norm(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Norms of the weights."""
    return sum(float(layer.weight.detach().norm()) for layer in layers(model))


def plain_flops(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """What torch counts for one row."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copy.deepcopy(model).eval()(x[:1])
    return float(counter.get_total_flops())


PLAIN: dict[str, Plain] = {
    "epe_nas": plain_epe_nas, "fisher": plain_fisher, "flops": plain_flops, "grad_norm": plain_grad_norm,
    "grasp": plain_grasp, "jacob_cov": plain_jacob_cov, "l2_norm": plain_l2_norm, "nwot": plain_nwot,
    "params": lambda model, x, y: float(sum(map(torch.numel, model.parameters()))),
    "plain": plain_plain, "snip": plain_snip, "synflow": plain_synflow, "zen": plain_zen,
}  # fmt: skip
"""Each proxy by itself, as the formula reads."""

CELLS = {
    "ResNet": "ResNet",
    "five 3x3, one skip": "NATS-SSS",
    "mixed": "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
}


def spent(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a call, and what it gave."""
    begun = time.process_time()
    given = call()
    return time.process_time() - begun, given


def print_speed(repeats: int = 3) -> None:
    """All 13 proxies at once beside the same 13 one by one, in turns, medians of CPU time."""
    inputs, targets = pictures(64)
    space = spaces.make("nasbench201", (3, 32, 32), 10)
    print(f"13 proxies, C=16, N=5, batch 64: CPU seconds, medians of {repeats}, {torch.get_num_threads()} thread(s)")
    for name, cell in CELLS.items():
        torch.manual_seed(0)
        model = space.read(cell).build()
        score(model, inputs, targets, SUITE_ZERO)
        [plain(model, inputs, targets) for plain in PLAIN.values()]
        pairs = []
        for _ in range(repeats):
            shared, ours = spent(lambda: score(model, inputs, targets, SUITE_ZERO))  # noqa: B023 - called at once
            each = {one: spent(lambda: plain(model, inputs, targets)) for one, plain in PLAIN.items()}  # noqa: B023
            pairs.append((shared, sum(seconds for seconds, _ in each.values())))
        shared, alone = (float(np.median(column)) for column in zip(*pairs, strict=True))
        print(f"  {name:<20} shared {shared:6.2f}   one by one {alone:6.2f}   ratio {shared / alone:.2f}")
        worst = max((abs(ours[one] / value - 1), one) for one, (_, value) in each.items() if one != "zen")
        print(f"  {'':<20} largest difference without zen, whose noise is drawn: {worst[0]:.1e} ({worst[1]})")


def print_bias() -> None:
    """Pearson correlation of the published scores with traits, before and after removal, over valid networks."""
    bench = published()
    listed = list(bench.architectures())
    columns = trait_columns(listed)
    scores = {name: np.asarray(bench.column(PUBLISHED[name]), dtype=float) for name in SUITE_ZERO}
    accuracy = np.asarray(bench.column("val_accuracy"), dtype=float)
    table = bias_table({"accuracy": accuracy, **scores}, columns)
    print(f"Pearson correlation with traits, NAS-Bench-201, CIFAR-10, {len(listed):,} networks (valid scores alone)")
    print(f"  {'':<10}" + "".join(f"{trait:>16}" for trait in columns))
    for name, row in table.items():
        print(f"  {name:<10}" + "".join(f"{row[trait]:16.2f}" for trait in columns))
    print("Removal of conv_over_pool: correlation with it, and Spearman with accuracy")
    for name, values in scores.items():
        tried = [removed(values, columns["conv_over_pool"], how, accuracy) for how in AIMS]
        written = [f"none {table[name]['conv_over_pool']:5.2f} {_rank(values, accuracy)[0]:5.2f}"]
        pairs = zip(AIMS, tried, strict=True)
        written += [f"{how} {each.after:5.2f} {_rank(each.values, accuracy)[0]:5.2f}" for how, each in pairs]
        print(f"  {name:<10}" + "   ".join(written))


def main(arguments: list[str]) -> None:
    """Print what is asked for."""
    torch.set_num_threads(1)
    wanted = arguments[:1] or ["speed", "bias", "ranks"]
    for name, show in (("speed", print_speed), ("bias", print_bias)):
        if name in wanted:
            show()
    if "ranks" in wanted:
        print_rankings(int(arguments[1]) if len(arguments) > 1 else 100)


if __name__ == "__main__":
    main(sys.argv[1:])
