"""A trained network as one Python file that needs torch alone, with its weights beside it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.export.carrying import Carrier
from nasturtium.export.folding import Folding
from nasturtium.export.program import programs
from nasturtium.export.recording import record
from nasturtium.export.rendering import Renderer
from nasturtium.export.structure import Chain, Graph, Leaf, Node, inner_nodes, structure
from nasturtium.export.trained import Trained, input_names, open_lengths
from nasturtium.export.usage import usage
from nasturtium.export.weights import renamed, write_weights

if TYPE_CHECKING:
    import torch

OWN = frozenset((
    "INPUTS", "TARGET", "Network", "entities", "load", "loaded", "main", "outputs", "predict", "prepare", "run",
    "Any", "Path", "Tensor", "cache", "nn", "sys", "torch",
))  # fmt: skip
"""Names that the file itself gives."""
CLOSE = ("# ", "import ", "from ")
BLOCKS = ("class ", "def ", "@", "if __name__")


def write_source(trained: Trained, file: Path) -> None:
    """Write a network to ``file`` and its weights beside it, with the suffix ``.safetensors``.

    Raises:
        NasturtiumError: If a module has no source that could be carried.
    """
    noted = record(trained.architecture)
    names = input_names(trained.architecture.input)
    root = _whole(structure(noted), len(names))
    folding = Folding(root, programs(root, names))
    write_weights(file.with_suffix(".safetensors"), renamed(root, folding, noted.model), trained.model)
    carrier = Carrier(OWN)
    use = usage(trained, carrier)  # first, so that it finds its functions under their own names
    helpers = carrier.texts()
    renderer = Renderer(folding, carrier, shapes(root, noted.model, trained))
    for node in _all(root, folding):
        if isinstance(node, Leaf):
            carrier.called(type(node.module))
    blocks = carrier.texts()[len(helpers) :]
    folding.name({*carrier.taken, *OWN} - {"Network"})
    network = [renderer.source(template) for template in folding.templates]
    parts = [
        f'"""{_introduction(trained, file)}"""',
        "from __future__ import annotations",
        "\n".join(carrier.import_lines()),
        *_section("The building blocks", blocks),
        *_section("The network", network),
        *_section("Preprocessing and files, as in training", helpers),
        *_section("Using it", use),
    ]
    file.write_text(_spaced(parts), encoding="utf-8")


def _whole(root: Node, inputs: int) -> Node:
    """A network of a single module as something that has a class of its own."""
    if not isinstance(root, Leaf):
        return root
    if inputs == 1:
        return Chain(root.module, None, [root])
    values = tuple(range(inputs))
    return Graph(root.module, None, {"layer": root}, (("layer", values, (inputs,)),), values, (inputs,))


def _all(node: Node, folding: Folding) -> list[Node]:
    """All nodes that the source constructs, those inside first."""
    inside = folding.constructed(node) if not isinstance(node, Leaf) else list(inner_nodes(node))
    return [each for child in inside for each in _all(child, folding)] + [node]


def shapes(root: Node, built: torch.nn.Module, trained: Trained) -> dict[int, str]:
    """For each child of the root the shape of what leaves it, as a comment."""
    import torch

    children = root.children if isinstance(root, Chain) else []
    steps = next((values.shape[1] for values, is_open in open_lengths(trained) if is_open), None)
    found: dict[int, str] = {}

    def note(node: Node) -> Any:
        def hook(module: torch.nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                sizes = ["T" if steps == size and place == 0 and output.dim() > 2 else str(size)
                         for place, size in enumerate(output.shape[1:])]  # fmt: skip
                found[id(node)] = f"({', '.join(['B', *sizes])})"

        return hook

    handles = [child.module.register_forward_hook(note(child)) for child in children]
    with torch.inference_mode():
        built.eval()(*[torch.from_numpy(values[:2]) for values in trained.rows])
    for handle in handles:
        handle.remove()
    return found


def _section(title: str, parts: list[str]) -> list[str]:
    return [f"# {title}\n# {'-' * len(title)}", *parts] if parts else []


def _spaced(parts: list[str]) -> str:
    """The parts with two blank lines around classes, functions and before headings, one elsewhere."""
    text, before = parts[0], parts[0]
    for part in parts[1:]:
        head = part.startswith("# ")
        block = part.startswith(BLOCKS) or before.startswith(BLOCKS)
        text += ("\n\n\n" if (block or head) and not before.startswith(CLOSE) else "\n\n") + part
        before = part
    return text + "\n"


def _introduction(trained: Trained, file: Path) -> str:
    from nasturtium import __version__

    architecture = (
        textwrap.fill(
            str(trained.architecture), 110, initial_indent="    ", subsequent_indent="        ", break_long_words=False
        )
        .replace("\\", "\\\\")
        .replace('"""', "'''")
    )
    held = str((trained.preprocessing or {}).get("kind"))
    example = {"table": "table.csv", "events": "events.csv"}.get(held, "arrays.npz")
    return INTRODUCTION.format(
        title="A trained network" + (f" ({trained.title})" if trained.title else ""),
        version=__version__,
        architecture=architecture,
        stem=file.stem,
        example=example,
    )


INTRODUCTION = """{title}, exported by Nasturtium {version}.

It needs torch alone, and reads its weights from {stem}.safetensors beside it:

    from {stem} import load, predict

    predict(raw)     # answers for new rows, shaped as the data it was trained on
    network = load() # the torch.nn.Module, in evaluation mode

On the command line: python {stem}.py {example}

The architecture, as Nasturtium writes it:

{architecture}
"""
