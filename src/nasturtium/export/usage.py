"""The part of an exported file that is used: it loads the weights, prepares raw data and predicts."""

from __future__ import annotations

import pprint
from collections.abc import Mapping
from typing import Any

from nasturtium.export.carrying import Carrier
from nasturtium.export.trained import Trained

LOAD = '''def load() -> nn.Module:
    """The trained network, in evaluation mode."""
    network = Network()
    network.load_state_dict(read_weights(Path(__file__).with_suffix(".safetensors")))
    return network.eval()


@cache
def loaded() -> nn.Module:
    """The network that ``predict`` uses, read once."""
    return load()'''

PREPARE = {
    "arrays": '''def prepare(raw: Any) -> tuple[Tensor, ...]:
    """Raw rows (an array, a tensor or nested lists) as the tensors that the network takes."""
    return encode_arrays(raw, INPUTS)''',
    "table": '''def prepare(raw: Any) -> tuple[Tensor, ...]:
    """Rows of a table (a dict of columns, a list of dicts, or a data frame) as the tensor that the network takes."""
    return encode_table(raw, INPUTS)''',
    "events": '''def prepare(raw: Any) -> tuple[Tensor, ...]:
    """Events (a dict of columns, a list of dicts, or a data frame) as the tensors that the network takes."""
    return encode_events(raw, INPUTS)


def entities(raw: Any) -> list[Any]:
    """Whose answers ``predict`` gives, in this order: that of their first events."""
    return list(owned(raw, INPUTS))''',
    "tensors": '''def prepare(raw: Any) -> tuple[Tensor, ...]:
    """Rows as the tensors that the network takes; a tuple of tensors or arrays if a row has several."""
    return encode_tensors(raw, INPUTS)''',
    "ready": '''def prepare(raw: Any) -> tuple[Tensor, ...]:
    """The tensors that the network takes: one, or a tuple of several, as they were in training."""
    several = raw if isinstance(raw, (tuple, list)) and isinstance(raw[0], Tensor) else (raw,)
    return tuple(torch.as_tensor(values) for values in several)''',
}

PREDICT = '''def outputs(raw: Any, network: nn.Module | None = None, batch: int = 256) -> Tensor:
    """What the network gives for raw rows: (N, outputs)."""
    return run(prepare(raw), network, batch)


def run(inputs: tuple[Tensor, ...], network: nn.Module | None = None, batch: int = 256) -> Tensor:
    """What the network gives for prepared rows: (N, outputs)."""
    network = loaded() if network is None else network
    with torch.inference_mode():
        parts = [
            network(*[values[start : start + batch] for values in inputs])
            for start in range(0, len(inputs[0]), batch)
        ]
    return torch.cat([part[0] if isinstance(part, tuple) else part for part in parts])


def predict(raw: Any, network: nn.Module | None = None) -> list[Any]:
    """{said}"""
    return {answer}'''

ANSWERS = {
    True: {
        "said": "A class name for each row, or a number in the unit of the target.",
        "answer": "answers(outputs(raw, network), TARGET)",
    },
    False: {"said": "The network's outputs for each row.", "answer": "list(outputs(raw, network).tolist())"},
}

