"""The files that keep the winner: its weights, what it is and scored, and some rows to check an export against."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nasturtium.errors import NasturtiumError, StudyError, UnknownLayer
from nasturtium.final.earlier import EARLIER, gone_on
from nasturtium.final.training import keep_weights
from nasturtium.space import Architecture
from nasturtium.writing import replacing

if TYPE_CHECKING:
    import polars as pl
    import torch

    from nasturtium.tasks import Preprocessing, Split, Task

BEST = "best.json"
WEIGHTS = "best.safetensors"
ROWS = "best_rows.npz"
KEPT_ROWS = 100


class Loaded(NamedTuple):
    """The winner of a search as its folder keeps it.

    Attributes:
        model: On the CPU, in evaluation mode.
        content: What ``best.json`` says.
        rows: Arrays ``input0``, ``input1``, ... and ``output`` of some test rows; None if there are none.
    """

    model: torch.nn.Module
    content: dict[str, Any]
    rows: dict[str, npt.NDArray[Any]] | None

    @property
    def architecture(self) -> Architecture:
        """What it is."""
        return Architecture.from_json(self.content["json"])

    @property
    def preprocessing(self) -> Preprocessing:
        """How raw data becomes inputs, and outputs answers.

        Raises:
            StudyError: If the network was trained on rows that a program made, of which that is not known.
        """
        from nasturtium.tasks import Preprocessing

        if self.content.get("preprocessing") is None:
            raise StudyError("how raw data becomes inputs is not kept with this network; call its model with tensors")
        return Preprocessing.from_json(self.content["preprocessing"])

    def predict(self, raw: object) -> pl.DataFrame:
        """What the network says of new raw rows, or of the entities of new events in the order of their first.

        Args:
            raw: Data as the task was made from: arrays, a frame, a dict of columns, or the path of a table.

        Returns:
            A frame of a column with the entity if rows are events, ``prediction``, and the probability of each class
            as ``p_<class>``; of several numeric targets ``prediction_0`` and so on. A column of entities that has the
            name of one of the others is called ``entity``.

        Raises:
            TaskError: If the data do not fit those of training.
        """
        import polars as pl

        from nasturtium.tasks.metrics import log_softmax

        preprocessing = self.preprocessing
        rows, entities = preprocessing.rows(raw)
        outputs = outputs_for(self.model, rows)
        answers, target = preprocessing.decode(outputs), preprocessing.target
        columns: dict[str, Any] = {}
        if target.kind == "classification":
            shares = np.exp(log_softmax(outputs.astype(np.float64)))
            columns["prediction"] = answers.tolist()
            columns |= {f"p_{name}": shares[:, k] for k, name in enumerate(target.names)}
        elif answers.shape[1] == 1:
            columns["prediction"] = answers[:, 0]
        else:
            columns |= {f"prediction_{k}": answers[:, k] for k in range(answers.shape[1])}
        if entities is None:
            return pl.DataFrame(columns)
        return pl.DataFrame({"entity" if entities.name in columns else entities.name: entities, **columns})


def outputs_for(model: torch.nn.Module, rows: Split) -> npt.NDArray[Any]:
    """What a network gives for rows (N, K), in their order."""
    from nasturtium.estimators.data import SCORING_BATCH
    from nasturtium.estimators.scoring import outputs_of
    from nasturtium.tasks import Batches

    return np.asarray(outputs_of(model, Batches(rows, SCORING_BATCH, sort=True))[0].numpy())


def load_best(folder: str | Path) -> Loaded:
    """The winner of the search in a folder; with a warning if the search went on since it was trained.

    Raises:
        StudyError: If there is none, a file is damaged, or a layer is not known: import the module that defines it.
    """
    loaded = read_winner(Path(folder))
    if gone_on(Path(folder), loaded.content.get("name")):
        warnings.warn(f"{EARLIER}; what is loaded from {folder} is the winner of then", stacklevel=2)
    return loaded


def read_winner(folder: Path) -> Loaded:
    """What :func:`load_best` gives, whether or not the search went on since.

    Raises:
        StudyError: As there.
    """
    from safetensors import SafetensorError

    content = read_best(folder)
    if content is None:
        raise StudyError(f"there is no trained network in {folder}; 'nasturtium search ... --out {folder}' makes one")
    architecture = _architecture(content.get("json"), folder / BEST)
    try:
        model = load_weights(architecture, folder / WEIGHTS)
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        problem = str(error).splitlines()[0]
        raise StudyError(f"cannot read {folder / WEIGHTS}: {problem}; run the search again to write it anew") from None
    return Loaded(model, content, _rows(folder))


def _architecture(text: object, path: Path) -> Architecture:
    import nasturtium.estimators.recipe  # noqa: F401  makes the words known in which a tuned winner is written

    if not isinstance(text, str):
        raise StudyError(f"{path} holds no architecture; run the search again to write it anew")
    try:
        return Architecture.from_json(text)
    except UnknownLayer as error:
        raise StudyError(
            f"cannot read the architecture in {path}: {error}; import the module that defines it"
        ) from None
    except NasturtiumError as error:
        raise StudyError(f"cannot read the architecture in {path}: {error}") from None


def load_weights(architecture: Architecture, path: Path) -> torch.nn.Module:
    """The network with the weights in a file, on the CPU and in evaluation mode."""
    from safetensors.torch import load_model

    model = architecture.build()
    load_model(model, str(path))
    return model.eval()


def read_best(folder: Path) -> dict[str, Any] | None:
    """What ``best.json`` says, or None where there is none.

    Raises:
        NasturtiumError: If it cannot be read.
    """
    try:
        content = json.loads((folder / BEST).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NasturtiumError(f"cannot read {folder / BEST}: {error}; run the search again to write it anew") from None
    return content if isinstance(content, dict) else None


def keep_best(
    folder: Path, model: torch.nn.Module, architecture: Architecture, task: Task, content: dict[str, Any]
) -> None:
    """Write the winner's files, each all or nothing.

    Raises:
        StudyError: If the folder cannot be written.
    """
    preprocessing = None if task.preprocessing is None else task.preprocessing.to_json()
    content = {
        "architecture": str(architecture),
        "json": architecture.to_json(),
        "task": task.name,
        "kind": task.kind,
        "signals": [str(signal) for signal in task.inputs],
        "classes": list(task.classes),
        "metric": task.metric,
        "data": task.fingerprint,
        "preprocessing": preprocessing,
        **content,
    }
    try:
        keep_weights(model, folder / WEIGHTS)
        _keep_rows(folder / ROWS, model, task)
        with replacing(folder / BEST) as draft:
            draft.write_text(json.dumps(content, indent=1))
    except OSError as error:
        raise StudyError(f"cannot write to {folder}: {error.strerror}; make room and run the same command") from None


def _keep_rows(path: Path, model: torch.nn.Module, task: Task) -> None:
    """Some test rows as the network takes them, and what it gives for them."""
    import torch

    from nasturtium.tasks import Batches

    rows = task.test.take(np.arange(min(KEPT_ROWS, len(task.test))))
    (inputs, _) = next(iter(Batches(rows, len(rows))))
    with torch.no_grad():
        output = model(*inputs)
    first = output[0] if isinstance(output, tuple) else output
    arrays: dict[str, Any] = {f"input{number}": tensor.numpy() for number, tensor in enumerate(inputs)}
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **arrays, output=first.float().numpy())


def _rows(folder: Path) -> dict[str, npt.NDArray[Any]] | None:
    try:
        with np.load(folder / ROWS, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # what numpy says of it is no help
        raise StudyError(f"{folder / ROWS} is damaged; run the search again to write it anew") from None
