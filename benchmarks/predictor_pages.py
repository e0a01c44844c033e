"""Writes docs/predictors_table.md from the fits that predictor_table.py keeps."""

from __future__ import annotations

from pathlib import Path
from nasturtium.comparison.predicting import Assessed


def write_page(path: Path, rows: list[Assessed], command: str) -> None:
    pass
