"""Teachers: what the trials of a study say of the training rows, kept in their folders and found there by students."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nasturtium.errors import TrainingError

if TYPE_CHECKING:
    from torch import Tensor

MARK = "mark.json"
"""What a trial scored, in its folder."""
OUTPUTS = "outputs.safetensors"
"""What the network of a trial says of the training rows, (N, K); of those trials alone that may become teachers."""
TAUGHT_BY = "teachers.json"
"""The folders of the teachers of a trial, so that one that is interrupted goes on with the same."""


class Marked(NamedTuple):
    """A trial that ended.

    Attributes:
        folder: Of the trial.
        worth: Its score, larger is better.
        key: Of its architecture; equal for architectures that are the same network.
    """

    folder: Path
    worth: float
    key: str


def marked(study: Path) -> Iterator[Marked]:
    """The trials of a study that ended, by folder; a mark that cannot be read is that of no trial."""
    for path in sorted(study.glob(f"*/{MARK}")):
        try:
            content = json.loads(path.read_text())
            yield Marked(path.parent, float(content["worth"]), str(content["key"]))
        except (OSError, ValueError, TypeError, KeyError):  # cut off by a full disk: the network is just no teacher
            continue


def leaders(trials: Sequence[Marked], count: int) -> list[Marked]:
    """The best trials with distinct architectures, best first; of equals the earlier one."""
    best: dict[str, Marked] = {}
    for trial in sorted(trials, key=lambda each: (-each.worth, each.folder.name)):
        best.setdefault(trial.key, trial)
    return list(best.values())[:count]


def choose(folder: Path, count: int, after: int, key: str) -> list[Path]:
    """The teachers of a trial: chosen when it first begins, the same ever after.

    Args:
        folder: Of the trial; its neighbours are the other trials.
        count: How many at most.
        after: How many trials must have ended; no teachers before.
        key: Of the trial's architecture, which does not teach itself.
    """
    note = folder / TAUGHT_BY
    if note.exists():
        names = json.loads(note.read_text())
    else:
        ended = list(marked(folder.parent))
        able = [each for each in ended if each.key != key and (each.folder / OUTPUTS).exists()]
        names = [each.folder.name for each in leaders(able, count)] if len(ended) >= after else []
        write(note, json.dumps(names))
    return [folder.parent / name for name in names if (folder.parent / name / OUTPUTS).exists()]


def keep(folder: Path, outputs: Tensor, worth: float, key: str, count: int) -> None:
    """Note how good a trial was, and what its network says if it is one of the best so far.

    Scores of a study only grow, so what is not among the best now will never be: at most ``count`` files are written
    while nothing better is found.

    Args:
        folder: Of the trial.
        outputs: For all training rows, (N, K), on the CPU.
        worth: Its score, larger is better.
        key: Of its architecture.
        count: How many may teach.
    """
    from safetensors.torch import save_file

    write(folder / MARK, json.dumps({"worth": worth, "key": key}))
    if folder in [each.folder for each in leaders(list(marked(folder.parent)), count)]:
        draft = folder / f"{OUTPUTS}.{os.getpid()}"
        try:
            save_file({"outputs": outputs.contiguous()}, draft)
            draft.replace(folder / OUTPUTS)
        finally:
            draft.unlink(missing_ok=True)


def outputs_in(folders: Sequence[Path], rows: int, outputs: int) -> list[Tensor]:
    """What teachers say, (N, K) each; the files are mapped into memory, not read at once.

    Raises:
        TrainingError: If a file is damaged or of other rows.
    """
    from safetensors import SafetensorError, safe_open

    found = []
    for folder in folders:
        path = folder / OUTPUTS
        try:
            with safe_open(path, framework="pt") as file:
                tensor = file.get_tensor("outputs")
        except (SafetensorError, OSError) as error:
            raise TrainingError(f"cannot read the teacher {path} ({error}); delete it, and others teach") from error
        if tuple(tensor.shape) != (rows, outputs):
            told = f"{tuple(tensor.shape)} outputs, not {(rows, outputs)}"
            raise TrainingError(f"the teacher {path} gives {told}; delete it, and others teach")
        found.append(tensor)
    return found


def write(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
