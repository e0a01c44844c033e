"""Small data that the tests of this room share."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def generator() -> np.random.Generator:
    """Random numbers, the same every time."""
    return np.random.default_rng(7)


@pytest.fixture
def blobs(generator):
    """Three well-parted classes of 60, 40 and 20 rows with four columns: (x, y)."""
    y = np.repeat([0, 1, 2], [60, 40, 20])
    return generator.normal(size=(120, 4)) + 3 * y[:, None], y
