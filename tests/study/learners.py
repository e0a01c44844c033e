"""Trials that learn by a power law, in a given order, for the rules of early stopping."""

from dataclasses import dataclass

import numpy as np
from bit_space import Bits, BitSpace

from nasturtium.objective import Goal
from nasturtium.strategies import RandomSearch
from nasturtium.study import InProcess, open_study, run
from nasturtium.trial import Proposal

SPACE = BitSpace(8)
EPOCHS = 20


@dataclass
class Learner:
    """Learns by a power law towards an accuracy that grows with the ones, with a little noise."""

    dies_at: tuple[int, int] | None = None
    leap: float = 0.0

    def evaluate(self, architecture, budget, report):
        top = 0.5 + 0.05 * sum(architecture.decisions)
        noise = np.random.default_rng(report.seed).normal(0, 0.002, EPOCHS)
        value = 0.0
        for epoch in range(1, int(budget) + 1):
            value = float(top - self.leap - 0.4 * epoch**-0.8 + noise[epoch - 1])
            value += self.leap * (epoch > 15)
            if self.dies_at == (sum(architecture.decisions), epoch):
                raise KeyboardInterrupt
            if not report(epoch, {"accuracy": value, "loss": 1 - value}):
                break
        return {"accuracy": value, "loss": 1 - value}


class InOrder(RandomSearch):
    def __init__(self, *ones):
        super().__init__(SPACE, budget=EPOCHS)
        self.ones = ones

    def propose(self, number, rng):
        if number >= len(self.ones):
            return None
        count = self.ones[number]
        return Proposal(Bits((1,) * count + (0,) * (8 - count)), EPOCHS)


def searched(rule, *ones, objectives="accuracy", limits=(), place=None, estimator=None):
    study = open_study(place, Goal.of(objectives, limits), SPACE, {"seed": 1})
    try:
        run(study, InOrder(*ones), InProcess(estimator or Learner()), trials=len(ones), seed=1, stop=rule)
    except KeyboardInterrupt:
        study.close()
        raise
    return study
