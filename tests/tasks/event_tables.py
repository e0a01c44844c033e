"""A small table of events with labels, for tests: orders of customers."""

from __future__ import annotations

import numpy as np
import polars as pl

KINDS = np.array(["call", "visit", "order"])
OPTIONS = {"entity": "who", "timestamp": "when", "target": "stays"}


def customers(count: int = 60, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events of customers of 1 to 12, in random order, and whether each stays: more often with many orders."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 13, count)
    owners = np.repeat(np.arange(count), lengths)
    kinds = rng.choice(3, len(owners), p=(0.5, 0.3, 0.2))
    start = np.repeat(rng.permutation(count) * 100.0, lengths)
    events = pl.DataFrame(
        {
            "who": owners,
            "when": start + rng.exponential(5.0, len(owners)).round(3),
            "kind": KINDS[kinds],
            "amount": np.where(rng.random(len(owners)) < 0.2, np.nan, rng.lognormal(2, 1, len(owners))),
            "shop": rng.integers(1, 5, len(owners)).astype(np.float32),
        }
    ).sample(fraction=1.0, shuffle=True, seed=seed)
    orders = np.bincount(owners, weights=kinds == 2, minlength=count)
    stays = np.where(rng.random(count) < 0.1 + 0.8 * (orders > 1), "yes", "no")
    return events, pl.DataFrame({"who": np.arange(count), "stays": stays})
