"""``nasturtium track``: a study for TensorBoard, Optuna's dashboard, or as CSV."""

from __future__ import annotations

import sys
from pathlib import Path

from nasturtium.errors import NasturtiumError


def track_study(
    folder: Path, tensorboard: Path | None, optuna: str | None, csv: Path | None, store: str | None = None
) -> None:
    """Write the study of a folder to each of the places that were given."""
    if tensorboard is None and optuna is None and csv is None:
        raise NasturtiumError("say where to write: --tensorboard LOGDIR, --optuna URL or --csv FILE")
    if csv is not None:
        from nasturtium.trackers.frame import write_csv
        from nasturtium.trackers.reading import read_tracked

        trials = read_tracked(folder, store).study.trials
        write_csv(trials, csv)
        sys.stdout.write(f"{len(trials)} trials in {csv}\n")
    if tensorboard is not None:
        from nasturtium.trackers.tensorboard import write

        count = write(folder, tensorboard, store)
        sys.stdout.write(f"{count} trials in {tensorboard}; 'tensorboard --logdir {tensorboard}' shows them\n")
    if optuna is not None:
        from nasturtium.trackers.optuna import export

        count = export(folder, optuna, store=store)
        sys.stdout.write(f"{count} trials in {optuna}; 'optuna-dashboard {optuna}' shows them\n")
