"""Strategies that learn something within few trials, and a space with dead ends."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import Mismatch
from nasturtium.layers import Identity, Linear, ReLU, Residual, Sequential
from nasturtium.space import Layer, Space, choice
from nasturtium.strategies import make
from nasturtium.strategies.candidates import Climbed


class Divisor(Layer):
    """Works on channels that ``size`` divides."""

    size: Any

    def signal(self, x):
        if x.channels % self.size:
            raise Mismatch("{} does not divide {}", self.size, x.channels)
        return x


def dead_ends():
    """Half of the widths lead nowhere, which shows two decisions later."""
    body = Sequential(Linear(choice(5, 6, 7, 8, 9, 10)), choice(ReLU(), Identity(), Residual(ReLU())))
    return Space(Sequential(body, body, Divisor(choice(4, 3)), Linear(2)), input=(8,), name="dead ends")


LEARNING = {"predictor": "linear", "encoding": "counts", "count": 6, "every": 4, "initial": 6}
"""What every strategy with a predictor is tested with where its predictor is not what matters."""

BAYESIAN = ("bayesian", "bananas", "nasbot", "auto_keras", "nasbowl", "nasgbo", "bonas", "bohamiann", "dngo",
            "hypervolume")  # fmt: skip
GUIDED = {key: value for key, value in LEARNING.items() if key != "count"}

QUICK = {"controller": {"batch": 4}, "ppo": {"batch": 6, "minibatch": 3, "hidden": 20}, "nsga2": {"population": 8},
         "genetic": {"population": 8}, "genetic_cnn": {"population": 8},
         "tpe": {"initial": 6, "candidates": 6}, "bohb": {"initial": 4, "options": {"candidates": 6}},
         **dict.fromkeys(BAYESIAN, LEARNING), "auto_keras": {**LEARNING, "candidates": Climbed(6, 1, 4, 2)},
         "parego": {key: value for key, value in LEARNING.items() if key != "every"},
         "npenas": {**GUIDED, "brood": 6}, "predict_then_search": {**GUIDED, "candidates": 30},
         "pnas": {"predictor": "linear", "encoding": "counts", "candidates": 6, "beam": 5, "parents": 3},
         "nao": {"predictor_options": {"members": 1, "width": 4, "epochs": 1}, "initial": 6, "every": 12, "parents": 3,
                 "steps": (1.0,)}}  # fmt: skip
"""Options with which something is learnt within few trials."""


def quick(name, space, **options):
    common = (
        {"objectives": ["accuracy", "-params"], "limits": ["params<=1000"]}
        if name in ("nsga2", "scalarisation", "hypervolume", "parego")
        else {}
    )
    return make(name, space=space, budget=9, **{**common, **QUICK.get(name, {}), **options})
