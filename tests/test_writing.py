"""Files are replaced whole, or stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasturtium.writing import replacing


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
