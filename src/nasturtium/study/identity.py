"""How a study knows its architectures and itself again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nasturtium.errors import StudyError

if TYPE_CHECKING:
    from nasturtium.space import Architecture

LONGEST_KEY = 64


@dataclass(frozen=True, slots=True)
class Recorded:
    """An architecture as a study remembers it, where its space is not at hand."""

    text: str
    decisions: tuple[int, ...]

    def __str__(self) -> str:
        return self.text


def key_of(architecture: Architecture) -> str:
    """What says that two architectures are the same: the canonical form, shortened where it is long."""
    key = str(architecture.canonical)
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def check_header(found: Mapping[str, Any], wanted: Mapping[str, Any], where: object) -> None:
    """Refuses to go on with a study under another seed, space, task or whatever ``wanted`` names.

    Raises:
        StudyError: Naming the first difference.
    """
    for name, value in json.loads(json.dumps(wanted)).items():
        if found.get(name) != value:
            raise StudyError(
                f"the study {where} was made with {name} {found.get(name)!r}, now it is {value!r}; "
                "run it as it was made, or give another place"
            )
