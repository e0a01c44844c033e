"""Tasks of event tables, their parts, and a column that says which row is in which."""

from __future__ import annotations

import numpy as np

from nasturtium.tasks import load
from tests.tasks.event_tables import OPTIONS


def parts(task):
    return {"train": task.train, "valid": task.valid, "test": task.test}


def given(events, labels, **options):
    return load(events, labels=labels, **{**OPTIONS, **options})


def split_column(labels, seed=1):
    rng = np.random.default_rng(seed)
    return labels.with_columns(split=rng.permutation((["train"] * 3 + ["valid", "test"]) * (len(labels) // 5)))
