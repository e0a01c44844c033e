"""Augmentation against loops over single images, and its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import torch

from nasturtium.estimators import Augmentation, Recipe
from nasturtium.estimators import augment as module
from nasturtium.estimators.augment import augmenter, background_of, mixed
from nasturtium.estimators.data import Placed
from nasturtium.space.signal import image
from nasturtium.tasks import Split

BACKGROUND = torch.tensor([-1.0, 2.0])


def images(count=6, height=7, width=5):
    return torch.randn(count, 2, height, width, generator=torch.Generator().manual_seed(3))


def shifted(image, down, right, fill, mirror):
    """One image moved by a loop over its pixels."""
    channels, height, width = image.shape
    out = np.empty_like(image)
    for row in range(height):
        for column in range(width):
            source_row, source_column = row + down, column + right
            if mirror:
                source_column = width - 1 - source_column
            inside = 0 <= source_row < height and 0 <= source_column < width
            for channel in range(channels):
                near = image[channel, min(max(source_row, 0), height - 1), min(max(source_column, 0), width - 1)]
                out[channel, row, column] = near if inside or fill is None else fill[channel]
    return out


@pytest.mark.parametrize("padding", ["background", "edge"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_every_moved_image_is_one_that_a_loop_makes(padding, layout):
    x = images().contiguous(memory_format=layout)
    torch.manual_seed(0)
    moved = augmenter(Augmentation(shift=2, flip=True, padding=padding), BACKGROUND)(x)
    assert moved.is_contiguous(memory_format=layout)
    fill = None if padding == "edge" else BACKGROUND.numpy()
    seen = set()
    for before, after in zip(x.numpy(), moved.numpy(), strict=True):
        found = [
            (down, right, mirror)
            for down in range(-2, 3)
            for right in range(-2, 3)
            for mirror in (False, True)
            if np.array_equal(shifted(before, down, right, fill, mirror), after)
        ]
        assert found
        seen.add(found[0])
    assert len(seen) > 1


def test_layout_does_not_change_the_result():
    x = images()
    for settings in (Augmentation(shift=1), Augmentation(shift=1, rotate=20.0), Augmentation(cutout=3)):
        results = []
        for layout in (torch.contiguous_format, torch.channels_last):
            torch.manual_seed(1)
            results.append(augmenter(settings, BACKGROUND)(x.contiguous(memory_format=layout)))
        torch.testing.assert_close(results[0], results[1])


@pytest.mark.parametrize(("rotate", "scale", "shift"), [(30.0, 0.0, 0), (0.0, 0.3, 0), (20.0, 0.2, 2)])
def test_warp_is_the_affine_map_of_scipy(monkeypatch, rotate, scale, shift):
    drawn = torch.tensor([[0.8], [-0.6], [0.5], [-0.9], [0.1]])
    monkeypatch.setattr(torch, "rand", lambda *size: (drawn.clone() + 1) / 2)
    x = images(1, 9, 6)
    warped = augmenter(Augmentation(shift=shift, rotate=rotate, scale=scale), BACKGROUND)(x)[0].numpy()
    angle, size = np.radians(0.8 * rotate), (1 + scale) ** -0.6
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / size  # of (row, column)
    centre = np.array([4.0, 2.5])
    offset = centre - matrix @ centre + np.array([-0.9 * shift, 0.5 * shift])
    for channel in range(2):
        expected = scipy.ndimage.affine_transform(
            x[0, channel].numpy(), matrix, offset, order=1, mode="grid-constant", cval=float(BACKGROUND[channel])
        )
        np.testing.assert_allclose(warped[channel], expected, atol=1e-4)


def test_cut_out_paints_one_square():
    x = torch.zeros(200, 2, 8, 8)
    torch.manual_seed(0)
    painted = module.cut_out(x, 3, BACKGROUND)
    covered = (painted[:, 0] == -1.0).float()
    assert torch.equal(covered, (painted[:, 1] == 2.0).float())
    area = covered.sum((1, 2))
    assert area.max() == 9
    assert area.min() >= 4  # a corner
    rows, columns = covered.amax(2).sum(1), covered.amax(1).sum(1)
    assert torch.equal(rows * columns, area)


def test_nothing_to_do_is_nothing():
    assert augmenter(Augmentation(), BACKGROUND) is None


def test_background_is_the_median_of_the_borders():
    x = np.random.default_rng(0).normal(size=(5, 2, 4, 6)).astype(np.float32)
    expected = []
    for channel in range(2):
        edges = [x[:, channel, 0], x[:, channel, -1], x[:, channel, :, 0], x[:, channel, :, -1]]
        values = np.sort(np.concatenate([edge.ravel() for edge in edges]))
        expected.append(values[(len(values) - 1) // 2])
    np.testing.assert_array_equal(background_of(torch.from_numpy(x)).numpy(), np.array(expected))


def test_mixup_mixes_rows_with_other_rows():
    x = torch.arange(8.0).view(8, 1)
    torch.manual_seed(0)
    (mixture,), other, share = mixed((x,), 0.4)
    torch.testing.assert_close(mixture[:, 0], share * x[:, 0] + (1 - share) * other)
    assert sorted(other.tolist()) == list(range(8))
    assert 0 <= share <= 1


class Files:
    """Images that are made when they are asked for, as files are read, brighter from row to row."""

    def __init__(self):
        self.read = []

    def __len__(self):
        return 500

    def __getitem__(self, row):
        self.read.append(row)
        return (torch.full((3, 4, 4), float(row)),), 0


@pytest.mark.parametrize(
    ("settings", "reads"),
    [
        (Augmentation(), 0),
        (Augmentation(flip=True), 0),
        (Augmentation(shift=1, flip=True, padding="edge"), 0),
        (Augmentation(shift=1), 64),
        (Augmentation(padding="edge", cutout=2), 64),
    ],
)
def test_few_files_are_read_for_the_background_and_only_where_it_shows(digits, settings, reads):
    files = Files()
    train = Split((), np.zeros(500, dtype=np.int64), files)
    placed = Placed(replace(digits, inputs=(image(3, 4, 4),), train=train), torch.device("cpu"))
    for _ in range(2):
        placed.augment(Recipe(augmentation=settings))
    assert len(files.read) == reads
    assert not reads or (min(files.read), max(files.read)) == (0, 499)
