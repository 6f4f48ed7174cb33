"""What is forgotten, and what must not be."""

from __future__ import annotations

import pytest

from crypto.header import Kind
from crypto.ids import Day
from tests.vault.builders import DAY, Shelf, envelope, new_case
from vault.errors import Replayed
from vault.outside import Expired
from vault.statements import LEFT, LEFT_DAYS
from vault.vault import utc_today


def test_an_upload_whose_report_never_came_is_forgotten_after_a_day(shelf: Shelf) -> None:
    case = new_case()
    shelf.vault.stage(envelope(case.case_id, Kind.EVIDENCE, shelf.blob()))
    shelf.calendar.day = Day(DAY + 1)
    assert shelf.vault.expire() == Expired(staged=0, blobs=0, nonces=0)
    shelf.calendar.day = Day(DAY + 2)
    assert shelf.vault.expire() == Expired(staged=1, blobs=1, nonces=0)
    assert shelf.blob_names() == set()


def test_what_was_accepted_is_kept_however_old(shelf: Shelf) -> None:
    case = new_case()
    evidence = envelope(case.case_id, Kind.EVIDENCE, shelf.blob())
    shelf.vault.accept_report(case, [evidence])
    shelf.calendar.day = Day(utc_today() + 1000)
    assert shelf.vault.expire() == Expired(staged=0, blobs=0, nonces=0)
    assert b"".join(shelf.vault.read_part(evidence.id, 1)) == b"sealed content"


@pytest.mark.claim("C-DURABLE")
def test_what_a_crash_left_is_swept_once_nothing_touched_it_for_a_day(shelf: Shelf) -> None:
    orphan = shelf.blob()
    half = shelf.blobs / f"{'0' * 32}#1"
    half.write_bytes(b"half")
    shelf.calendar.day = utc_today()
    shelf.vault.expire()
    assert shelf.blob_names() == {orphan.name, half.name}
    shelf.calendar.day = Day(utc_today() + 2)
    assert shelf.vault.expire().blobs == 2
    assert shelf.blob_names() == set()


def test_a_nonce_is_remembered_for_longer_than_a_signature_lives(shelf: Shelf) -> None:
    shelf.vault.remember_nonce(b"k" * 16, b"n" * 16)
    shelf.calendar.day = Day(DAY + 1)
    assert shelf.vault.expire().nonces == 0
    with pytest.raises(Replayed):
        shelf.vault.remember_nonce(b"k" * 16, b"n" * 16)
    shelf.calendar.day = Day(DAY + 2)
    assert shelf.vault.expire().nonces == 1


def test_a_stay_that_was_left_is_remembered_for_longer_than_its_pages_are_answered(
    shelf: Shelf,
) -> None:
    assert not shelf.vault.was_left(b"n" * 16)
    shelf.vault.remember_nonce(LEFT, b"n" * 16)
    shelf.vault.remember_nonce(b"k" * 16, b"N" * 16)
    assert shelf.vault.was_left(b"n" * 16)
    assert not shelf.vault.was_left(b"N" * 16)
    shelf.calendar.day = Day(DAY + LEFT_DAYS)
    assert shelf.vault.expire().nonces == 1
    assert shelf.vault.was_left(b"n" * 16)
    shelf.calendar.day = Day(DAY + LEFT_DAYS + 1)
    assert shelf.vault.expire().nonces == 1
    assert not shelf.vault.was_left(b"n" * 16)
