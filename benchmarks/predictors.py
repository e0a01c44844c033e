"""Prints what predictors cost and how well they rank: CPU time of one thread, NAS-Bench-201 if the table is there."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

from nasturtium import Architecture, predictors, spaces
from nasturtium.benchmarks import load
from nasturtium.errors import MissingExtra
from nasturtium.predictors.drawn import Paths
from nasturtium.predictors.mlp import Ensemble

DATA = Path(__file__).resolve().parents[2] / "shared/data/benchmarks"
CANDIDATES = 10_000


def data(count: int, seed: int) -> tuple[Any, list[Architecture], np.ndarray]:
    """NAS-Bench-201, some of its networks, and their validation accuracy; made up where there is no table."""
    rng = np.random.default_rng(seed)
    if (DATA / "nats_tss").exists():
        bench = load("nasbench201", "cifar10", DATA)
        every = bench.architectures()
        chosen = [every[int(i)] for i in rng.permutation(len(every))[:count]]
        return bench.space, chosen, np.array([bench.query(each) for each in chosen], float)
    space = spaces.nasbench201()
    chosen = [space.sample(rng) for _ in range(count)]
    return space, chosen, np.array([sum(d == 3 for d in each.decisions) for each in chosen]) + rng.normal(size=count)


def plain_ensemble(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """BANANAS' networks trained one after the other by torch's own modules, from the same first weights."""
    ours = Ensemble(epochs=0, holding_out=False)
    ours.fit(x, y)
    outputs = []
    for member in range(5):
        layers: list[nn.Module] = []
        for weight, bias in ours.networks.weights:
            linear = nn.Linear(weight.shape[1], weight.shape[2])
            linear.weight.data, linear.bias.data = weight[member].T.clone(), bias[member, 0].clone()
            layers += [linear, nn.ReLU()]
        module = nn.Sequential(*layers[:-1])
        adam = torch.optim.Adam(module.parameters(), 0.01, (0.9, 0.99))
        rows, targets = torch.from_numpy(x), torch.from_numpy(y).float()
        for _ in range(150):
            for part in torch.split(torch.randperm(len(rows)), 32):
                adam.zero_grad()
                (module(rows[part])[:, 0] - targets[part]).abs().mean().backward()
                adam.step()
        outputs.append(module(torch.from_numpy(new))[:, 0].detach().numpy())
    return np.asarray(np.mean(outputs, axis=0))


def bananas_round(rounds: int) -> None:
    """One round of BANANAS, ours and the plain version, from architectures to scored candidates."""
    seconds, ranks = [], []
    for seed in range(rounds):
        space, chosen, scores = data(1100, seed)
        begun = time.process_time()
        predictor = predictors.make("bananas", space=space, seed=seed).fit(chosen[:100], scores[:100])
        mean, _ = predictor.predict(chosen[100:])
        middle = time.process_time()
        paths = Paths(space)
        paths.fit(chosen[:100])
        y = (scores[:100] - scores[:100].mean()) / scores[:100].std()
        plain = plain_ensemble(paths(chosen[:100]), y, paths(chosen[100:]))
        seconds.append((middle - begun, time.process_time() - middle))
        ranks.append([spearmanr(each, scores[100:])[0] for each in (mean, plain)])
    ours, theirs = np.median(seconds, axis=0)
    rank = np.mean(ranks, axis=0)
    print(f"BANANAS round: {ours:.2f} s, rank correlation {rank[0]:.3f} (bar 0.8 s)")
    print(f"  trained one by one: {theirs:.2f} s, rank correlation {rank[1]:.3f}; mean of {rounds} rounds")


def every_predictor(names: Sequence[str], splits: int) -> None:
    """Fit on 100 networks, score 10,000: seconds, rank correlation, coverage of the 50 and 90 % intervals."""
    print(f"{'predictor':<20}{'fit s':>8}{'10,000 s':>10}{'spearman':>10}{'50 %':>7}{'90 %':>7}")
    for name in names:
        found = []
        try:
            for seed in range(splits):
                space, chosen, scores = data(100 + CANDIDATES, seed)
                predictor = predictors.make(name, space=space, seed=seed)
                begun = time.process_time()
                predictor.fit(chosen[:100], scores[:100])
                middle = time.process_time()
                mean, std = predictor.predict(chosen[100:])
                ended = time.process_time()
                covered = predictors.calibration(mean, std, scores[100:])
                rank = spearmanr(mean, scores[100:])[0]
                found.append((middle - begun, ended - middle, rank, covered[0.5], covered[0.9]))
        except MissingExtra as missing:
            print(f"{name:<20}{missing}")
            continue
        fit, query, rank, half, most = np.median(found, axis=0)
        print(f"{name:<20}{fit:>8.2f}{query:>10.2f}{rank:>10.3f}{half:>7.2f}{most:>7.2f}", flush=True)


def gaussian_processes() -> None:
    """Seconds to fit 200 points."""
    space, chosen, scores = data(200, 0)
    settings: dict[str, dict[str, Any]] = {
        "gp": {}, "gp_rbf": {}, "gp (ard)": {"ard": True}, "gp_hamming": {}, "gp_wl": {}, "gp_edit": {},
        "gp_transport": {},
    }  # fmt: skip
    for name, options in settings.items():
        taken = []
        for _ in range(3):
            predictor = predictors.make(name.split()[0], space=space, **options)
            begun = time.process_time()
            predictor.fit(chosen, scores)
            taken.append(time.process_time() - begun)
        print(f"{name} fitted to 200 points: {np.median(taken):.2f} s (bar 0.3 s)")


def main() -> None:
    """What is named on the command line; everything otherwise."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    names = sys.argv[1:]
    if not names:
        bananas_round(5)
        gaussian_processes()
    every_predictor(names or list(predictors.PREDICTORS), 3)


if __name__ == "__main__":
    main()
