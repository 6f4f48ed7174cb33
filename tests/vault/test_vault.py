"""What goes onto the shelf, what comes off it, and what is refused."""

from __future__ import annotations

import dataclasses
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from crypto.header import Kind
from crypto.ids import CaseId, Day, new_case_id, new_envelope_id
from tests.vault.builders import DAY, Shelf, envelope, new_case, urls
from vault import statements
from vault import vault as vault_module
from vault.errors import (
    AlreadyAccepted,
    EnvelopeConflict,
    EnvelopeMismatch,
    Replayed,
    RosterBehind,
    RosterForked,
    StagedMissing,
    ThreadMoved,
    UnknownCase,
    UnknownPart,
)
from vault.outside import NewCase, RosterRow, StoredEnvelope

if TYPE_CHECKING:
    from collections.abc import Sequence


def accepted(shelf: Shelf, *kinds: Kind) -> NewCase:
    case = new_case()
    shelf.vault.accept_report(case, [envelope(case.case_id, kind) for kind in kinds])
    return case


def test_an_accepted_report_is_read_back_as_it_came(shelf: Shelf) -> None:
    case = new_case()
    evidence = envelope(case.case_id, Kind.EVIDENCE, shelf.blob(b"one"), shelf.blob(b"two"))
    report = envelope(case.case_id)
    shelf.vault.accept_report(case, [report, evidence])
    assert set(shelf.vault.index()) == {report, evidence}
    assert b"".join(shelf.vault.read_part(evidence.id, 2)) == b"two"
    row = shelf.vault.case_by_locator(case.locator)
    assert row is not None
    assert row == shelf.vault.case(case.case_id)
    assert (row.thread_state, row.receipt_window) == (case.thread_state, case.receipt_window)
    assert row.received_day == DAY


def test_an_unknown_code_and_an_unknown_case_are_nothing(shelf: Shelf) -> None:
    assert shelf.vault.case_by_locator(bytes(32)) is None
    assert shelf.vault.case(new_case_id()) is None
    assert shelf.vault.envelopes_of(new_case_id(), list(Kind)) == ()


@pytest.mark.claim("C-LOST-ANSWER")
def test_a_report_that_comes_twice_is_stored_once(shelf: Shelf) -> None:
    case = accepted(shelf, Kind.REPORT)
    with pytest.raises(AlreadyAccepted):
        shelf.vault.accept_report(case, [envelope(case.case_id)])
    assert len(shelf.vault.index()) == 1


@pytest.mark.claim("C-LOST-ANSWER")
def test_of_the_same_report_sent_many_times_at_once_one_is_stored(shelf: Shelf) -> None:
    case = new_case()

    def send(_: int) -> bool:
        try:
            shelf.vault.accept_report(case, [envelope(case.case_id)])
        except AlreadyAccepted:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(8))) == 1
    assert len(shelf.vault.index()) == 1


def test_two_cases_never_share_a_locator(shelf: Shelf) -> None:
    case = accepted(shelf, Kind.REPORT)
    other = dataclasses.replace(new_case(), locator=case.locator)
    with pytest.raises(AlreadyAccepted):
        shelf.vault.accept_report(other, [envelope(other.case_id)])


def test_a_staged_upload_is_served_to_nobody_until_its_report_arrives(shelf: Shelf) -> None:
    case = new_case()
    early = envelope(case.case_id, Kind.EVIDENCE, shelf.blob())
    shelf.vault.stage(early)
    assert shelf.vault.index() == ()
    assert shelf.vault.envelopes_of(case.case_id, list(Kind)) == ()
    with pytest.raises(UnknownPart):
        shelf.vault.read_part(early.id, 1)
    shelf.vault.accept_report(case, [], [early.id])
    assert shelf.vault.index() == (early,)
    assert shelf.vault.part_size(early.id, 1) == len(b"sealed content")


def test_a_report_whose_staged_upload_is_gone_is_not_stored_at_all(shelf: Shelf) -> None:
    case = new_case()
    with pytest.raises(StagedMissing):
        shelf.vault.accept_report(case, [envelope(case.case_id)], [new_envelope_id()])
    assert shelf.vault.index() == ()
    assert shelf.vault.case(case.case_id) is None


def test_a_case_cannot_release_what_was_staged_for_another(shelf: Shelf) -> None:
    early = envelope(new_case_id(), Kind.EVIDENCE, shelf.blob())
    shelf.vault.stage(early)
    with pytest.raises(StagedMissing):
        shelf.vault.accept_report(new_case(), [], [early.id])


