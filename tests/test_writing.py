"""Files are replaced whole, or stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasturtium.errors import StudyError
from nasturtium.writing import checked_folder, checked_place, replacing


def test_a_file_is_replaced_or_stays_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "note.txt"
    with replacing(place) as draft:
        draft.write_text("first")
        assert not place.exists()
    with pytest.raises(FileNotFoundError), replacing(place):
        pass  # nothing was written, so there is nothing to put in its place
    with pytest.raises(ZeroDivisionError), replacing(place) as draft:
        draft.write_text("sec" * (1 // draft.write_text("")))
    assert place.read_text() == "first"
    assert list(tmp_path.iterdir()) == [place]


def test_a_place_is_checked_before_the_work(tmp_path: Path) -> None:
    new, old = tmp_path / "deep" / "new.json", tmp_path / "old.json"
    old.write_text("kept")
    assert checked_place(new) == new
    assert new.parent.is_dir()
    assert not new.exists()
    assert checked_place(old).read_text() == "kept"
    assert checked_folder(tmp_path / "folder").is_dir()
    assert not list((tmp_path / "folder").iterdir())
    for bad in (tmp_path, old / "below.json", Path("/proc/none.json")):
        with pytest.raises(StudyError, match=r"is a folder|cannot write"):
            checked_place(bad)
    with pytest.raises(StudyError, match="is a file; give a folder"):
        checked_folder(old)
