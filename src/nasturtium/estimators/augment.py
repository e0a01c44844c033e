"""Augmentation: random shifts, turns, mirrorings and cut-outs of a batch of images, and mixup, on tensors."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from nasturtium.estimators.recipe import Augmentation

Augment = Callable[[Tensor], Tensor]


def augmenter(settings: Augmentation, background: Tensor) -> Augment | None:
    """What changes a batch of images (B, C, H, W) at random, in the memory format they come in.

    Random numbers are drawn by torch's global generator of the CPU, so that they are the same on every device.

    Args:
        settings: What may change, and how far.
        background: The colour (C,) that comes in from outside where the padding is ``background``; any tensor where
            the settings say that they do not paint.

    Returns:
        The function, or None where nothing changes.
    """
    fill = None if settings.padding == "edge" else background
    steps: list[Augment] = []
    if settings.rotate or settings.scale:
        steps.append(lambda x: warp(x, settings, fill))
    elif settings.shift >= 1 or settings.flip:
        steps.append(lambda x: move(x, settings, fill))
    if settings.cutout:
        steps.append(lambda x: cut_out(x, settings.cutout, background))
    if not steps:
        return None

    def augment(x: Tensor) -> Tensor:
        for step in steps:
            x = step(x)
        return x

    return augment


def move(x: Tensor, settings: Augmentation, fill: Tensor | None) -> Tensor:
    """Shift each image by whole pixels, and mirror half of them, by one gathering of pixels."""
    batch, channels, height, width = x.shape
    reach = int(settings.shift)
    offsets = torch.randint(-reach, reach + 1, (2, batch, 1))  # (2, B, 1)
    rows = torch.arange(height) + offsets[0]  # (B, H)
    columns = torch.arange(width) + offsets[1]  # (B, W)
    if settings.flip:
        columns = torch.where(torch.rand(batch, 1) < 0.5, width - 1 - columns, columns)
    inside = _inside(rows, height).unsqueeze(2) & _inside(columns, width).unsqueeze(1)  # (B, H, W)
    places = rows.clamp(0, height - 1).unsqueeze(2) * width + columns.clamp(0, width - 1).unsqueeze(1)
    places, inside = places.to(x.device), inside.to(x.device)
    if _channels_last(x):
        flat = x.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        index = places.view(batch, -1, 1).expand(-1, -1, channels)
        moved = flat.gather(1, index).view(batch, height, width, channels).permute(0, 3, 1, 2)
    else:
        index = places.view(batch, 1, -1).expand(-1, channels, -1)
        moved = x.reshape(batch, channels, -1).gather(2, index).view(x.shape)
    return moved if fill is None else torch.where(inside.unsqueeze(1), moved, fill.view(1, -1, 1, 1))


def warp(x: Tensor, settings: Augmentation, fill: Tensor | None) -> Tensor:
    """Turn, scale, shift and mirror each image in one bilinear interpolation."""
    batch, _, height, width = x.shape
    angle, grow, across, down, side = torch.rand(5, batch).mul_(2).sub_(1)  # (B,) each, from -1 to 1
    angle = angle * math.radians(settings.rotate)
    size = (1 + settings.scale) ** grow
    mirror = torch.where(side < 0, -1.0, 1.0) if settings.flip else torch.ones(batch)
    cosine, sine = angle.cos() / size, angle.sin() / size
    matrix = torch.stack(
        (
            torch.stack((mirror * cosine, -sine * height / width, across * (2 * settings.shift / width)), 1),
            torch.stack((mirror * sine * width / height, cosine, down * (2 * settings.shift / height)), 1),
        ),
        1,
    )  # (B, 2, 3)
    grid = F.affine_grid(matrix.to(x.device, x.dtype), [batch, 1, height, width], align_corners=False)
    if fill is None:
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    colour = fill.view(1, -1, 1, 1)
    return F.grid_sample(x - colour, grid, align_corners=False).add_(colour)


def cut_out(x: Tensor, side: int, fill: Tensor) -> Tensor:
    """Paint a square over each image; its centre may lie anywhere, so parts may fall outside."""
    batch, _, height, width = x.shape
    top = torch.randint(0, height, (batch, 1)) - side // 2
    left = torch.randint(0, width, (batch, 1)) - side // 2
    rows, columns = torch.arange(height) - top, torch.arange(width) - left  # (B, H), (B, W)
    covered = (_inside(rows, side).unsqueeze(2) & _inside(columns, side).unsqueeze(1)).unsqueeze(1)
    return torch.where(covered.to(x.device), fill.view(1, -1, 1, 1), x)


def mixed(inputs: tuple[Tensor, ...], alpha: float) -> tuple[tuple[Tensor, ...], Tensor, float]:
    """Mixup: each row with another one of the batch (Zhang et al. 2018, equation 1).

    Args:
        inputs: Tensors (B, ...) of real numbers.
        alpha: Of the Beta distribution of the share.

    Returns:
        The mixed inputs, the numbers (B,) of the other rows, and the share of the first.
    """
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    other = torch.randperm(len(inputs[0])).to(inputs[0].device)
    return tuple(torch.lerp(x[other], x, share) for x in inputs), other, share


def background_of(images: Tensor) -> Tensor:
    """Each channel's median (C,) along the borders of images (N, C, H, W)."""
    edges = (images[:, :, 0], images[:, :, -1], images[:, :, :, 0], images[:, :, :, -1])
    border = torch.cat([edge.movedim(1, 0).flatten(1) for edge in edges], 1)  # (C, M)
    return border.float().median(1).values.to(images.dtype)


def _inside(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)


def _channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
