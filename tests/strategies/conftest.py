"""Lets the tests of this folder import the fake space of the tests of studies."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))
