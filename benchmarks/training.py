"""Training throughput against the plainest loop in PyTorch, on the same data, side by side in one process.

    OMP_NUM_THREADS=1 python benchmarks/training.py [--epochs 15]

Three small networks on the same rows: what :class:`nasturtium.estimators.fit.Fit` does for a plain recipe (the same
mathematics as the loop: AdamW, no schedule effects that cost, no augmentation), for the default recipe, and the loop.
CPU time of an epoch on one thread, median of alternating runs. A ratio above 1 means that ours is faster; the bar is
0.95 for the plain recipe.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from nasturtium import tasks
from nasturtium.estimators import Recipe, default_recipe
from nasturtium.estimators.data import Placed
from nasturtium.estimators.run import prepare
from nasturtium.layers import (
    GRU,
    Attention,
    ConvBlock,
    FeedForward,
    GlobalPool,
    LayerNorm,
    Linear,
    MaxPool,
    Residual,
    Sequential,
)
from nasturtium.space import Architecture
from nasturtium.space.part import Layer
from nasturtium.tasks import Task

BATCH = 64
ROWS, STEPS, CHANNELS = 1_280, 32, 8


def networks() -> dict[str, tuple[Task, Layer]]:
    """Each network with its task."""
    images, sequences = tasks.load("digits"), waves()
    block = Sequential(
        Residual(Sequential(LayerNorm(), Attention(4))), Residual(Sequential(LayerNorm(), FeedForward(2)))
    )
    convolutions = ConvBlock(32), ConvBlock(32), MaxPool(2), ConvBlock(64), ConvBlock(64), GlobalPool("max")
    return {
        "CNN": (images, Sequential(*convolutions, Linear(10))),
        "GRU": (sequences, Sequential(GRU(48), GlobalPool("last"), Linear(4))),
        "Transformer": (sequences, Sequential(Linear(48), block, block, GlobalPool("mean"), Linear(4))),
    }


def waves() -> Task:
    """Four classes of noisy waves (N, T, C)."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 4, (ROWS,), generator=generator)
    steps = torch.arange(STEPS).view(1, STEPS, 1)
    clean = torch.sin(steps * (0.3 + 0.2 * y.view(-1, 1, 1)))
    x = clean + torch.randn(ROWS, STEPS, CHANNELS, generator=generator)
    return tasks.load((x.numpy(), y.numpy()), layout="sequence", name="waves")


def plain_loop(task: Task, network: Layer) -> Callable[[], None]:
    """An epoch as one would write it by hand, on the same module."""
    (values,), targets = task.train.inputs, task.train.targets
    x, y = torch.from_numpy(values), torch.from_numpy(targets)
    model: nn.Module = Architecture(network, input=task.inputs).build()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def epoch() -> None:
        model.train()
        order = torch.randperm(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    return epoch


def ours(task: Task, network: Layer, recipe: Recipe) -> Callable[[], float]:
    """An epoch as the estimator runs it."""
    architecture = Architecture(network, input=task.inputs)
    fit = prepare(architecture, recipe, Placed(task, torch.device("cpu")), 1_000, seed=0)
    return fit.run_epoch


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=15)
    epochs = parser.parse_args().epochs
    torch.set_num_threads(1)
    print(f"{'network':12} {'loop ms':>9} {'fp32 plain':>11} {'plain':>7} {'default':>8}   (speed against the loop)")
    for name, (task, network) in networks().items():
        plain = Recipe(batch_size=BATCH, clip=None)
        default = default_recipe(task).with_values({"batch_size": BATCH})
        fp32 = plain.with_values({"precision": "fp32"})
        runs: dict[str, Callable[[], object]] = {
            "loop": plain_loop(task, network),
            **{
                key: ours(task, network, each) for key, each in (("fp32", fp32), ("plain", plain), ("default", default))
            },
        }
        seconds: dict[str, list[float]] = {key: [] for key in runs}
        for number in range(epochs + 2):
            for key, run in runs.items():
                begun = time.process_time()
                run()
                if number >= 2:
                    seconds[key].append(time.process_time() - begun)
        median = {key: statistics.median(values) for key, values in seconds.items()}
        ratios = [median["loop"] / median[key] for key in ("fp32", "plain", "default")]
        print(f"{name:12} {1000 * median['loop']:9.1f} {ratios[0]:11.2f} {ratios[1]:7.2f} {ratios[2]:8.2f}")


if __name__ == "__main__":
    main()
