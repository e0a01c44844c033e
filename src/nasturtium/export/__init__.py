"""Trained networks as files for use elsewhere: plain PyTorch source, ONNX, torch.export."""

from nasturtium.export.exporting import FORMATS, Exported, export
from nasturtium.export.trained import Trained

__all__ = ["FORMATS", "Exported", "Trained", "export"]