def test_dropping_staged_uploads_removes_their_files_and_leaves_released_ones(shelf: Shelf) -> None:
    case = new_case()
    kept = envelope(case.case_id, Kind.EVIDENCE, shelf.blob())
    dropped = envelope(case.case_id, Kind.EVIDENCE, shelf.blob())
    shelf.vault.stage(kept)
    shelf.vault.stage(dropped)
    shelf.vault.accept_report(case, [], [kept.id])
    shelf.vault.drop_staged([kept.id, dropped.id])
    assert shelf.vault.index() == (kept,)
    assert shelf.blob_names() == {kept.parts[0].name}


def test_an_envelope_of_another_case_is_refused_with_the_whole_report(shelf: Shelf) -> None:
    case = new_case()
    with pytest.raises(EnvelopeMismatch):
        shelf.vault.accept_report(case, [envelope(case.case_id), envelope(new_case_id())])
    assert shelf.vault.case(case.case_id) is None


@pytest.mark.parametrize(("off", "refused"), [(-2, True), (-1, False), (1, False), (2, True)])
def test_an_envelope_sealed_more_than_a_day_away_is_refused(
    shelf: Shelf, off: int, *, refused: bool
) -> None:
    case = new_case()
    sealed = envelope(case.case_id, day=Day(DAY + off))
    if refused:
        with pytest.raises(EnvelopeMismatch):
            shelf.vault.accept_report(case, [sealed])
    else:
        shelf.vault.accept_report(case, [sealed])
        assert shelf.vault.index() == (sealed,)


def test_an_envelope_with_another_number_of_parts_than_its_header_says_is_refused(
    shelf: Shelf,
) -> None:
    sealed = envelope(new_case_id(), Kind.EVIDENCE, shelf.blob())
    for parts in ((), (*sealed.parts, shelf.blob())):
        with pytest.raises(EnvelopeMismatch):
            shelf.vault.stage(dataclasses.replace(sealed, parts=parts))


def test_a_manifest_that_is_not_the_headers_is_refused(shelf: Shelf) -> None:
    case = accepted(shelf, Kind.REPORT)
    sealed = envelope(case.case_id, Kind.ENTRY)
    with pytest.raises(EnvelopeMismatch):
        shelf.vault.append(dataclasses.replace(sealed, manifest=b"another"))


def test_an_id_or_a_blob_is_used_once(shelf: Shelf) -> None:
    ref = shelf.blob()
    first = envelope(new_case_id(), Kind.EVIDENCE, ref)
    shelf.vault.stage(first)
    for again in (first, envelope(new_case_id(), Kind.EVIDENCE, ref)):
        with pytest.raises(EnvelopeConflict):
            shelf.vault.stage(again)


def test_a_desks_envelope_is_added_to_a_case_and_sent_twice_it_is_there_once(shelf: Shelf) -> None:
    case = accepted(shelf, Kind.REPORT)
    reply = envelope(case.case_id, Kind.REPLY)
    shelf.vault.append(reply)
    shelf.vault.append(reply)
    assert shelf.vault.envelopes_of(case.case_id, [Kind.REPLY]) == (reply,)


def test_a_desk_cannot_replace_an_envelope_or_open_a_case(shelf: Shelf) -> None:
    case = accepted(shelf, Kind.REPORT)
    reply = envelope(case.case_id, Kind.REPLY)
    shelf.vault.append(reply)
    with pytest.raises(EnvelopeConflict):
        shelf.vault.append(dataclasses.replace(reply, wraps=b"others"))
    with pytest.raises(UnknownCase):
        shelf.vault.append(envelope(new_case_id(), Kind.REPLY))


def test_a_case_gives_the_kinds_that_were_asked_for(shelf: Shelf) -> None:
    case = accepted(shelf, *Kind)
    accepted(shelf, *Kind)
    for wanted in ([Kind.REPLY], [Kind.ENTRY, Kind.IDENTITY], []):
        found = shelf.vault.envelopes_of(case.case_id, wanted)
        assert {one.header.kind for one in found} == set(wanted)
        assert {one.case for one in found} <= {case.case_id}


# The thread.


def follow_up(
    shelf: Shelf, case: NewCase, old: bytes, new: bytes, *envelopes: StoredEnvelope
) -> None:
    shelf.vault.accept_follow_up(case.case_id, envelopes, old_state=old, new_state=new)


def test_a_message_moves_the_thread_and_a_second_one_from_the_same_state_stores_nothing(
    shelf: Shelf,
) -> None:
    case = accepted(shelf, Kind.REPORT)
    message = envelope(case.case_id, Kind.FOLLOW_UP)
    follow_up(shelf, case, case.thread_state, b"1" * 92, message)
    with pytest.raises(ThreadMoved):
        follow_up(shelf, case, case.thread_state, b"2" * 92, envelope(case.case_id, Kind.FOLLOW_UP))
    assert shelf.vault.envelopes_of(case.case_id, [Kind.FOLLOW_UP]) == (message,)
    row = shelf.vault.case(case.case_id)
    assert row is not None
    assert row.thread_state == b"1" * 92


