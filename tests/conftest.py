"""What all tests share: Ctrl-C works, also where they were started in the background of a shell, which ignores it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

DATASETS = Path(__file__).resolve().parents[1] / "../shared/data/datasets"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what tests start inherits that


@pytest.fixture
def datasets() -> Path:
    """The folder of real data; the test is skipped where it is not."""
    if not DATASETS.is_dir():
        pytest.skip("the real data sets are not here")
    return DATASETS
