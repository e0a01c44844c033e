"""The cells of the CIFAR-10 table of the literature as genotypes, by their published names; and those not public."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from nasturtium.spaces.genotype import Genotype, leaving, read_genotype


class CifarCell(NamedTuple):
    """A published pair of cells.

    Attributes:
        genotype: Its notation.
        space: The space that it is of: ``darts`` or ``nasnet``.
        params: Published parameters of its CIFAR-10 network, in millions.
        paper: Where it was published.
        code: The public repository that its genotype was taken from.
        options: Options of the space that it needs.
    """

    genotype: str
    space: str
    params: float
    paper: str
    code: str
    options: Mapping[str, Any] = MappingProxyType({})

    @property
    def cells(self) -> Genotype:
        """The genotype, read."""
        return _read(self.genotype)


CIFAR_CELLS: dict[str, CifarCell] = {
    "NASNet-A": CifarCell(
        "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), "
        "('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), "
        "('sep_conv_3x3', 1), ('skip_connect', 1)], normal_concat=range(2, 7), "
        "reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), ('max_pool_3x3', 1), ('sep_conv_7x7', 0), "
        "('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), ('avg_pool_3x3', 2), "
        "('sep_conv_3x3', 2), ('max_pool_3x3', 1)], reduce_concat=range(4, 7))",
        "nasnet", 3.3, "Zoph et al. 2018", "quark0/darts", {"operations": "nasnet"},
    ),
    "AmoebaNet-A": CifarCell(
        "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), "
        "('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), "
        "('skip_connect', 0), ('avg_pool_3x3', 1)], normal_concat=range(4, 7), "
        "reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_7x7', 2), "
        "('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('max_pool_3x3', 1), "
        "('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])",
        "nasnet", 3.2, "Real et al. 2019", "quark0/darts", {"operations": "amoebanet"},
    ),
    "AmoebaNet-B": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1), ('max_pool_3x3', 1), ('conv_1x1', 1), "
        "('conv_1x1', 1), ('sep_conv_3x3', 0), ('skip_connect', 3), ('conv_1x1', 3), "
        "('avg_pool_3x3', 1), ('conv_1x1', 5)], normal_concat=[2, 4, 6], "
        "reduce=[('max_pool_2x2', 0), ('max_pool_3x3', 0), ('dil_conv_5x5', 2), ('max_pool_3x3', 2), "
        "('skip_connect', 2), ('conv_3x3', 1), ('avg_pool_3x3', 3), ('conv_1x1', 4), "
        "('skip_connect', 4), ('sep_conv_3x3', 1)], reduce_concat=range(5, 7))",
        "nasnet", 2.8, "Real et al. 2019", "renqianluo/NAO", {"operations": "every"},
    ),
    "PNAS": CifarCell(
        "Genotype(normal=[('sep_conv_5x5', 0), ('max_pool_3x3', 0), ('sep_conv_7x7', 1), ('max_pool_3x3', 1), "
        "('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 4), ('max_pool_3x3', 1), "
        "('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=range(2, 7), "
        "reduce=[('sep_conv_5x5', 0), ('max_pool_3x3', 0), ('sep_conv_7x7', 1), ('max_pool_3x3', 1), "
        "('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 4), ('max_pool_3x3', 1), "
        "('sep_conv_3x3', 0), ('skip_connect', 1)], reduce_concat=range(2, 7))",
        "nasnet", 3.2, "Liu et al. 2018", "D-X-Y/AutoDL-Projects", {"operations": "pnas"},
    ),
    "ENAS": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 1), ('sep_conv_5x5', 1), ('skip_connect', 0), "
        "('avg_pool_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('avg_pool_3x3', 1), "
        "('sep_conv_5x5', 1), ('avg_pool_3x3', 0)], normal_concat=range(2, 7), "
        "reduce=[('sep_conv_5x5', 0), ('avg_pool_3x3', 1), ('sep_conv_3x3', 1), ('avg_pool_3x3', 1), "
        "('avg_pool_3x3', 1), ('sep_conv_3x3', 1), ('sep_conv_5x5', 4), ('avg_pool_3x3', 1), "
        "('sep_conv_3x3', 5), ('sep_conv_5x5', 0)], reduce_concat=[2, 3, 6])",
        "nasnet", 4.6, "Pham et al. 2018", "renqianluo/NAO", {"operations": "enas"},
    ),
    "NAONet": CifarCell(
        "Genotype(normal=[('conv_3x3', 0), ('avg_pool_5x5', 1), ('conv_3x1_1x3', 2), ('conv_3x3', 1), "
        "('conv_1x1', 0), ('conv_3x3', 1), ('conv_3x1_1x3', 0), ('conv_3x3', 4), "
        "('skip_connect', 1), ('conv_3x3', 0)], normal_concat=[3, 5, 6], "
        "reduce=[('conv_3x3', 0), ('avg_pool_2x2', 1), ('conv_1x1', 0), ('avg_pool_3x3', 0), "
        "('conv_7x1_1x7', 0), ('max_pool_2x2', 1), ('avg_pool_3x3', 0), ('conv_1x1', 2), "
        "('max_pool_3x3', 1), ('conv_3x3', 0)], reduce_concat=range(3, 7))",
        "nasnet", 10.6, "Luo et al. 2018", "renqianluo/NAO_pytorch", {"operations": "every"},
    ),
    "NAONet-WS": CifarCell(
        "Genotype(normal=[('sep_conv_5x5', 0), ('avg_pool_3x3', 0), ('sep_conv_5x5', 0), ('avg_pool_3x3', 2), "
        "('max_pool_3x3', 1), ('avg_pool_3x3', 0), ('sep_conv_3x3', 4), ('max_pool_3x3', 1), "
        "('sep_conv_5x5', 2), ('max_pool_3x3', 0)], normal_concat=[3, 5, 6], "
        "reduce=[('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('skip_connect', 2), "
        "('sep_conv_3x3', 1), ('max_pool_3x3', 2), ('sep_conv_5x5', 3), ('avg_pool_3x3', 2), "
        "('avg_pool_3x3', 0), ('avg_pool_3x3', 0)], reduce_concat=range(4, 7))",
        "nasnet", 3.1, "Luo et al. 2018", "renqianluo/NAO_pytorch", {"operations": "enas"},
    ),
    "NASP": CifarCell(
        "Genotype(normal=[('conv_3x1_1x3', 0), ('conv_3x3', 1), ('dil_conv_3x3', 2), ('conv_3x3', 1), "
        "('dil_conv_3x3', 2), ('conv_3x3', 0), ('skip_connect', 0), ('dil_conv_3x3', 3)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_5x5', 1), "
        "('skip_connect', 2), ('skip_connect', 3), ('skip_connect', 0), ('skip_connect', 1)], "
        "reduce_concat=range(2, 6))",
        "nasnet", 3.3, "Yao et al. 2020", "xujinfan/NASP-codes", {"operations": "nasnet", "output": "all", "nodes": 4},
    ),
    "DARTS (first order)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
        "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), "
        "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.3, "Liu et al. 2019", "quark0/darts",
    ),
    "DARTS (second order)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), "
        "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.3, "Liu et al. 2019", "quark0/darts",
    ),
    "SNAS (mild)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 1), "
        "('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_3x3', 1)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), "
        "('max_pool_3x3', 1), ('skip_connect', 2), ('dil_conv_5x5', 2), ('max_pool_3x3', 0)], "
        "reduce_concat=range(2, 6))",
        "darts", 2.9, "Xie et al. 2019", "ain-soph/trojanzoo",
    ),
    "GDAS": CifarCell(
        "Genotype(normal=[('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_5x5', 2), "
        "('sep_conv_3x3', 3), ('skip_connect', 0), ('sep_conv_5x5', 4), ('sep_conv_3x3', 3)], "
        "normal_concat=range(2, 6), "
        "reduce=[('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('sep_conv_5x5', 1), "
        "('dil_conv_5x5', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.4, "Dong and Yang 2019", "D-X-Y/AutoDL-Projects",
    ),
    "P-DARTS": CifarCell(
        "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)], "
        "normal_concat=range(2, 6), "
        "reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), "
        "('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.4, "Chen et al. 2019", "chenxin061/pdarts",
    ),
    "PC-DARTS": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
        "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], "
        "normal_concat=range(2, 6), "
        "reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), "
        "('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.6, "Xu et al. 2020", "yuhuixu1993/PC-DARTS",
    ),
    "SDARTS-RS": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 0), "
        "('sep_conv_3x3', 3), ('skip_connect', 1), ('sep_conv_3x3', 1), ('dil_conv_3x3', 2)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), "
        "('dil_conv_5x5', 3), ('max_pool_3x3', 0), ('sep_conv_3x3', 2), ('sep_conv_5x5', 3)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.4, "Chen and Hsieh 2020", "xiangning-chen/SmoothDARTS",
    ),
    "SDARTS-ADV": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), "
        "('sep_conv_5x5', 0), ('dil_conv_3x3', 3), ('dil_conv_3x3', 4), ('skip_connect', 0)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 2), ('max_pool_3x3', 0), "
        "('skip_connect', 3), ('skip_connect', 2), ('skip_connect', 2), ('sep_conv_5x5', 4)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.3, "Chen and Hsieh 2020", "xiangning-chen/SmoothDARTS",
    ),
    "SGAS (Cri.1)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_5x5', 1), ('sep_conv_5x5', 3), ('skip_connect', 0), ('dil_conv_5x5', 2)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('dil_conv_5x5', 1), ('sep_conv_3x3', 0), ('skip_connect', 2), "
        "('sep_conv_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 1)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.8, "Li et al. 2020", "lightaime/sgas",
    ),
    "SGAS (Cri.2)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 2), "
        "('max_pool_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 2), ('sep_conv_3x3', 3)], "
        "normal_concat=range(2, 6), "
        "reduce=[('sep_conv_3x3', 0), ('max_pool_3x3', 1), ('dil_conv_3x3', 0), ('max_pool_3x3', 1), "
        "('max_pool_3x3', 0), ('sep_conv_3x3', 2), ('max_pool_3x3', 0), ('sep_conv_5x5', 2)], "
        "reduce_concat=range(2, 6))",
        "darts", 4.1, "Li et al. 2020", "lightaime/sgas",
    ),
    "DARTS+PT (seed 0)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_3x3', 1), "
        "('skip_connect', 0), ('skip_connect', 2), ('skip_connect', 0), ('max_pool_3x3', 4)], "
        "normal_concat=range(2, 6), "
        "reduce=[('sep_conv_3x3', 0), ('avg_pool_3x3', 1), ('dil_conv_5x5', 1), ('dil_conv_3x3', 2), "
        "('avg_pool_3x3', 0), ('max_pool_3x3', 2), ('sep_conv_3x3', 2), ('skip_connect', 4)], "
        "reduce_concat=range(2, 6))",
        "darts", 2.85, "Wang et al. 2021", "ruocwang/darts-pt",
    ),
    "DARTS+PT (seed 1)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
        "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 0), ('dil_conv_3x3', 4)], "
        "normal_concat=range(2, 6), "
        "reduce=[('dil_conv_5x5', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 2), "
        "('max_pool_3x3', 1), ('dil_conv_3x3', 3), ('sep_conv_5x5', 0), ('sep_conv_3x3', 4)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.05, "Wang et al. 2021", "ruocwang/darts-pt",
    ),
    "DARTS+PT (seed 2)": CifarCell(
        "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
        "('skip_connect', 2), ('dil_conv_3x3', 3), ('max_pool_3x3', 1), ('skip_connect', 2)], "
        "normal_concat=range(2, 6), "
        "reduce=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), "
        "('dil_conv_5x5', 2), ('skip_connect', 3), ('sep_conv_3x3', 2), ('sep_conv_5x5', 4)], "
        "reduce_concat=range(2, 6))",
        "darts", 2.66, "Wang et al. 2021", "ruocwang/darts-pt",
    ),
    "DARTS+PT (seed 3)": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('skip_connect', 0), ('skip_connect', 2), ('sep_conv_3x3', 1), ('skip_connect', 3)], "
        "normal_concat=range(2, 6), "
        "reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('max_pool_3x3', 1), ('skip_connect', 2), "
        "('dil_conv_5x5', 1), ('max_pool_3x3', 3), ('sep_conv_5x5', 2), ('skip_connect', 3)], "
        "reduce_concat=range(2, 6))",
        "darts", 3.33, "Wang et al. 2021", "ruocwang/darts-pt",
    ),
    "DrNAS": CifarCell(
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), "
        "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), ('dil_conv_5x5', 3)], "
        "normal_concat=range(2, 6), "
        "reduce=[('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('dil_conv_5x5', 2), ('sep_conv_5x5', 1), "
        "('sep_conv_5x5', 1), ('dil_conv_5x5', 3), ('skip_connect', 4), ('sep_conv_5x5', 1)], "
        "reduce_concat=range(2, 6))",
        "darts", 4.0, "Chen et al. 2021", "xiangning-chen/DrNAS",
    ),
}  # fmt: skip
"""Every pair of cells whose genotype is public, by its name."""

MISSING: dict[str, str] = {
    "ProxylessNAS": "its CIFAR-10 network is made of trees of paths on a PyramidNet, not of a pair of cells",
    "SNAS (moderate)": "shown as a picture in the paper; no public genotype was found",
    "SNAS (aggressive)": "shown as a picture in the paper; no public genotype was found",
    "BayesNAS": "the public code has pruned supernets for three strengths of pruning, no genotypes",
    "R-DARTS (L2)": "the public code lists genotypes by job numbers, none of which is named as this network",
    "R-DARTS (DP)": "the public code lists genotypes by job numbers, none of which is named as this network",
    "SDARTS-RS+PT": "the public code has the genotypes of DARTS+PT, not this one",
    "SGAS+PT": "the public code has the genotypes of DARTS+PT, not this one",
    "FairDARTS": "its nodes have different numbers of inputs, which a genotype of pairs cannot say",
}
"""Networks of the same table that cannot be had as cells, and why."""


def genotypes(
    space: str, names: Collection[str], nodes: tuple[int, int] | None = None, output: str = "all"
) -> dict[str, str]:
    """The published cells that a space contains.

    Args:
        space: Name of the space they are of.
        names: Operations that it has.
        nodes: Of its normal and its reduction cell; any number if not given.
        output: Which states leave its cells: ``all`` nodes, or the ``loose`` ones.
    """
    found = {}
    for name, cell in CIFAR_CELLS.items():
        parts = cell.cells
        known = all(operation in names for operation, _ in (*parts.normal, *parts.reduce))
        sizes = (len(parts.normal) // 2, len(parts.reduce) // 2)
        leaves = [(parts.normal, parts.normal_concat), (parts.reduce, parts.reduce_concat)]
        fits = known and nodes in (None, sizes) and all(leaving(steps, output) == out for steps, out in leaves)
        if cell.space == space and fits:
            found[name] = cell.genotype
    return found


@functools.cache
def _read(text: str) -> Genotype:
    return read_genotype(text)
