"""Presets: published searches as a strategy with its options and what it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from nasturtium.strategies.learners import learner


class Preset(NamedTuple):
    """A published search, by which a strategy can be asked for.

    Attributes:
        strategy: A name in ``STRATEGIES``.
        summary: One line on what it does.
        source: The paper it comes from.
        options: Of the strategy, where they are not given otherwise.
        start: Members of the space to try first, where nothing else is given.
    """

    strategy: str
    summary: str
    source: str
    options: Mapping[str, Any] = MappingProxyType({})
    start: tuple[str, ...] = ()


ENSEMBLE = partial(learner, "bananas", epochs=60, holding_out=False)
"""BANANAS' networks, 5 of 10 layers of 20, with the spread they have, as published: none is held back to calibrate it.

A calibrated spread covers all that a prediction may be off by, which is several times as much; draws from it explore
more than 150 queries can pay for. 60 epochs rank what is near the best as well as naszilla's 150. The preset fits
them every 5 scores, not every 10, and mutates the best 10: what is learned sooner is used sooner.
"""

GRAPHS = partial(learner, "gcn", members=2, width=32, layers=2, epochs=60, batch=64, rate=0.01)
"""NASGBO's graph convolutions: smaller and trained less than on their own, as they are fitted every ten scores."""

BONAS = partial(learner, "bonas", width=32, layers=2, epochs=60, batch=64, rate=0.01)
"""BONAS' graph convolutions, likewise."""

CHAINS = partial(learner, "bohamiann", chains=3, steps=500, burn=250, every=25)
"""BOHAMIANN's chains, likewise: NASLib takes 100 steps, naszilla 10,000."""

SEEDED = MappingProxyType({"population": 100, "tournament": 10, "fill": True})

PRESETS: dict[str, Preset] = {
    "re_scratch": Preset(
        "evolution", "regularised evolution from 100 random architectures: RE(Scratch)", "Ericsson et al. 2024",
        MappingProxyType({"population": 100, "tournament": 10, "initial": 100}),
    ),
    "re_rn18": Preset(
        "evolution", "regularised evolution from 100 copies of ResNet-18: RE(RN18)", "Ericsson et al. 2024",
        SEEDED, ("resnet18",),
    ),
    "re_mix": Preset(
        "evolution", "regularised evolution from copies of four known networks: RE(Mix)", "Ericsson et al. 2024",
        SEEDED, ("resnet18", "wrn16_4", "vit", "mlp_mixer"),
    ),
    "aging_evolution": Preset(
        "evolution", "regularised evolution with AmoebaNet's population 100, tournament 25", "Real et al. 2019",
        MappingProxyType({"population": 100, "tournament": 25, "initial": 100}),
    ),
    "rea_nats": Preset(
        "evolution", "regularised evolution with NATS-Bench's population 10, tournament 3", "Dong et al. 2021",
        MappingProxyType({"population": 10, "tournament": 3, "initial": 10}),
    ),
    "steady_state": Preset(
        "evolution", "crossover and mutation of the winners of binary tournaments; the worst dies", "Whitley 1989",
        MappingProxyType({"tournament": 2, "variation": "cross", "survival": "worst"}),
    ),
    "local_search_full": Preset(
        "local_search", "local search that asks all neighbours before it moves to the best", "White et al. 2021",
        MappingProxyType({"full": True}),
    ),
    "linear_scalarisation": Preset(
        "scalarisation", "evolution towards random linear weightings of the objectives", "Paria et al. 2019",
        MappingProxyType({"kind": "linear"}),
    ),
    "hyperband_evolution": Preset(
        "hyperband", "Hyperband over what regularised evolution proposes", "Li et al. 2018; Real et al. 2019",
        MappingProxyType({"strategy": "evolution"}),
    ),
    "bananas": Preset(
        "bayesian", "networks on paths, independent Thompson sampling, mutations of the best", "White et al. 2021",
        MappingProxyType({"predictor": ENSEMBLE, "acquisition": "independent_thompson", "parents": 10,
                          "every": 5}),
    ),
    "nasbot": Preset(
        "bayesian", "a Gaussian process on the optimal-transport distance, expected improvement, mutations",
        "Kandasamy et al. 2018",
        MappingProxyType({"predictor": "gp_transport", "count": 50, "every": 5}),
    ),
    "auto_keras": Preset(
        "bayesian", "a Gaussian process on the edit distance, upper confidence bound, local search of it",
        "Jin et al. 2019",
        MappingProxyType({"predictor": "gp_edit", "acquisition": "upper_confidence", "candidates": "local_search",
                          "count": 50, "every": 5}),
    ),
    "nasbowl": Preset(
        "bayesian", "a Gaussian process on Weisfeiler-Lehman features, expected improvement, half of it mutations",
        "Ru et al. 2021",
        MappingProxyType({"predictor": "gp_wl", "candidates": "mixed", "count": 1000, "every": 5}),
    ),
    "nasgbo": Preset(
        "bayesian", "graph convolutions, expected improvement, mutations", "Ma et al. 2019",
        MappingProxyType({"predictor": GRAPHS, "every": 10}),
    ),
    "bonas": Preset(
        "bayesian", "graph convolutions with a Bayesian last layer, upper confidence bound, mutations",
        "Shi et al. 2020",
        MappingProxyType({"predictor": BONAS, "acquisition": "upper_confidence", "every": 10}),
    ),
    "bohamiann": Preset(
        "bayesian", "networks drawn by Hamiltonian Monte Carlo, expected improvement, mutations",
        "Springenberg et al. 2016",
        MappingProxyType({"predictor": CHAINS, "every": 10}),
    ),
    "dngo": Preset(
        "bayesian", "a network with a Bayesian last layer, expected improvement, mutations", "Snoek et al. 2015",
        MappingProxyType({"predictor": "dngo", "every": 10}),
    ),
    "sequences": Preset(
        "bayesian", "a calibrated Gaussian process of noisy scores, Thompson sampling among mutations of the best 15",
        "White et al. 2021; Frazier 2018",
        MappingProxyType({"predictor": "gp", "encoding": "ordered", "acquisition": "independent_thompson",
                          "noisy": True, "parents": 15, "initial": 30, "every": 5}),
    ),
    "asha_sequences": Preset(
        "asha", "ASHA over `sequences`: short trainings first, which learns from the longest with enough",
        "Li et al. 2020; Klein et al. 2020", MappingProxyType({"strategy": "sequences"}),
    ),
    "seqnas": Preset(
        "bayesian", "boosted trees, independent Thompson sampling of 15 among 100 random architectures, after 100",
        "SeqNAS 2024",
        MappingProxyType({"predictor": "gradient_boosting", "acquisition": "independent_thompson",
                          "candidates": "random", "count": 100, "initial": 100, "every": 15}),
    ),
}  # fmt: skip
"""Every preset by its name."""
