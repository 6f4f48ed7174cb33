"""A reply's wraps may be cut at their beginning, and changed in no other way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.ids import CaseId, Day, new_case_id
from tests.vault.builders import Shelf, envelope, new_case
from vault.errors import EnvelopeConflict, EnvelopeMismatch

if TYPE_CHECKING:
    from vault.outside import NewCase, StoredEnvelope

NOISE = b"n" * 92


def answered(shelf: Shelf) -> tuple[NewCase, StoredEnvelope, StoredEnvelope]:
    """A case with its report and an answer."""
    case = new_case()
    report, reply = envelope(case.case_id), envelope(case.case_id, Kind.REPLY)
    shelf.vault.accept_report(case, [report])
    shelf.vault.append(reply)
    return case, report, reply


def wraps(shelf: Shelf, case: CaseId, kind: Kind = Kind.REPLY) -> bytes:
    (found,) = shelf.vault.envelopes_of(case, {kind})
    return found.wraps


@pytest.mark.claim("C-UNREAD")
def test_what_is_cut_off_a_reply_is_in_no_file_of_the_database(shelf: Shelf) -> None:
    case, _, reply = answered(shelf)
    cut, left = reply.wraps[:148], reply.wraps[148:]

    def files() -> bytes:
        return b"".join(one.read_bytes() for one in shelf.folder.glob("vault.sqlite*"))

    assert cut in files()
    shelf.vault.shorten_wraps(case.case_id, {reply.id: left}, noise=NOISE)
    assert wraps(shelf, case.case_id) == left
    assert cut not in files()
    assert cut[16:] not in files()
    # Positive control: what stays is there, and what is served is what stayed.
    assert left in files()
    assert [one.wraps for one in shelf.vault.index() if one.id == reply.id] == [left]


def test_a_desk_that_sends_a_shortened_reply_again_brings_nothing_back(shelf: Shelf) -> None:
    case, _, reply = answered(shelf)
    shelf.vault.shorten_wraps(case.case_id, {reply.id: reply.wraps[148:]}, noise=NOISE)
    shelf.vault.append(reply)
    assert wraps(shelf, case.case_id) == reply.wraps[148:]
    changes: tuple[dict[str, Any], ...] = (
        {"wraps": reply.wraps[:148]},
        {"manifest": envelope(case.case_id).manifest},
        {"header": dataclasses.replace(reply.header, day=Day(reply.header.day + 1))},
    )
    for change in changes:
        with pytest.raises(EnvelopeConflict):
            shelf.vault.append(dataclasses.replace(reply, **change))


def test_an_entry_that_ends_like_the_one_that_is_there_is_another(shelf: Shelf) -> None:
    case, _, _ = answered(shelf)
    entry = envelope(case.case_id, Kind.ENTRY)
    shelf.vault.append(entry)
    with pytest.raises(EnvelopeConflict):
        shelf.vault.append(dataclasses.replace(entry, wraps=bytes(148) + entry.wraps))


@pytest.mark.claim("C-UNREAD")
def test_nothing_but_the_end_of_a_reply_of_the_case_is_left(shelf: Shelf) -> None:
    case, report, reply = answered(shelf)
    other, _, theirs = answered(shelf)
    staged = envelope(case.case_id, Kind.REPLY)
    shelf.vault.stage(staged)
    bad = [
        {reply.id: reply.wraps[:148]},  # its beginning
        {reply.id: reply.wraps + b"x"},
        {reply.id: b"x" * 148},
        {reply.id: b""},  # nobody could open it any more
        {theirs.id: theirs.wraps[148:]},  # of another case
        {report.id: report.wraps[148:]},  # no reply
        {staged.id: staged.wraps[148:]},  # not served to anybody
        {envelope(case.case_id).id: b"x"},  # not there
        {reply.id: reply.wraps[148:], theirs.id: theirs.wraps[148:]},  # all or nothing
    ]
    for left in bad:
        with pytest.raises(EnvelopeMismatch):
            shelf.vault.shorten_wraps(case.case_id, left, noise=NOISE)
        assert wraps(shelf, case.case_id) == reply.wraps
        assert wraps(shelf, other.case_id) == theirs.wraps
    assert wraps(shelf, case.case_id, Kind.REPORT) == report.wraps


@pytest.mark.claim("C-ALIKE")
def test_taking_nothing_away_is_a_write_too(shelf: Shelf) -> None:
    shelf.vault.shorten_wraps(new_case_id(), {}, noise=NOISE)
    files = b"".join(one.read_bytes() for one in shelf.folder.glob("vault.sqlite*"))
    assert NOISE in files