def test_of_many_messages_at_once_from_one_state_exactly_one_is_stored(shelf: Shelf) -> None:
    case = accepted(shelf, Kind.REPORT)

    def send(number: int) -> bool:
        try:
            follow_up(
                shelf,
                case,
                case.thread_state,
                bytes([number]) * 92,
                envelope(case.case_id, Kind.FOLLOW_UP),
            )
        except ThreadMoved:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(8))) == 1
    assert len(shelf.vault.envelopes_of(case.case_id, [Kind.FOLLOW_UP])) == 1


def test_a_message_to_a_case_that_is_not_there_is_refused(shelf: Shelf) -> None:
    case = new_case()
    with pytest.raises(UnknownCase):
        follow_up(shelf, case, case.thread_state, b"1" * 92)


def test_opening_a_thread_replaces_its_state_and_a_code_without_one_writes_noise_instead(
    shelf: Shelf,
) -> None:
    case = accepted(shelf, Kind.REPORT)
    shelf.vault.touch_thread(case.case_id, old_state=case.thread_state, new_state=b"1" * 92)
    shelf.vault.touch_thread(None, old_state=b"", new_state=b"2" * 92)
    row = shelf.vault.case(case.case_id)
    assert row is not None
    assert row.thread_state == b"1" * 92
    with pytest.raises(ThreadMoved):
        shelf.vault.touch_thread(case.case_id, old_state=case.thread_state, new_state=bytes(92))


def test_a_dummy_write_changes_one_row_as_a_true_one_does(shelf: Shelf) -> None:
    changed: list[int] = []

    def count(*args: object) -> None:
        statement, cursor = args[2], args[1]
        if str(statement).startswith("UPDATE"):
            changed.append(cursor.rowcount)  # type: ignore[attr-defined] # a DBAPI cursor

    case = accepted(shelf, Kind.REPORT)
    event.listen(shelf.vault._database._reading, "after_cursor_execute", count)
    shelf.vault.touch_thread(case.case_id, old_state=case.thread_state, new_state=bytes(92))
    shelf.vault.touch_thread(None, old_state=b"", new_state=bytes(92))
    assert changed == [1, 1]


def test_closing_the_receipt_window_leaves_as_many_other_bytes(shelf: Shelf) -> None:
    case = accepted(shelf, Kind.REPORT)
    shelf.vault.close_receipt_window(case.case_id)
    row = shelf.vault.case(case.case_id)
    assert row is not None
    assert len(row.receipt_window) == 48
    assert row.receipt_window != case.receipt_window
    with pytest.raises(UnknownCase):
        shelf.vault.close_receipt_window(CaseId(bytes(16)))


def windows_of(shelf: Shelf, held: Sequence[NewCase]) -> list[bytes]:
    found = []
    for case in held:
        row = shelf.vault.case(case.case_id)
        assert row is not None
        found.append(row.receipt_window)
    return found


@pytest.mark.claim("C-DAY")
def test_the_windows_that_are_over_are_closed_whatever_page_they_stand_on(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "WINDOWS_AT_ONCE", 3)
    held = [accepted(shelf, Kind.REPORT) for _ in range(7)]
    over = {case.receipt_window for case in held[1:6]}
    asked: list[bytes] = []

    def is_over(window: bytes) -> bool:
        asked.append(window)
        # No writer waits while it is asked.
        shelf.vault.remember_nonce(b"k" * 16, secrets.token_bytes(16))
        return window in over

    assert shelf.vault.close_receipt_windows(is_over) == 5
    assert sorted(asked) == sorted(case.receipt_window for case in held)
    for case, window in zip(held, windows_of(shelf, held), strict=True):
        assert len(window) == 48
        assert (window == case.receipt_window) == (case.receipt_window not in over)
    assert shelf.vault.close_receipt_windows(over.__contains__) == 0


@pytest.mark.claim("C-DAY")
def test_windows_are_closed_in_batches_and_are_nowhere_in_the_files_afterwards(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "WINDOWS_AT_ONCE", 2)
    held = [accepted(shelf, Kind.REPORT) for _ in range(3)]
    gone = CaseId(bytes(16))
    assert shelf.vault.close_receipt_windows_of([gone, *(case.case_id for case in held)]) == 3
    closed = windows_of(shelf, held)
    assert len({*closed, *(case.receipt_window for case in held)}) == 6
    # The control: what stands in a row is found in the files, the log included.
    files = b"".join(path.read_bytes() for path in shelf.folder.glob("vault.sqlite*"))
    assert all(window in files for window in closed)
    assert not [case for case in held if case.receipt_window in files]
    assert shelf.vault.close_receipt_windows_of([]) == 0


