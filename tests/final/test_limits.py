"""Limits of a search and the plain network, which was not searched under them."""

from __future__ import annotations

import numpy as np

import nasturtium as nt
from nasturtium.final import read_finals
from nasturtium.final.baselines import plain_network
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.report.content import finals_rows
from nasturtium.space import Space, choice

QUICK = {"trials": 2, "epochs": 2, "finalists": 1, "final_seeds": 1, "final_epochs": 1, "quiet": True}


def rings(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that no line parts: inside and outside of a circle."""
    x = np.random.default_rng(0).normal(size=(rows, 2)).astype(np.float32)
    return x, (np.linalg.norm(x, axis=1) > 1.2).astype(int)


def space(input=None, outputs=None) -> Space:
    return Space(Sequential(Linear(choice(4, 8, 16)), ReLU(), Linear(2)), input=(2,), name="widths")


def test_the_plain_network_may_break_a_limit_and_then_says_so(tmp_path):
    options = {**QUICK, "out": tmp_path, "strategy": "random"}
    result = nt.search(rings(), space, limits=["params<=100"], **options)
    assert plain_network(result.task).count()["params"] > 100
    plain = result.finals.network("plain network")
    assert plain.breaks == ["params<=100"]
    assert not result.finals.best.breaks
    assert [row[1] for row in finals_rows(read_finals(tmp_path)) if row[0] == "plain network"] == [
        "baseline, breaks params<=100"
    ]
    assert any("plain network" in said and "breaks params<=100" in said for said in result.finals.verdict)
    again = nt.search(rings(), space, limits=["params<=100M"], **options)
    assert again.finals.network("plain network").breaks == []
    assert not any("breaks" in said for said in again.finals.verdict)
