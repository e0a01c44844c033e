"""Prints the CIFAR-10 table of published cells: our parameters beside the published ones, and what is missing."""

from __future__ import annotations

from nasturtium.spaces.cifar_cells import CIFAR_CELLS, MISSING
from nasturtium.spaces.cifar_networks import cifar_row

ROW = "{:<22}{:>9}{:>12}{:>11}{:>12}  {}"


def main() -> None:
    """Print the table: millions of parameters of 20 cells with 36 channels."""
    print(ROW.format("network", "params", "+ auxiliary", "published", "difference", "paper"))
    for name, cell in CIFAR_CELLS.items():
        row = cifar_row(name)
        numbers = f"{row.params:.3f}", f"{row.with_auxiliary:.3f}", f"{row.published:g}", f"{row.difference:+.2f}"
        print(ROW.format(name, *numbers, cell.paper))
    for name, reason in MISSING.items():
        print(f"{name:<22}  missing: {reason}")


if __name__ == "__main__":
    main()
