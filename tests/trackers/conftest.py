"""A small study with trials in every state, in a folder as a search leaves it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    from tracked_study import write_study

    return write_study(tmp_path_factory.mktemp("tracked") / "digits-convnet")
