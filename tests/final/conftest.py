"""What the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import pytest

DATASETS = Path(__file__).resolve().parents[2] / "../shared/data/datasets"


@pytest.fixture
def datasets() -> Path:
    """The folder of real data; the test is skipped where it is not."""
    if not DATASETS.is_dir():
        pytest.skip("the real data sets are not here")
    return DATASETS
