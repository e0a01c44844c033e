"""Reading weights from a .safetensors file."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

WEIGHT_TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file: the length of a header in 8 bytes, the header as JSON, then their bytes."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    weights = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            kind = WEIGHT_TYPES[entry["dtype"]]
            data = bytearray(content[start + begin : start + end])
            flat = torch.frombuffer(data, dtype=kind) if data else torch.empty(0, dtype=kind)
            weights[name] = flat.reshape(entry["shape"])
    return weights
