"""Every predictor by its name: an encoding, and the regressor that learns from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nasturtium.predictors.base import Regressor
from nasturtium.predictors.scaling import RankedColumns, StandardColumns

Load = Callable[[], type[Regressor]]


@dataclass(frozen=True)
class Row:
    """What a predictor is made of.

    Attributes:
        family: What kind of model it is.
        paper: Where it comes from.
        encoding: What it sees unless told otherwise.
        load: Imports the class of its regressor.
        options: Options of that class that make it this predictor.
        extra: The extra of the package that has to be installed, if any.
        warp: Whether scores are learned as normal quantiles of their ranks unless told otherwise.
        columns: Brings further features to one scale.
    """

    family: str
    paper: str
    encoding: str
    load: Load
    options: Mapping[str, Any] = field(default_factory=dict)
    extra: str | None = None
    warp: bool = True
    columns: Callable[[Any], Callable[[Any], Any]] = StandardColumns

    @property
    def reads(self) -> str | None:
        """The only encoding it can read, or None if any vector will do."""
        return self.encoding if self.encoding in ("graph", "tokens", "views") else None


def _forest() -> type[Regressor]:
    from nasturtium.predictors.forest import Forest

    return Forest


def _extra_trees() -> type[Regressor]:
    from nasturtium.predictors.forest import ExtraTrees

    return ExtraTrees


def _bagged() -> type[Regressor]:
    from nasturtium.predictors.boosting import Bagged

    return Bagged


def _ngboost() -> type[Regressor]:
    from nasturtium.predictors.boosting import NaturalBoosting

    return NaturalBoosting


def _linear() -> type[Regressor]:
    from nasturtium.predictors.linear import BayesianLinear

    return BayesianLinear


def _gaussian() -> type[Regressor]:
    from nasturtium.predictors.gaussian import GaussianProcess

    return GaussianProcess


def _ensemble() -> type[Regressor]:
    from nasturtium.predictors.mlp import Ensemble

    return Ensemble


def _dngo() -> type[Regressor]:
    from nasturtium.predictors.bases import DNGO

    return DNGO


def _bohamiann() -> type[Regressor]:
    from nasturtium.predictors.sampled import BOHAMIANN

    return BOHAMIANN


def _graph_network() -> type[Regressor]:
    from nasturtium.predictors.graph_networks import GraphNetwork

    return GraphNetwork


def _omni() -> type[Regressor]:
    from nasturtium.predictors.omni import Omni

    return Omni


def _sequence() -> type[Regressor]:
    from nasturtium.predictors.sequence import SequenceModel

    return SequenceModel


PREDICTORS: dict[str, Row] = {
    "random_forest": Row("trees", "Breiman 2001; spread of Hutter et al. 2014", "one_hot", _forest),
    "extra_trees": Row("trees", "Geurts et al. 2006", "one_hot", _extra_trees),
    "gradient_boosting": Row("boosted trees", "Friedman 2001, bagged", "one_hot", _bagged),
    "xgboost": Row(
        "boosted trees", "Chen and Guestrin 2016, bagged", "one_hot", _bagged, {"kind": "xgboost"}, "surrogates"
    ),
    "lightgbm": Row(
        "boosted trees", "Ke et al. 2017, bagged", "one_hot", _bagged, {"kind": "lightgbm"}, "surrogates"
    ),
    "ngboost": Row("boosted trees", "Duan et al. 2020", "one_hot", _ngboost, {}, "surrogates"),
    "linear": Row("linear", "Bishop 2006, section 3.5", "one_hot", _linear),
    "gp": Row("Gaussian process", "Rasmussen and Williams 2006; Matern 5/2", "one_hot", _gaussian),
    "gp_rbf": Row("Gaussian process", "Rasmussen and Williams 2006", "one_hot", _gaussian, {"kernel": "rbf"}),
    "gp_hamming": Row("Gaussian process", "differing decisions", "one_hot", _gaussian, {"kernel": "hamming"}),
    "gp_wl": Row("Gaussian process", "NASBOWL, Ru et al. 2021", "graph", _gaussian, {"kernel": "wl"}),
    "gp_edit": Row("Gaussian process", "Auto-Keras, Jin et al. 2018", "graph", _gaussian, {"kernel": "edit"}),
    "gp_transport": Row(
        "Gaussian process", "NASBOT, Kandasamy et al. 2018", "graph", _gaussian, {"kernel": "transport"}
    ),
    "mlp": Row("network", "White et al. 2021, on one-hot rows", "one_hot", _ensemble),
    "bananas": Row("network", "BANANAS, White et al. 2021", "path", _ensemble, warp=False),
    "dngo": Row("Bayesian network", "Snoek et al. 2015", "one_hot", _dngo),
    "bohamiann": Row("Bayesian network", "Springenberg et al. 2016", "one_hot", _bohamiann),
    "gcn": Row(
        "graph network", "Wen et al. 2020; NASGBO, Ma et al. 2019", "graph", _graph_network, {"kind": "gcn"},
        warp=False,
    ),
    "gin": Row("graph network", "Xu et al. 2019", "graph", _graph_network, {"kind": "gin"}),
    "bonas": Row(
        "graph network", "BONAS, Shi et al. 2020", "graph", _graph_network,
        {"kind": "gcn", "head": "bayesian", "members": 1, "width": 64}, warp=False,
    ),
    "gates": Row(
        "graph network", "Ning et al. 2020", "graph", _graph_network, {"kind": "gates", "loss": "ranking"}, warp=False
    ),
    "omni": Row(
        "several together", "OMNI, White et al. 2021, with a Gaussian process and trees", "views", _omni,
        columns=RankedColumns,
    ),
    "nao": Row("sequence model", "NAO, Luo et al. 2018; SemiNAS, Luo et al. 2020", "tokens", _sequence),
}  # fmt: skip
"""Every predictor by its name."""
