"""``nasturtium doctor``: what is installed, what the machine can do, how a study is; to be pasted into a report."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.cli import machine
from nasturtium.errors import NasturtiumError, StudyError

if TYPE_CHECKING:
    from nasturtium.study import Event

BYTES = ("total", "available", "container", "free", "memory", "size", "log")
UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


def examine(folder: Path | None, as_json: bool, store: str | None = None) -> None:
    """Write what there is to know, as text or as JSON."""
    if folder is None and store is not None:
        raise NasturtiumError("--store says where the trials of a study are; give the folder of the study too")
    found: dict[str, Any] = {
        "versions": machine.versions(),
        "extras": machine.extras(),
        "threads": machine.threads(),
        "memory": machine.memory(),
        "disk": machine.disk(folder or Path()),
        "devices": machine.devices(),
    }
    if folder is not None:
        found["study"] = study_facts(folder, store)
    sys.stdout.write(json.dumps(found, indent=1) + "\n" if as_json else text_of(found))


def study_facts(folder: Path, store: str | None = None) -> dict[str, Any]:
    """How a study is: readable or why not, its trials, who runs it."""
    from nasturtium.final.leaders import noted, winner
    from nasturtium.objective import Goal
    from nasturtium.study import open_study, place_of
    from nasturtium.study.folder import read_settings

    facts: dict[str, Any] = {"folder": str(folder)}
    try:
        settings = read_settings(folder)
        goal = Goal.of(settings["objectives"], settings["limits"])
        place, name = place_of(folder, store or settings.get("store"))
        study = open_study(place, goal, name=name, read_only=True)
    except NasturtiumError as error:
        return {**facts, "state": "cannot be read", "problem": str(error)}
    try:
        facts |= {"state": "can be read", "run": driver_of(study.store), "trials": len(study), "events": study.last}
        facts |= {"ended": {state.value: count for state, count in study.counts.items() if count}}
        facts |= {"workers lost": sum(study.losses.values()), "drivers killed": kills(study.store.read(0))}
        best = winner(study, noted(study, settings.get("recommended")))
        facts |= {"best": None if best is None else f"trial {best.number}"}
        facts |= {"last failure": last_failure(study)}
        facts |= {key: settings[key] for key in ("task", "space", "strategy", "seed", "versions") if key in settings}
    finally:
        study.close()
    if isinstance(place, Path):
        log = place.with_name(f"{place.name}-wal")
        facts |= {"size": place.stat().st_size, "log": log.stat().st_size if log.is_file() else 0}
    return facts


def kills(events: Iterable[Event]) -> int:
    """How many drivers died: the next one notes all trials that ran then one after another, before anything else."""
    count, before = 0, False
    for each in events:
        death = each.kind == "interrupted" and bool(each.data.get("death"))
        count += death and not before
        before = death
    return count


def last_failure(study: Any) -> str | None:
    """Why the last trial failed that did."""
    reasons = [f"trial {trial.number}: {trial.reason}" for trial in study if trial.state == "failed"]
    return reasons[-1] if reasons else None


def driver_of(store: Any) -> str:
    """Who ran the study last, and whether that process is there."""
    import platform

    import psutil

    try:
        owner = store.row().owner
        known = json.loads(owner) if owner else None
    except (StudyError, ValueError):
        known = None
    if not known:
        return "never"
    who = f"process {known.get('pid')} on {known.get('host')} since {known.get('since')}"
    if known.get("host") != platform.node():
        return f"{who} (another machine)"
    return f"{who} ({'running' if psutil.pid_exists(int(known.get('pid', -1))) else 'ended'})"


def text_of(found: Mapping[str, Any]) -> str:
    """The facts as text, a heading for each group."""
    lines = [f"nasturtium doctor, {time.strftime('%Y-%m-%d %H:%M')}"]
    for group, facts in found.items():
        lines += ["", group]
        if isinstance(facts, list):
            lines += [f"  {row_text(each)}" for each in facts]
        elif group == "extras":
            lines += [f"  {name:<18}{extra_text(each)}" for name, each in facts.items()]
        else:
            lines += [f"  {name:<18}{value_text(name, value)}" for name, value in facts.items()]
    return "\n".join(lines) + "\n"


def extra_text(facts: Mapping[str, Any]) -> str:
    """Whether an extra is there, and how to get it."""
    return "there" if facts["present"] else f"missing {', '.join(facts['missing'])}: {facts['install']}"


def row_text(facts: Mapping[str, Any]) -> str:
    """Several facts in one line."""
    return ", ".join(f"{name} {value_text(name, value)}" for name, value in facts.items())


def value_text(name: str, value: Any) -> str:
    """One fact as people read it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if name in BYTES and isinstance(value, int):
        unit, size = next(((unit, size) for unit, size in UNITS if value >= size), ("B", 1))
        return f"{value / size:.1f} {unit}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else " ".join(str(value).split())
