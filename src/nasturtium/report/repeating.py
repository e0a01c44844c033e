"""What is needed to repeat a search: its command or its call, the versions, the settings."""

from __future__ import annotations

import json
import shlex
from typing import Any

from nasturtium.report.reading import Reading
from nasturtium.study.folder import scrubbed

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
    if not isinstance(recorded, list) or not recorded:
        return None
    return shlex.join(scrubbed(str(word)) for word in recorded)  # the notes of older releases hold passwords


def call_text(settings: dict[str, Any]) -> str:
    """The call from Python that made a study; what no text can say stands there by a name (see :func:`call_needs`)."""
    noted = settings.get("call")
    if isinstance(noted, dict) and isinstance(noted.get("text"), str):
        return str(noted["text"])
    task, _ = _older(settings)
    given = [task]
    for name in ("space", "strategy", "trials", "epochs", "seed", "objectives", "limits", *PROXIED):
        value = settings.get(name)
        if value not in (None, []):
            given.append(f"{name}={json.dumps(value, ensure_ascii=False)}")
    return f"nasturtium.search({', '.join(given)})"


def call_needs(settings: dict[str, Any]) -> str:
    """What the call takes that has to be made before, or that it leaves out, as a sentence; empty if nothing."""
    noted = settings.get("call")
    if isinstance(noted, dict):
        own = ", ".join(map(str, noted.get("own") or ()))
        return f"Before it, make what no text can say: {own}." if own else ""
    _, needs = _older(settings)
    return needs


def _older(settings: dict[str, Any]) -> tuple[str, str]:
    """The task of a search that did not note its call, and what is not known of it."""
    from nasturtium.tasks import TASKS

    name, left = str(settings.get("task")), "It leaves out what was not noted: options of the strategy and the space, "
    if name in TASKS:
        return json.dumps(name), f"{left}and the final trainings."
    return "data", f"{left}the final trainings, and the data themselves: {name}, and how they were to be read."


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
