"""Small spaces of each kind, a score that is a sum over decisions, and a driver that records its events."""

from __future__ import annotations

import zlib
from typing import Any

from nasturtium.errors import Mismatch
from nasturtium.layers import Identity, Linear, ReLU, Residual, Sequential, repeat
from nasturtium.space import Layer, Part, Space, choice
from nasturtium.space.choice import rule
from nasturtium.strategies import make
from nasturtium.strategies.candidates import Climbed
from nasturtium.trial import Proposal, State, Trial


class Knobs(Part):
    """Independent values: a product space."""

    items: Any


def product(decisions=8, options=4):
    return Space(Knobs(tuple(choice(*range(options), name=f"c{i}") for i in range(decisions))), name="box")


def conditional():
    block = choice(
        Linear(choice(8, 16)), ReLU(), Residual(Sequential(Linear(8), choice(ReLU(), Identity()), Linear(8)))
    )
    return Space(
        Sequential(Linear(8), repeat(Sequential(block, Linear(8)), choice(1, 2, 3)), Linear(choice(2, 4, 6))),
        input=(8,),
        name="conditional",
    )


def grammar(nodes=40):
    def productions(block):
        layers = Sequential(Linear(choice(4, 8, 16)), Linear(8))
        inner = Residual(Sequential(block, Linear(8)))
        return choice(Sequential(block, block), inner, ReLU(), layers, weights=(0.4, 0.2, 0.2, 0.2))

    return Space(Sequential(rule("block", productions), Linear(2)), input=(8,), name="grammar", nodes=nodes)


def constrained():
    """A product under a constraint on the whole."""
    space = product(6, 4)
    return Space(space.root, where=lambda architecture: sum(architecture.decisions) % 2 == 0, name="even")


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


SPACES = {
    "product": product(),
    "conditional": conditional(),
    "grammar": grammar(),
    "tight grammar": grammar(nodes=16),
    "constrained": constrained(),
}


def score(architecture, seed=0):
    """Between 0 and 1: the mean worth of the decisions, each by itself."""
    worths = [zlib.crc32(f"{seed} {i} {d}".encode()) % 1000 / 999 for i, d in enumerate(architecture.decisions)]
    return sum(worths) / len(worths)


def good(trial_number, proposal):
    """Every trial is complete."""
    architecture = proposal.architecture
    scores = {"accuracy": score(architecture), "params": float(sum(architecture.decisions))}
    return State.COMPLETE, scores


def rough(number, proposal):
    """Of every seven trials, some fail, stop, are infeasible, or give scores that are no numbers."""
    state, scores = good(number, proposal)
    broken = {
        1: (State.FAILED, {}),
        2: (State.COMPLETE, {**scores, "accuracy": float("nan")}),
        3: (State.INFEASIBLE, {"params": 1e6}),
        4: (State.STOPPED, {"accuracy": 0.1, "params": 1.0}),
        5: (State.COMPLETE, {**scores, "accuracy": float("inf")}),
    }
    return broken.get(number % 7, (state, scores))


def drive(strategy, count, workers=1, end=good):
    """Runs a search; gives its events: proposals as they were asked, trials as they were told, not in order."""
    events, running, number = [], [], 0
    while number < count or running:
        proposals = strategy.ask(1) if len(running) < workers and number < count else []
        if proposals:
            events.append(proposals[0])
            running.append((number, proposals[0]))
            number += 1
            continue
        assert running, "nothing runs, and nothing is proposed"
        which, proposal = running.pop(number * 5 % len(running))
        state, scores = end(which, proposal)
        trial = Trial(which, state, proposal.architecture, proposal.budget, scores, parent=proposal.parent)
        events.append(trial)
        strategy.tell(trial)
    return events


def replay(strategy, events, space):
    """Brings a new strategy to where the events led, with architectures that know their decisions alone."""
    for event in events:
        architecture = space.architecture(event.architecture.decisions)
        if isinstance(event, Proposal):
            strategy.asked(Proposal(architecture, event.budget, event.parent))
        else:
            strategy.tell(
                Trial(event.number, event.state, architecture, event.budget, event.scores, parent=event.parent)
            )
    return strategy


def asked(events):
    return [event for event in events if isinstance(event, Proposal)]


def places(events):
    """Where in the events something was asked."""
    return [number for number, event in enumerate(events) if isinstance(event, Proposal)]


def plain(proposal):
    return proposal.architecture.decisions, proposal.budget, proposal.parent


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
