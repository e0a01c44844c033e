"""Lets the tests of this folder, and the processes they start, import the fake space beside them."""

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def open_folder():
    """A folder that other users can reach; those of pytest are closed to them."""
    with tempfile.TemporaryDirectory(prefix="nasturtium-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server, started once for all tests; they skip, and say so, where there is none."""
    from servers import made_server

    with tempfile.TemporaryDirectory(prefix="nasturtium-postgres-") as name:
        made = made_server(Path(name))
        yield made
        made.stop()
