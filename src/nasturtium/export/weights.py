"""What the weights are called in the source, and the file that holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nasturtium.errors import NasturtiumError
from nasturtium.export.folding import Folding
from nasturtium.export.structure import Chain, Graph, Leaf, Node, inner_nodes

if TYPE_CHECKING:
    import torch

MOST_HEADER = 100_000_000
"""Bytes; the format allows no longer header."""

MARK = {"nasturtium": "weights of an exported network"}
"""Stands in the metadata of the weights of an export, so that the next one knows what it may replace."""


def renamed(root: Node, folding: Folding, built: torch.nn.Module) -> dict[str, str]:
    """For each name of a weight in the source its name in the network.

    Args:
        root: The tree of the network.
        folding: How it is written.
        built: The network that the tree was recorded from.
    """
    places = {id(module): name for name, module in built.named_modules()}

    def go(node: Node, new: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, Chain):
            for index, child in enumerate(node.children):
                yield from go(child, f"{new}{index}.")
        elif isinstance(node, Graph):
            for name, attribute in folding.programs[id(node)].attributes.items():
                yield from go(node.children[name], f"{new}{attribute}.")
        elif isinstance(node, Leaf):
            inner = {name: part for part in inner_nodes(node) for name, module in node.module.named_modules()
                     if module is part.module}  # fmt: skip
            old = places[id(node.module)]
            for name in node.module.state_dict():
                if not any(name.startswith(f"{path}.") for path in inner):
                    yield f"{new}{name}", f"{old}.{name}" if old else name
            for path, part in inner.items():
                yield from go(part, f"{new}{path}.")

    return dict(go(root, ""))


def write_weights(path: Path, names: Mapping[str, str], trained: torch.nn.Module) -> None:
    """Write the weights of a trained network under the names of the source.

    Raises:
        NasturtiumError: If the network is another one than the source was written from.
    """
    from safetensors.torch import save_file

    state = trained.state_dict()
    lost = [old for old in names.values() if old not in state]
    if lost:
        raise NasturtiumError(
            f"the trained network has no weight {lost[0]!r}, which its architecture has; it is another network"
        )
    save_file({new: state[old].detach().cpu().clone().contiguous() for new, old in names.items()}, str(path), MARK)


def exported(path: Path) -> bool:
    """Whether an export wrote a file of weights: its mark is in the header, whose length the first 8 bytes give."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(min(int.from_bytes(file.read(8), "little"), MOST_HEADER)))
        return bool(header["__metadata__"].items() >= MARK.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
