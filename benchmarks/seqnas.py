"""SeqNAS: time to sample, encode, decode and build; the published architectures built, their parameters compared.

python benchmarks/seqnas.py
python benchmarks/seqnas.py --data ../shared/data/benchmarks/nas_bench_event_sequences/nas_bench_event_sequences.parquet
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars
import torch

from nasturtium import Space
from nasturtium.space.signal import Signal, group, sequence, tokens
from nasturtium.spaces.seqnas import seqnas

COUNT = 500


def events(length: int, vocabularies: tuple[int, ...], numbers: int) -> Signal:
    """A group of categorical columns and numbers with one mask."""
    members = {f"category{n}": tokens(length, size) for n, size in enumerate(vocabularies)}
    more = {"numbers": sequence(length, numbers)} if numbers else {}
    return group(**members, **more)._replace(mask=True)


DATA: dict[str, tuple[Any, int]] = {
    "ABank": (events(250, (*[42] * 15, 44), 3), 2),
    "AGE": (events(1000, (202,), 1), 4),
    "RBchurn": (events(200, (344, 7, 57, 10), 1), 2),
    "TaoBao": (events(500, (6, 1905), 0), 2),
}


def speed(name: str, space: Space) -> None:
    """Medians over samples, in milliseconds."""
    rng, rows = np.random.default_rng(0), []
    for _ in range(COUNT):
        marks = [time.perf_counter()]
        architecture = space.sample(rng)
        marks.append(time.perf_counter())
        code = space.to_notation(architecture)
        marks.append(time.perf_counter())
        again = space.from_notation(code)
        if again.value != architecture.value:
            raise SystemExit(f"{code} does not come back")
        marks.append(time.perf_counter())
        again.build()
        marks.append(time.perf_counter())
        rows.append(np.diff(marks))
    steps = np.median(rows, 0) * 1e3
    total = np.median(np.sum(rows, 1)) * 1e3
    worst = np.quantile(np.sum(rows, 1), 0.95) * 1e3
    shown = "  ".join(
        f"{what} {ms:5.2f}" for what, ms in zip(("sample", "encode", "decode", "build"), steps, strict=True)
    )
    print(f"{name:22} {shown}  in all {total:5.2f} ms (95 % below {worst:.2f}; bar 10)")


def published(table: polars.DataFrame) -> None:
    """Build every published architecture on the meta device; compare parameters."""
    for name, (input, outputs) in DATA.items():
        space = seqnas(input, outputs, embedding=32, numeric_embedding=32)
        rows = dict(table.filter(polars.col("dataset") == name).select("arch_code", "params").rows())
        shares, start = [], time.perf_counter()
        for code, params in rows.items():
            architecture = space.from_notation(code)
            with torch.device("meta"):
                model = architecture.build()
            built = sum(parameter.numel() for parameter in model.parameters())
            if built != architecture.count()["params"] or space.to_notation(architecture) != code:
                raise SystemExit(f"{code}: {built} parameters, counted {architecture.count()['params']}")
            shares.append(built / params)
        low, middle, high = np.quantile(shares, (0, 0.5, 1))
        seconds = time.perf_counter() - start
        print(
            f"{name:8} {len(rows):4} architectures built in {seconds:5.1f} s; parameters {low:.2f} to {high:.2f} "
            f"(median {middle:.2f}) of those published, which count options that were not chosen"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="the published table (Parquet)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    sizes = seqnas().size, seqnas(tokens(None, 50)).size
    print(f"{sizes[0]:,} architectures, {sizes[1]:,} without numbers, counted in {time.perf_counter() - start:.3f} s")
    speed("sequence 96x1", seqnas((96, 1)))
    speed("tokens, masked", seqnas(tokens(None, 1000, mask=True)))
    for name, (input, outputs) in DATA.items():
        speed(f"{name}, width 32", seqnas(input, outputs, embedding=32, numeric_embedding=32))
    if options.data is not None:
        published(polars.read_parquet(options.data))


if __name__ == "__main__":
    main()
