"""``nasturtium report``: the page of a study, and its plots as files."""

from __future__ import annotations

import sys
from pathlib import Path

PAGE = "report.html"
"""The page, within the folder of its study, where no other place is given."""


def run_report(folder: Path, out: Path | None, plots: Path | None, store: str | None = None) -> None:
    """Write the page of a study, and with ``plots`` each of its plots as an SVG file; says what was written.

    Where only plots are asked for, no page is written.
    """
    from nasturtium.report.page import write_plots, write_report

    if plots is not None:
        written = write_plots(folder, plots, store)
        sys.stdout.write(f"wrote {', '.join(path.name for path in written) or 'no plots'} to {plots}\n")
    if out is not None or plots is None:
        place = folder / PAGE if out is None else out
        write_report(folder, place, store)
        sys.stdout.write(f"wrote {place}\n")