MAIN = {
    "table": '''def main(path: Path) -> None:
    """Print an answer for each row of a .csv file."""
    for answer in predict(read_csv(path)):
        print(answer)''',
    "events": '''def main(path: Path) -> None:
    """Print each entity of a .csv file of events with its answer, as a .csv file with a header."""
    events = read_csv(path)
    rows = [
        (entity, *(answer if isinstance(answer, list) else [answer]))
        for entity, answer in zip(entities(events), predict(events), strict=True)
    ]
    single = len(rows[0]) == 2
    names = ["prediction"] if single else [f"prediction_{number}" for number in range(len(rows[0]) - 1)]
    first = "entity" if INPUTS["entity"] in names else INPUTS["entity"]
    csv.writer(sys.stdout, lineterminator="\\n").writerows([(first, *names), *rows])''',
    "arrays": '''def main(path: Path) -> None:
    """Print an answer for each row of the array x (or x_test) of an .npz file."""
    arrays = read_npz(path)
    name = next((name for name in ("x", "x_test") if name in arrays), None)
    if name is None:
        raise SystemExit(f"{path} holds no array x of numbers")
    for answer in predict(arrays[name]):
        print(answer)''',
    "tensors": '''def main(path: Path) -> None:
    """Print an answer for each row of the array x, or of the arrays input0, input1, ..., of an .npz file."""
    arrays = read_npz(path)
    names = sorted((name for name in arrays if name.startswith("input")), key=lambda name: (len(name), name))
    several = tuple(arrays[name] for name in names)  # input2 before input10
    if "x" not in arrays and not several:
        raise SystemExit(f"{path} holds no array x of numbers, nor input0, input1, ...")
    for answer in predict(arrays["x"] if "x" in arrays else several if len(several) > 1 else several[0]):
        print(answer)''',
    "ready": '''def main(path: Path) -> None:
    """Print an answer for each row of the arrays input0, input1, ... of an .npz file."""
    arrays = read_npz(path)
    numbers = sum(name.startswith("input") for name in arrays)
    if not numbers:
        raise SystemExit(f"{path} holds no array input0 of numbers")
    for answer in predict(tuple(arrays[f"input{number}"] for number in range(numbers))):
        print(answer)''',
}

START = """if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python {Path(__file__).name} FILE")
    try:
        main(Path(sys.argv[1]))
    except (OSError, ValueError) as error:  # a file, a column or a value that cannot be used
        raise SystemExit(f"{sys.argv[1]}: {getattr(error, 'strerror', None) or error}") from None"""


def usage(trained: Trained, carrier: Carrier) -> list[str]:
    """The functions that load the weights, prepare raw data and predict."""
    from nasturtium.export.carried import answers, arrays, events, files, tables, tensors, weights

    for imported in (("sys", None, "sys"), ("torch", None, "torch"), ("functools", "cache", "cache"),
                     ("pathlib", "Path", "Path"), ("typing", "Any", "Any"), ("torch", "nn", "nn"),
                     ("torch", "Tensor", "Tensor")):  # fmt: skip
        carrier.imports.add(imported)
    carrier.carry(weights.read_weights)
    held = trained.preprocessing
    kind = "ready" if held is None or held["kind"] not in PREPARE else str(held["kind"])
    if kind == "events":
        carrier.imports.add(("csv", None, "csv"))
    if kind in ("table", "events"):
        carrier.carry(tables.encode_table if kind == "table" else events.encode_events)
        carrier.carry(files.read_csv)
    else:
        carrier.carry(files.read_npz)
    if kind == "arrays":
        carrier.carry(arrays.encode_arrays)
    if kind == "tensors":
        carrier.carry(tensors.encode_tensors)
    target = _target(trained)
    if target is not None:
        carrier.carry(answers.answers)
    constants = [] if held is None or kind == "ready" else [f"INPUTS: dict[str, Any] = {_data(held['inputs'])}"]
    constants += [] if target is None else [f"TARGET: dict[str, Any] = {_data(target)}"]
    parts = ["\n".join(constants)] if constants else []
    return [
        *parts,
        LOAD,
        PREPARE[kind],
        PREDICT.format(**ANSWERS[target is not None]),
        MAIN[kind],
        START,
    ]


def _target(trained: Trained) -> Mapping[str, Any] | None:
    if trained.preprocessing is not None:
        target: Mapping[str, Any] = trained.preprocessing["target"]
        return target
    return {"kind": "classification", "names": list(trained.classes)} if trained.classes else None


def _data(value: Any) -> str:
    return pprint.pformat(value, width=110, compact=True, sort_dicts=False)
