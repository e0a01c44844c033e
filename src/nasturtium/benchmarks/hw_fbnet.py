"""The tables by which HW-NAS-Bench adds up the cost of an FBNet from that of its blocks (Li et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nasturtium.benchmarks.table import NotInTable
from nasturtium.spaces.fbnet import BLOCKS

STEM = 16
LAYERS = (1, 4, 4, 4, 4, 4, 1)
CHANNELS = (16, 24, 32, 64, 112, 184, 352)
SETTINGS = {
    "cifar100": {"side": 32, "stem": 1, "strides": (1, 1, 2, 2, 1, 2, 1), "head": 1504, "classes": 100},
    "imagenet": {"side": 224, "stem": 2, "strides": (1, 2, 2, 2, 1, 2, 1), "head": 1984, "classes": 1000},
}
"""Side of the images, stride of the stem, of the stages, channels of the head, classes."""


def blocks(decisions: Sequence[int], dataset: str) -> list[str]:
    """The names, in the published tables, of all blocks of the network whose layers are these operations."""
    setting: Any = SETTINGS[dataset]
    side, channels = setting["side"], STEM
    names = [f"ConvNorm_H{side}_W{side}_Cin3_Cout{STEM}_kernel3_stride{setting['stem']}_group1"]
    side //= setting["stem"]
    taken = iter(decisions)
    for count, leaving, first in zip(LAYERS, CHANNELS, setting["strides"], strict=True):
        for number in range(count):
            stride = first if number == 0 else 1
            names.append(_block(next(taken), side, channels, leaving, stride))
            side, channels = side // stride, leaving
    head = setting["head"]
    names.append(f"ConvNorm_H{side}_W{side}_Cin{channels}_Cout{head}_kernel1_stride1_group1")
    names.append(f"AvgP_H{side}_W{side}_Cin{head}_Cout{head}_kernel{side}_stride1")
    return [*names, f"FC_Cin{head}_Cout{setting['classes']}"]


def _block(operation: int, side: int, channels: int, leaving: int, stride: int) -> str:
    shape = f"H{side}_W{side}_Cin{channels}_Cout{leaving}"
    if operation >= len(BLOCKS):
        return f"Skip_{shape}_stride{stride}"
    kernel, expansion, groups = list(BLOCKS.values())[operation]
    return f"ConvBlock_{shape}_exp{expansion}_kernel{kernel}_stride{stride}_group{groups}"


def totals(tables: Sequence[Mapping[str, float]], dataset: str, path: str, decisions: Sequence[int]) -> list[float]:
    """The cost of a network in each table."""
    names = blocks(decisions, dataset)
    return [total(table, names, path) for table in tables]


def total(table: Mapping[str, float], names: Sequence[str], path: str) -> float:
    """The sum over the blocks.

    Raises:
        NotInTable: If the table lacks one.
    """
    for name in names:
        if name not in table:
            raise NotInTable(f"{path} has no cost of the block {name}")
    return float(sum(table[name] for name in names))
