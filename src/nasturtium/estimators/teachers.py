"""Teachers: what the trials of a study say of the rows, kept in their folders and found there by students."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.writing import replacing

if TYPE_CHECKING:
    from torch import Tensor

MARK = "mark.json"
"""What a trial scored, in its folder."""
OUTPUTS = "outputs.safetensors"
"""What the network of a trial says of the rows of train, then valid, (N, K); of trials that may become teachers."""
TAUGHT_BY = "teachers.json"
"""The folders of the teachers of a trial, so that one that is interrupted or continued goes on with the same."""


class Mark(NamedTuple):
    """A trial that was trained and scored.

    Attributes:
        folder: Of the trial.
        budget: What it spent; longer trainings teach before shorter ones.
        worth: Its score, larger is better.
        key: Of its architecture; equal for architectures that are the same network.
    """

    folder: Path
    budget: float
    worth: float
    key: str


class Bank:
    """The trials of a study as teachers; whatever is damaged, or of other data or settings, is no teacher.

    Args:
        study: The folder in which every trial has its own.
        of: What a trial must be of to count: data, recipe and plan.
        count: How many may teach.
        shape: Rows and outputs.
    """

    def __init__(self, study: Path, of: str, count: int, shape: tuple[int, int]) -> None:
        self.study, self.of, self.count, self.shape = study, of, count, shape

    def marks(self) -> list[Mark]:
        """The trials that were trained and scored, by folder."""
        found = []
        for path in sorted(self.study.glob(f"*/{MARK}")):
            content = _read(path)
            with suppress(KeyError, TypeError, ValueError):
                if content["of"] == self.of:
                    values = float(content["budget"]), float(content["worth"]), str(content["key"])
                    found.append(Mark(path.parent, *values))
        return found

    def choose(self, folder: Path, previous: Path | None, after: int, key: str) -> list[Path]:
        """The teachers of a trial: those of the trial that it continues, or chosen when it first begins; ever the same.

        Args:
            folder: Of the trial.
            previous: Of the trial that it continues.
            after: How many trials must have been trained and scored; no teachers before.
            key: Of the trial's architecture, which does not teach itself.
        """
        names = self._noted(folder)
        if names is None and previous is not None:
            names = self._noted(previous)
        if names is None:
            names = [each.name for each in self.best(key)] if len(self.marks()) >= after else []
        write(folder / TAUGHT_BY, json.dumps({"of": self.of, "teachers": names}))
        return [self.study / name for name in names if self.sound(self.study / name)]

    def best(self, key: str) -> list[Path]:
        """The best trials now; ``key`` is of the architecture to be taught, which does not teach itself."""
        others = [each for each in self.marks() if each.key != key and self.sound(each.folder)]
        return [each.folder for each in leaders(others, self.count)]

    def _noted(self, folder: Path) -> list[str] | None:
        content = _read(folder / TAUGHT_BY)
        if not isinstance(content, dict) or content.get("of") != self.of:
            return None
        names = content.get("teachers")
        return [str(name) for name in names] if isinstance(names, list) else None

    def keep(self, mark: Mark, outputs: Callable[[], Tensor]) -> None:
        """Note how good a trial was, and what its network says if it may become a teacher.

        Marks are only added, so what is not among the best now never will be. One more than may teach is kept, since
        none of them teaches its own kind.

        Args:
            mark: The trial.
            outputs: Gives the outputs for all rows, (N, K), on the CPU; asked if they are wanted alone.
        """
        import torch
        from safetensors.torch import save_file

        content = {"of": self.of, "budget": mark.budget, "worth": mark.worth, "key": mark.key}
        write(mark.folder / MARK, json.dumps(content))
        if mark.folder not in [each.folder for each in leaders(self.marks(), self.count + 1)]:
            return
        said = outputs()
        if torch.isfinite(said).all():
            with replacing(mark.folder / OUTPUTS) as draft:
                save_file({"outputs": said.contiguous()}, draft)

    def sound(self, folder: Path) -> bool:
        """Whether a trial left outputs that can be read."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / OUTPUTS, framework="pt") as file:
                return tuple(file.get_slice("outputs").get_shape()) == self.shape
        except (SafetensorError, OSError):
            return False


def outputs_in(folders: Sequence[Path]) -> list[Tensor]:
    """What teachers say, (N, K) each; the files are mapped into memory, not read at once."""
    from safetensors import safe_open

    found = []
    for folder in folders:
        with safe_open(folder / OUTPUTS, framework="pt") as file:
            found.append(file.get_tensor("outputs"))
    return found


def leaders(marks: Sequence[Mark], count: int) -> list[Mark]:
    """The best trials with distinct architectures, best first; of equals the earlier one."""
    best: dict[str, Mark] = {}
    for mark in sorted(marks, key=lambda each: (-each.budget, -each.worth, each.folder.name)):
        best.setdefault(mark.key, mark)
    return list(best.values())[:count]


def _read(path: Path) -> Any:
    """The content of a JSON file; None if it cannot be read, as after a power cut."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def write(path: Path, text: str) -> None:
    """Write a text at once or not at all."""
    with replacing(path) as draft:
        draft.write_text(text)
