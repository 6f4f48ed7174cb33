"""The page about formats says what the cleaners do, because it is made from their lists."""

from pathlib import Path

import pytest

from sanitizer import described
from sanitizer.detect import Format
from sanitizer.heif.check import PROPERTIES
from sanitizer.jail.wire import TYPES
from sanitizer.pdf.check_tables import TABLES
from sanitizer.planned import PLANNED

PAGE = Path(__file__).parents[2] / "docs" / "SANITIZER.md"


@pytest.mark.claim("C-FORMATS")
def test_the_page_says_what_the_lists_say() -> None:
    page = PAGE.read_text("utf-8")
    assert described.rewritten(page) == page, "make docs"


@pytest.mark.claim("C-FORMATS")
def test_what_is_added_to_a_list_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES["page"], "Metadata", "int")
    assert "`Metadata`" in described.markdown()
    assert described.rewritten(PAGE.read_text("utf-8")) != PAGE.read_text("utf-8")


def test_a_code_without_a_word_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROPERTIES, b"udes", b".*")
    with pytest.raises(KeyError):
        described.markdown()


@pytest.mark.claim("C-FORMATS")
def test_every_format_has_a_row_and_results_that_workers_may_give() -> None:
    rows = described.rows()
    assert [row.format for row in rows] == list(dict.fromkeys(row.format for row in rows))
    assert {row.format for row in rows} == set(Format)
    for row in rows:
        if row.format in PLANNED:
            extensions = {extension for _, extension in TYPES[row.format]}
            assert set(row.results.split(" (")[0].split(", ")) == extensions
            assert "worker" in row.runs_in
        else:
            assert "Python here" in row.runs_in


def test_the_table_is_printed_or_written_between_its_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described.main([])
    assert capsys.readouterr().out == described.markdown()
    page = tmp_path / "page.md"
    page.write_text(f"before\n{described.BEGIN}\nold\n{described.END}\nafter\n")
    described.main([str(page)])
    made = page.read_text()
    assert described.markdown() in made
    assert made.startswith("before\n")
    assert made.endswith("\nafter\n")
    assert "old\n" not in made
    with pytest.raises(ValueError, match="without marks"):
        described.rewritten("no marks")
