"""Studies for other programs: data frames and CSV, TensorBoard, Optuna's dashboard. A study is only read for it."""

from nasturtium.trackers.frame import frame

__all__ = ["frame"]
