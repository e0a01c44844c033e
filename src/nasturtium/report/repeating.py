"""What is needed to repeat a search: its command or its call, the versions, the settings."""

from __future__ import annotations

import json
import shlex
from typing import Any

from nasturtium.report.reading import Reading

NAMES = {
    "task": "task", "data": "data (fingerprint)", "space": "space", "strategy": "strategy", "options": "its options",
    "proxy": "proxies that screen", "proxy_keep": "share of candidates tried", "proxy_start": "tried first by proxies",
    "trials": "trials", "epochs": "epochs of a trial", "seed": "seed", "recipe": "recipe of training",
    "objectives": "objectives", "limits": "limits",
}  # fmt: skip
"""The settings that are shown, and what they are called."""

PROXIED = ("proxy", "proxy_keep", "proxy_start")


def command_text(settings: dict[str, Any]) -> str | None:
    """The command line that made a study, quoted for a shell; None where none was recorded."""
    recorded = settings.get("command")
    return shlex.join(str(word) for word in recorded) if isinstance(recorded, list) and recorded else None


def call_text(settings: dict[str, Any]) -> str:
    """The call from Python that follows from the settings; options of the strategy and the space are not in it."""
    given = [json.dumps(str(settings.get("task")))]
    for name in ("space", "strategy", "trials", "epochs", "seed", "objectives", "limits", *PROXIED):
        value = settings.get(name)
        if value not in (None, []):
            given.append(f"{name}={json.dumps(value, ensure_ascii=False)}")
    return f"nasturtium.search({', '.join(given)})"


def proxy_text(settings: dict[str, Any]) -> str | None:
    """How proxies screened what was tried; None where none did."""
    names, keep, start = (settings.get(name) for name in PROXIED)
    if not names or not keep:
        return None
    begun = f", after the {start} best of a drawn pool" if start else ""
    return f"screened by {str(names).replace(',', ', ')}: {keep:.3g} of the candidates were tried{begun}"


def versions_text(settings: dict[str, Any]) -> str | None:
    """The versions it ran with, on one line; None where none were recorded."""
    recorded = settings.get("versions")
    if not isinstance(recorded, dict) or not recorded:
        return None
    return ", ".join(f"{name} {version}" for name, version in recorded.items())


def settings_rows(reading: Reading) -> list[tuple[str, str]]:
    """The settings as rows of a table."""
    rows = []
    for name, shown in NAMES.items():
        value = reading.settings.get(name)
        if value in (None, [], "", "[]"):
            continue
        text = (
            ", ".join(map(str, value)) if isinstance(value, list) else f"{value:,}" if name == "trials" else str(value)
        )
        rows.append((shown, text))
    return rows
