"""What a candidate costs: from its text to the first training step, and a step against the same network by hand.

    OMP_NUM_THREADS=1 python benchmarks/event_cost.py [--count 200] [--steps 60]

The first: text read, checked against the task, built, optimiser made, first batch at hand; CPU time and wall time in a
warm process, medians over drawn networks; bar 20 ms. The second: CPU time of a training step of ours against plain
torch, which is first shown to compute the same with the same weights; median of alternating steps; bar 1.05.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import nasturtium as nt
from nasturtium.estimators import Recipe
from nasturtium.estimators.data import Placed
from nasturtium.estimators.fit import Fit
from nasturtium.estimators.run import prepare
from nasturtium.space import Architecture
from nasturtium.tasks import Task

LENGTH, CLASSES, ROWS, BATCH, WIDTH = 96, 7, 640, 64, 32
PLAIN = Recipe(batch_size=BATCH, clip=None, schedule="constant", warmup=0.0, precision="fp32", weight_decay=0.01)


def waves() -> Task:
    """Series as those of ElectricDevices: (N, 96, 1) of seven classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, ROWS)
    x = np.sin(np.arange(LENGTH) * (0.1 + 0.05 * y[:, None])) + rng.normal(size=(ROWS, LENGTH))
    return nt.tasks.load((x.astype(np.float32), y), layout="sequence", name="waves")


def events() -> Task:
    """Events of 5 to 60 each, with two categories and a number."""
    import polars as pl

    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(ROWS), rng.integers(5, 61, ROWS))
    count = len(owner)
    frame = pl.DataFrame(
        {
            "who": owner,
            "t": rng.random(count) * 1e6,
            "kind": rng.integers(0, 30, count).astype(str),
            "place": rng.integers(0, 9, count).astype(str),
            "amount": rng.lognormal(size=count),
        }
    )
    labels = pl.DataFrame({"who": np.arange(ROWS), "y": rng.integers(0, 2, ROWS)})
    return nt.tasks.load(frame, labels=labels, entity="who", timestamp="t", target="y", name="events")


