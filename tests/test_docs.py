"""Every command and every example of the README and the docs runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    found = []
    for page in PAGES:
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text())):
            found.append((f"{page.stem}-{number}", kind, text))
    return found


@pytest.mark.parametrize(("kind", "text"), [(k, t) for _, k, t in blocks()], ids=[n for n, _, _ in blocks()])
def test_runs(kind: str, text: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    if kind == "python":
        (tmp_path / "example.py").write_text(text)
        command = [sys.executable, "example.py"]
    else:
        command = ["sh", "-e", "-c", text]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pages_have_examples() -> None:
    kinds = [kind for _, kind, _ in blocks()]
    assert kinds.count("python") >= 6
    assert kinds.count("console") >= 2