def test_a_reader_keeps_the_closing_of_windows_waiting_for_a_moment_only(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "LOG_SECONDS", 0)
    case = accepted(shelf, Kind.REPORT)
    with shelf.vault._database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM cases").scalar_one()
        assert shelf.vault.close_receipt_windows_of([case.case_id]) == 1
    assert windows_of(shelf, [case]) != [case.receipt_window]


# The index.


def walk(shelf: Shelf, limit: int, since: Day | None = None) -> list[StoredEnvelope]:
    found: list[StoredEnvelope] = []
    while page := shelf.vault.index(found[-1].id if found else b"", limit, since=since):
        assert len(page) <= limit
        found += page
    return found


def test_paging_gives_every_envelope_once_in_the_order_of_random_ids(shelf: Shelf) -> None:
    for _ in range(5):
        accepted(shelf, Kind.REPORT, Kind.IDENTITY)
    found = walk(shelf, 3)
    assert len(found) == 10
    assert [one.id for one in found] == sorted({one.id for one in found})


def test_asking_since_a_day_leaves_out_older_ones_but_not_what_was_released_later(
    shelf: Shelf,
) -> None:
    accepted(shelf, Kind.REPORT)
    case = new_case()
    early = envelope(case.case_id, Kind.EVIDENCE, shelf.blob())
    shelf.vault.stage(early)
    shelf.calendar.day = Day(DAY + 1)
    report = envelope(case.case_id)
    shelf.vault.accept_report(case, [report], [early.id])
    assert {one.id for one in walk(shelf, 10, Day(DAY + 1))} == {early.id, report.id}
    assert len(walk(shelf, 10, DAY)) == 3


def test_a_page_ends_early_when_its_manifests_are_large(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "PAGE_BYTES", 10_000)
    accepted(shelf, *Kind)
    assert len(shelf.vault.index()) == 3
    assert len(walk(shelf, 500)) == 6


def test_reading_a_part_from_the_middle_and_in_a_range(shelf: Shelf) -> None:
    content = secrets.token_bytes(3 * 1024 * 1024 + 7)
    case = new_case()
    evidence = envelope(case.case_id, Kind.EVIDENCE, shelf.blob(content))
    shelf.vault.accept_report(case, [evidence])
    pieces = list(shelf.vault.read_part(evidence.id, 1))
    assert max(map(len, pieces)) == 1024 * 1024
    assert b"".join(pieces) == content
    assert b"".join(shelf.vault.read_part(evidence.id, 1, 2_000_000)) == content[2_000_000:]
    assert b"".join(shelf.vault.read_part(evidence.id, 1, 5, 9)) == content[5:14]
    for envelope_id, part in ((evidence.id, 2), (evidence.id, 0), (new_envelope_id(), 1)):
        with pytest.raises(UnknownPart):
            shelf.vault.part_size(envelope_id, part)


# Nonces and rosters.


@pytest.mark.claim("C-REPLAY")
def test_a_nonce_is_good_once_for_a_key_whichever_worker_sees_it(shelf: Shelf) -> None:
    other = vault_module.Vault.open(*urls(shelf.folder), today=shelf.calendar.today)
    shelf.vault.remember_nonce(b"k" * 16, b"n" * 16)
    with pytest.raises(Replayed):
        other.remember_nonce(b"k" * 16, b"n" * 16)
    other.remember_nonce(b"K" * 16, b"n" * 16)
    other.close()


@pytest.mark.claim("C-ROSTER")
def test_a_roster_is_never_replaced_by_an_older_one_or_another_of_its_epoch(shelf: Shelf) -> None:
    assert shelf.vault.highest_roster() is None
    first, second = RosterRow(1, b"1" * 32, b"one"), RosterRow(2, b"2" * 32, b"two")
    for row in (first, second, second):
        shelf.vault.save_roster(row)
    with pytest.raises(RosterBehind):
        shelf.vault.save_roster(first)
    with pytest.raises(RosterForked):
        shelf.vault.save_roster(RosterRow(2, b"3" * 32, b"other"))
    assert shelf.vault.highest_roster() == second


def test_every_roster_that_was_in_force_is_kept_by_its_epoch(shelf: Shelf) -> None:
    first, third = RosterRow(1, b"1" * 32, b"one"), RosterRow(3, b"3" * 32, b"three")
    for row in (first, third):
        shelf.vault.save_roster(row)
    shelf.vault.expire()
    assert shelf.vault.roster_of_epoch(1) == first
    assert shelf.vault.roster_of_epoch(3) == third
    for epoch in (0, 2, 4, 999_999_999):
        assert shelf.vault.roster_of_epoch(epoch) is None