def first_step(name: str, task: Task, count: int) -> None:
    """Print how long it takes from text to the first step, for networks drawn from two spaces."""
    placed = Placed(task, torch.device("cpu"))
    for space in (nt.spaces.make(each, task.inputs, task.outputs) for each in ("seqnas", "seqnas_plus")):
        rng = np.random.default_rng(0)
        texts = [str(space.sample(rng)) for _ in range(count)]
        taken = []
        for text in texts:
            begun = time.process_time(), time.perf_counter()
            fit = prepare(Architecture.parse(text, input=task.inputs), PLAIN, placed, 1, seed=0)
            next(iter(fit.batches))
            taken.append(np.subtract((time.process_time(), time.perf_counter()), begun))
        cpu, wall = 1e3 * np.array(taken[len(taken) // 10 :]).T
        print(f"{space.name:12} on {name:7} text to first step {np.median(cpu):6.2f} ms of CPU time "
              f"(95 % below {np.quantile(cpu, 0.95):.1f}), {np.median(wall):.2f} ms of wall time (bar 20)")  # fmt: skip


class Feed(nn.Module):
    """The feed-forward part, by hand."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.before, self.up = nn.LayerNorm(width), nn.Linear(width, inner)
        self.between, self.down = nn.LayerNorm(inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """Two linear maps of each step."""
        y = F.mish(F.dropout(self.up(self.before(x)), 0.1, self.training))
        return F.dropout(self.down(self.between(y)), 0.1, self.training)


class Convolution(nn.Conv1d):
    """A convolution over (B, T, C), by hand."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class Recurrent(nn.GRU):
    """A GRU, all steps given, by hand."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Run."""
        steps: Tensor = super().forward(x)[0]
        return steps


class Attention(nn.Module):
    """Heads of a fixed width, each scaled, normalised together, by hand."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.both = nn.Linear(channels, heads * WIDTH), nn.Linear(channels, 2 * heads * WIDTH)
        self.scale, self.norm = nn.Parameter(torch.ones(heads)), nn.LayerNorm(heads * WIDTH)
        self.mix = nn.Linear(heads * WIDTH, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        batch, steps, _ = x.shape
        query = self.query(x).view(batch, steps, self.heads, WIDTH).transpose(1, 2)
        key, value = self.both(x).view(batch, steps, 2, self.heads, WIDTH).permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(query, key, value).transpose(1, 2) * self.scale.view(-1, 1)
        mixed: Tensor = self.mix(self.norm(found.reshape(batch, steps, -1)))
        return mixed


class ByHand(nn.Module):
    """A network of ``seqnas`` on series, as one would write it: stem, encoder layers, mean, answer."""

    def __init__(self, operations: list[Callable[[int], nn.Module]], channels: int = WIDTH) -> None:
        super().__init__()
        part = channels // len(operations)
        self.norm, self.stem = nn.BatchNorm1d(1), nn.Conv1d(1, channels, 3, padding=1)
        self.first = nn.LayerNorm(channels)
        self.operations = nn.ModuleList([make(part) for make in operations])
        self.second, self.feed = nn.LayerNorm(channels), Feed(channels, WIDTH)
        self.answer = nn.Linear(channels, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Answer for (B, T, 1)."""
        x = self.stem(self.norm(x.transpose(1, 2))).transpose(1, 2)
        y = self.first(x)
        parts = y.chunk(len(self.operations), -1)
        made = torch.cat([each(part) for each, part in zip(self.operations, parts, strict=True)], -1)
        x = x + F.dropout(made, 0.1, self.training)
        x = x + self.feed(self.second(x))
        answer: Tensor = self.answer(F.mish(x).mean(1))
        return answer


NETWORKS: dict[str, tuple[str, list[Callable[[int], nn.Module]]]] = {
    "GRU": ("GRU(),", [lambda part: Recurrent(part, part, batch_first=True)]),
    "convolution": ("Conv1d(),", [lambda part: Convolution(part, part, 3, padding=1)]),
    "attention": ("MixtureOfHeads(4),", [lambda part: Attention(part, 4)]),
    "all three": (
        "MixtureOfHeads(2), GRU(), Conv1d()",
        [
            lambda part: Attention(part, 2),
            lambda part: Recurrent(part, part, batch_first=True),
            lambda part: Convolution(part, part, 3, padding=1),
        ],
    ),
}  # fmt: skip
"""The operations of an encoder layer, as text and by hand."""


def text_of(operations: str, channels: int) -> str:
    """The architecture that ``ByHand`` is."""
    return (
        f"Sequential(EventStem(numeric=Sequential(BatchNorm(), Conv1d({channels}, groups='depthwise'), Identity())), "
        f"Repeat(1, EventEncoderLayer(({operations}), width={WIDTH})), Identity(), Mish(), Identity(), "
        f"GlobalPool('mean'), Linear({CLASSES}))"
    )


def step(name: str, task: Task, steps: int) -> None:
    """Print CPU time of a training step, ours and by hand, after both gave the same answers."""
    operations, modules = NETWORKS[name]
    channels = WIDTH * len(modules) if len(modules) > 1 else WIDTH
    architecture = Architecture.parse(text_of(operations, channels), input=task.inputs)
    placed = Placed(task, torch.device("cpu"))
    fit = prepare(architecture, PLAIN, placed, 1_000, seed=0)
    hand = ByHand(modules, channels)
    shared(fit, hand, task)
    optimiser = torch.optim.AdamW(hand.parameters(), lr=PLAIN.learning_rate, fused=True)
    y: Tensor
    ((x, *_), y) = next(iter(placed.training(PLAIN, 0, channels_last=False)))
    fit.model.train()
    hand.train()

    def by_hand() -> None:
        loss = F.cross_entropy(hand(x), y)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    seconds: dict[str, list[float]] = {"ours": [], "hand": []}
    for number in range(steps + 5):
        for key, act in (("ours", lambda: fit._step((x,), y)), ("hand", by_hand)):
            begun = time.process_time()
            act()
            if number >= 5:
                seconds[key].append(time.process_time() - begun)
    ours, theirs = (1e3 * statistics.median(seconds[key]) for key in ("ours", "hand"))
    print(f"{name:12} step {ours:6.2f} ms, by hand {theirs:6.2f} ms, ratio {ours / theirs:.2f} (bar 1.05)")


def shared(fit: Fit, hand: nn.Module, task: Task) -> None:
    """Give the network by hand our weights, and make sure that both answer alike."""
    ours, theirs = list(fit.model.parameters()), list(hand.parameters())
    for mine in theirs:
        match = next(each for each in ours if each.shape == mine.shape or each.numel() == mine.numel())
        ours = [each for each in ours if each is not match]
        mine.data.copy_(match.data.view(mine.shape))
    x = torch.from_numpy(task.train.inputs[0][:8])
    fit.model.eval()
    hand.eval()
    torch.testing.assert_close(fit.model(x), hand(x), rtol=1e-4, atol=1e-5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="networks for the time to the first step")
    parser.add_argument("--steps", type=int, default=60, help="training steps of each network")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    series = waves()
    first_step("series", series, asked.count)
    first_step("events", events(), asked.count)
    for name in NETWORKS:
        step(name, series, asked.steps)


if __name__ == "__main__":
    main()
