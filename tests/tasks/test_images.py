"""Tasks from folders of images: sizes, broken files, given splits, and images that stay files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nasturtium.errors import TaskError
from nasturtium.space.signal import image
from nasturtium.tasks import Batches, load
from nasturtium.tasks.image_files import ImageFormat, find_format, read_image
from nasturtium.tasks.images import _without, load_images


@pytest.fixture
def folder(tmp_path, generator):
    """Twelve images each of two classes, 10x8 pixels in colour; the red channel says the class."""
    for label, level in (("cat", 60), ("dog", 180)):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for number in range(12):
            pixels = generator.integers(0, 50, size=(10, 8, 3), dtype=np.uint8)
            pixels[..., 0] += level
            Image.fromarray(pixels).save(tmp_path / "pets" / label / f"{number}.png")
    return tmp_path / "pets"


def test_classes_are_folders(folder):
    task = load(str(folder))
    assert (task.name, task.classes, task.inputs) == ("pets", ("cat", "dog"), (image(3, 10, 8),))
    assert len(task.train) + len(task.valid) + len(task.test) == 24
    red = task.train.inputs[0][:, 0].mean(axis=(1, 2))
    assert ((red > 0) == (task.train.targets == 1)).all()
    assert task.train.inputs[0].std(axis=(0, 2, 3)) == pytest.approx(np.ones(3), abs=1e-5)


def test_new_pictures_are_treated_alike(folder):
    task = load(folder)
    pixels = np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*/*.png"))])
    rows = task.preprocessing.apply(pixels)[0]
    assert all((rows == row).all(axis=(1, 2, 3)).any() for row in task.test.inputs[0])


def test_sizes_become_the_median_and_grey_stays_grey(tmp_path):
    for number, size in enumerate([(20, 30), (24, 30), (200, 34)] * 8):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", size, number).save(path)
    task = load(tmp_path)
    assert task.inputs == (image(1, 30, 24),)
    assert task.preprocessing.apply(np.zeros((2, 30, 24), dtype=np.uint8))[0].shape == (2, 1, 30, 24)


def test_large_images_are_capped_in_proportion(tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("RGB", (896, 448)).save(path)
    assert find_format([path])[0] == ImageFormat(3, 112, 224)


def test_deep_grey_keeps_its_range(tmp_path):
    levels = np.linspace(0, 65535, 100).astype(np.uint16).reshape(10, 10)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    values = read_image(tmp_path / "deep.png", ImageFormat(1, 10, 10))
    assert abs(values[0].astype(int) - levels // 256).max() <= 1


def test_big_endian_and_portable_deep_grey_keep_their_range(tmp_path):
    levels = np.linspace(0, 65535, 100).astype(np.uint16).reshape(10, 10)
    Image.frombytes("I;16B", (10, 10), levels.astype(">u2").tobytes()).save(tmp_path / "deep.tif")
    (tmp_path / "deep.pgm").write_bytes(b"P5 10 10 65535\n" + levels.astype(">u2").tobytes())
    for name in ("deep.tif", "deep.pgm"):
        values = read_image(tmp_path / name, ImageFormat(1, 10, 10))
        assert abs(values[0].astype(int) - levels // 256).max() <= 1
    assert find_format([tmp_path / "deep.tif"])[0].channels == 1


@pytest.mark.parametrize(("kind", "said"), [("float32", "floats"), ("int32", "integers")])
def test_grey_levels_of_unknown_range_are_refused(folder, kind, said):
    levels = np.linspace(0, 1e6, 80).reshape(10, 8).astype(kind)
    Image.fromarray(levels).save(folder / "dog" / "deep.tif")
    with pytest.raises(TaskError, match=rf"deep.tif are 32-bit {said}, whose range is not known; save the images with"):
        load(folder)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_upright(tmp_path, ending, orientation):
    upright = np.zeros((16, 32), dtype=np.uint8)
    upright[:8, :16], upright[8:, :16], upright[8:, 16:] = 250, 170, 90  # all four corners differ
    turns = {1: lambda x: x, 2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud, 5: np.transpose,
             6: np.rot90, 7: lambda x: np.rot90(x, 2).T, 8: lambda x: np.rot90(x, -1)}  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{ending}"
    Image.fromarray(np.stack([turns[orientation](upright)] * 3, axis=-1)).save(path, exif=exif, quality=100)
    form, _ = find_format([path])
    assert (form.height, form.width) == (16, 32)
    assert read_image(path, form).mean(axis=0) == pytest.approx(upright, abs=12)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_left_alone(tmp_path):
    for number, content in enumerate([b"Exif\0\0II*\0\x08\0\0\0\xff", b"Exif\0\0nonsense", b"Exif\0\0"]):
        path = tmp_path / f"{number}.jpg"
        Image.new("RGB", (8, 4), "red").save(path, exif=content)
        form, broken = find_format([path])
        assert (form, broken) == (ImageFormat(3, 4, 8), [])
        assert read_image(path, form).shape == (3, 4, 8)


def test_train_and_test_folders_are_the_split(folder, tmp_path):
    for part, numbers in (("train", range(8)), ("test", range(8, 12))):
        for label in ("cat", "dog"):
            (tmp_path / "parts" / part / label).mkdir(parents=True)
            for number in numbers:
                (folder / label / f"{number}.png").rename(tmp_path / "parts" / part / label / f"{number}.png")
    task = load(tmp_path / "parts")
    assert task.classes == ("cat", "dog")
    assert len(task.test) == 8
    assert len(task.train) + len(task.valid) == 16


def test_broken_files_are_skipped_by_name(folder):
    (folder / "cat" / "torn.png").write_bytes((folder / "cat" / "0.png").read_bytes()[:120])
    (folder / "dog" / "text.jpg").write_text("not an image")
    (folder / "dog" / "readme.txt").write_text("no image either, and not meant to be one")
    task = load(folder)
    assert len(task.train) + len(task.valid) + len(task.test) == 24
    note = next(note for note in task.notes if note.startswith("skipped"))
    assert note.startswith("skipped 2 files that are no readable images: ")
    assert "dog/text.jpg" in note
    assert "cat/torn.png" in note


def test_folders_that_cannot_be_used_are_named(folder, tmp_path):
    (tmp_path / "bare").mkdir()
    with pytest.raises(TaskError, match="bare holds no class folders with images; put the images of each class"):
        load(tmp_path / "bare")
    with pytest.raises(TaskError, match="cat holds 12 images but no class folders"):
        load(folder / "cat")
    (tmp_path / "broken" / "a").mkdir(parents=True)
    (tmp_path / "broken" / "a" / "b.png").write_text("nothing")
    with pytest.raises(TaskError, match="none of 1 image files can be read, such as"):
        load(tmp_path / "broken")
    for path in (folder / "dog").iterdir():
        path.write_text("nothing")
    with pytest.raises(TaskError, match="holds a single class, 'cat'"):
        load(folder)


def test_images_that_memory_cannot_hold_stay_files(folder):
    held, lazy = load(folder), load_images(folder, memory=100)
    assert any("do not fit in memory" in note for note in lazy.notes)
    assert lazy.train.inputs == ()
    assert lazy.train.targets.tolist() == held.train.targets.tolist()
    for ours, theirs in zip(
        Batches(lazy.train, 5, shuffle_seed=1), Batches(held.train, 5, shuffle_seed=1), strict=True
    ):
        assert ours[0][0].numpy() == pytest.approx(theirs[0][0].numpy(), abs=1e-6)
        assert ours[1].tolist() == theirs[1].tolist()
    merged = lazy.merged()
    assert len(merged.train.dataset) == len(merged.train) == len(held.merged().train)
    assert len({held.fingerprint, lazy.fingerprint, merged.fingerprint}) == 3
    (folder / "cat" / "0.png").write_text("gone")
    with pytest.raises(TaskError, match=r"0.png cannot be read as an image"):
        list(Batches(merged.train, 5)) + list(Batches(lazy.test, 5))


def test_what_is_broken_is_looked_up_not_searched():
    """One pass over the broken files, however many rows there are: a set for each row took hours."""

    class Counted(list):
        passes = 0

        def __iter__(self):
            Counted.passes += 1
            return super().__iter__()

    rows = [(Path(f"{k}.png"), "a", None) for k in range(50)]
    left = _without(rows, Counted(path for path, _, _ in rows[::2]))
    assert left == rows[1::2]
    assert Counted.passes == 1
