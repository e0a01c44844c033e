"""Tasks: data with its split, loss and metrics, from arrays, files, tables and folders of images."""

from nasturtium.tasks.batches import Batches
from nasturtium.tasks.load import TASKS, load
from nasturtium.tasks.metrics import METRICS, Metric, evaluate_metrics, undefined
from nasturtium.tasks.own import Combined
from nasturtium.tasks.preprocessing import Preprocessing
from nasturtium.tasks.task import Split, Task

__all__ = [
    "METRICS",
    "TASKS",
    "Batches",
    "Combined",
    "Metric",
    "Preprocessing",
    "Split",
    "Task",
    "evaluate_metrics",
    "load",
    "undefined",
]
