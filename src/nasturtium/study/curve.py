"""A learning curve, kept as the text it was stored as until somebody looks at it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, overload

Point = Mapping[str, float]
LONG = 300
"""Characters from which compressing saves more than it costs."""


class Curve(Sequence[Point]):
    """The reports of a trial, in order: ``{"step": ..., metric: ...}``.

    Long curves of trials that have ended are compressed. Text takes a fifth of the memory of dictionaries,
    and a study of thousands of trials opens without reading it.
    """

    __slots__ = ("length", "texts")

    def __init__(self) -> None:
        self.texts: list[str] | bytes | str = []
        self.length = 0

    def append(self, text: str) -> None:
        """Adds a report, a JSON object."""
        if not isinstance(self.texts, list):
            self.texts = [self.text] if self.length else []
        self.texts.append(text)
        self.length += 1

    def seal(self) -> None:
        """Makes one text of all reports, for a trial that has ended."""
        text = self.text
        self.texts = text if len(text) < LONG else zlib.compress(text.encode())

    @property
    def text(self) -> str:
        """The reports, separated by commas."""
        if isinstance(self.texts, list):
            return ",".join(self.texts)
        return self.texts if isinstance(self.texts, str) else zlib.decompress(self.texts).decode()

    def points(self) -> list[dict[str, Any]]:
        """The reports, read."""
        content: list[dict[str, Any]] = json.loads(f"[{self.text}]")
        return content

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, place: int) -> Point: ...

    @overload
    def __getitem__(self, place: slice) -> list[Point]: ...

    def __getitem__(self, place: int | slice) -> Point | list[Point]:
        points: list[Point] = [*self.points()]
        return points[place]

    def __iter__(self) -> Any:
        return iter(self.points())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.points() == list(other)

    def __repr__(self) -> str:
        return repr(self.points())
