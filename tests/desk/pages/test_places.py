"""A path that somebody typed into a form is this machine's own, and whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.errors import ExportRefused
from desk.pages.places import PATH_MOST, place


def test_a_path_is_read_as_a_terminal_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place(" /somewhere/a b ") == Path("/somewhere/a b")
    assert place("~/نشرة") == tmp_path / "نشرة"
    assert place("/" + "a" * (PATH_MOST - 1)).is_absolute()


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "here", "./here", "../here", "~", "~other/here", "/a\nb", "/a\x00b", "/a\u202eb",
     "C:\\here", "file:///here", "/" + "a" * PATH_MOST],
    ids=["nothing", "blank", "a name", "here", "above", "home alone", "another's", "two lines",
         "a zero", "turned", "a drive", "an address", "endless"],
)  # fmt: skip
def test_what_is_none_is_refused(typed: str) -> None:
    with pytest.raises(ExportRefused):
        place(typed)


def test_whoever_has_no_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Path) -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", nowhere)
    with pytest.raises(ExportRefused, match="begins with"):
        place("~/here")
