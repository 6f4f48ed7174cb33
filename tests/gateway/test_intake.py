"""The typed door: what is sealed, to whom, and what happens when a step fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.errors import CannotOpen, NotARecipient
from crypto.header import Kind
from crypto.ids import CaseId, HeaderHash, new_case_id, new_envelope_id
from crypto.manifest import EvidenceRef
from crypto.operator_opening import open_data_key, open_shares
from crypto.receipt import ReceiptCode
from gateway.errors import NoValidRoster
from gateway.handed import Identity, Message, Report, StagedFile
from gateway.intake import FilesGone, Intake
from gateway.looking import look_at
from sanitizer.clean import sanitize
from sanitizer.limits import Limits
from sanitizer.source import MemorySource
from tests.support.media import phone_photo
from tests.support.rehearsal import Rehearsal, TestClock, fields_of, make_rehearsal
from vault.errors import AlreadyAccepted, ThreadMoved
from vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GPS_CANARY = b"canary-of-the-intake"
PHOTO = phone_photo(GPS_CANARY, width=64, height=48)


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    made = make_rehearsal(tmp_path)
    yield made
    made.vault.close()


@pytest.fixture
def intake(rehearsal: Rehearsal) -> Intake:
    return rehearsal.intake()


def report(
    *files: StagedFile, case: CaseId | None = None, identity: Identity | None = None
) -> Report:
    return Report(
        case=case or new_case_id(),
        code=ReceiptCode.generate(),
        form_version=1,
        language="ar",
        category="fraud",
        fields={"description": "كلمات"},
        identity=identity or Identity(),
        files=files,
    )


def keep(intake: Intake, case: CaseId, number: int = 1) -> StagedFile:
    return intake.seal_clean(sanitize(MemorySource(PHOTO), Limits()), case, number)


def blobs(rehearsal: Rehearsal) -> int:
    return sum(1 for one in rehearsal.config.blobs.rglob("*") if one.is_file())


@pytest.mark.claim("C-META")
@pytest.mark.claim("C-NAMES")
def test_a_clean_photo_is_sealed_under_a_neutral_name_and_every_operator_opens_it(
    rehearsal: Rehearsal, intake: Intake
) -> None:
    case = new_case_id()
    one = keep(intake, case, 7)
    assert one.name == "photo-7.jpg"
    assert rehearsal.stored() == ()
    intake.seal_report(report(one, case=case))
    ((manifest, content),) = rehearsal.evidence(case)
    assert manifest.name == "photo-7.jpg"
    assert manifest.media_type == "image/jpeg"
    assert len(content) == manifest.length == one.length
    assert {"gps"} <= set(manifest.removed)
    assert GPS_CANARY in PHOTO
    assert GPS_CANARY not in content
    opened = rehearsal.report(case)
    assert opened.evidence == (EvidenceRef(one.id, one.header_hash),)
    for number in range(len(rehearsal.operators)):
        for kind in (Kind.REPORT, Kind.EVIDENCE):
            (envelope,) = rehearsal.envelopes(case, kind)
            assert rehearsal.manifest(envelope, number)


@pytest.mark.claim("C-IDENTITY")
def test_an_operator_cannot_open_an_identity_and_a_custodian_no_report(
    rehearsal: Rehearsal, intake: Intake
) -> None:
    named = Identity(mode="full_identity", identity={"name": "Fatima"}, safe_contact={})
    written = report(identity=named)
    intake.seal_report(written)
    (identity,) = rehearsal.envelopes(written.case, Kind.IDENTITY)
    assert rehearsal.identity(identity).identity == {"name": "Fatima"}
    for operator in rehearsal.operators:
        with pytest.raises((NotARecipient, CannotOpen)):
            open_data_key(operator.evidence, identity.header, identity.wraps)
    (envelope,) = rehearsal.envelopes(written.case, Kind.REPORT)
    with pytest.raises((NotARecipient, CannotOpen)):
        open_shares(rehearsal.custodian, envelope.header, envelope.wraps)
    opened = rehearsal.report(written.case)
    assert opened.identity == EvidenceRef(identity.id, identity.header.hash)
    assert opened.identity_mode == "full_identity"
    assert "Fatima" not in str(fields_of(opened))


@pytest.mark.claim("C-IDENTITY")
def test_follow_ups_have_an_identity_of_the_same_size(rehearsal: Rehearsal, intake: Intake) -> None:
    written = report(identity=Identity(mode="full_identity", identity={"name": "F" * 90}))
    intake.seal_report(written)
    keys = intake.keys_of(written.code)
    message = Message(case=written.case, id=new_envelope_id(), text="m", language="en", files=())
    intake.seal_follow_up(message, keys)
    sizes = {
        (len(one.manifest), len(one.wraps), one.parts)
        for one in rehearsal.envelopes(written.case, Kind.IDENTITY)
    }
    assert len(sizes) == 1
    assert len(rehearsal.envelopes(written.case, Kind.IDENTITY)) == 2


def test_a_case_is_opened_once(rehearsal: Rehearsal, intake: Intake) -> None:
    written = report()
    intake.seal_report(written)
    before = rehearsal.stored()
    with pytest.raises(AlreadyAccepted):
        intake.seal_report(written)
    assert rehearsal.stored() == before


def test_files_that_are_no_longer_staged_are_said_to_be_gone(intake: Intake) -> None:
    case = new_case_id()
    one = keep(intake, case)
    intake.drop([one])
    intake.drop([one])
    intake.drop([])
    with pytest.raises(FilesGone):
        intake.seal_report(report(one, case=case))
    written = report()
    intake.seal_report(written)
    keys = intake.keys_of(written.code)
    message = Message(case=written.case, id=new_envelope_id(), text="", language="en", files=(one,))
    with pytest.raises(FilesGone):
        intake.seal_follow_up(message, keys)


def test_files_that_were_sealed_for_another_case_do_not_join_this_one(
    rehearsal: Rehearsal, intake: Intake
) -> None:
    written = report()
    intake.seal_report(written)
    keys = intake.keys_of(written.code)
    other = new_case_id()
    one = keep(intake, other)
    message = Message(case=other, id=new_envelope_id(), text="m", language="en", files=(one,))
    with pytest.raises(FilesGone):
        intake.seal_follow_up(message, keys)
    assert rehearsal.follow_ups(written.case) == []
    assert rehearsal.evidence(written.case) == []


@pytest.mark.claim("C-DURABLE")
def test_a_blob_whose_row_could_not_be_written_is_forgotten(
    rehearsal: Rehearsal, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Vault, "stage", fail)
    with pytest.raises(OSError, match="full"):
        keep(intake, new_case_id())
    assert blobs(rehearsal) == 0


@pytest.mark.claim("C-ROSTER")
def test_nothing_is_sealed_to_an_expired_roster(rehearsal: Rehearsal, intake: Intake) -> None:
    rehearsal.config.roster_path.write_bytes(b"not a roster")
    with pytest.raises(NoValidRoster):
        keep(intake, new_case_id())
    with pytest.raises(NoValidRoster):
        intake.seal_report(report())
    assert blobs(rehearsal) == 0


def test_a_message_that_meets_another_is_sealed_anew_after_it(
    rehearsal: Rehearsal, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = report()
    intake.seal_report(written)
    keys = intake.keys_of(written.code)
    original = Vault.accept_follow_up
    failures = [ThreadMoved(), ThreadMoved()]

    def busy(self: Vault, *args: object, **more: object) -> None:
        if failures:
            raise failures.pop()
        original(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Vault, "accept_follow_up", busy)
    message = Message(case=written.case, id=new_envelope_id(), text="m", language="en", files=())
    intake.seal_follow_up(message, keys)
    assert len(rehearsal.follow_ups(written.case)) == 1
    failures[:] = [ThreadMoved() for _ in range(9)]
    with pytest.raises(ThreadMoved):
        intake.seal_follow_up(replace(message, id=new_envelope_id()), keys)


@pytest.mark.claim("C-LOST-ANSWER")
def test_a_receipt_is_shown_for_a_while_and_never_under_another_key(
    rehearsal: Rehearsal, intake: Intake
) -> None:
    written = report()
    intake.seal_report(written)
    row = rehearsal.vault.case(written.case)
    assert row is not None
    assert intake.received_recently(row, 900)
    clock = rehearsal.clock
    assert isinstance(clock, TestClock)
    clock.seconds -= 60  # to before the minute in which it was received
    assert not intake.received_recently(row, 900)
    clock.seconds += 60 + 960
    assert not intake.received_recently(row, 900)
    other = replace(rehearsal.secrets, token_key=bytes(32))
    stranger = rehearsal.intake(secrets=other)
    assert not stranger.received_recently(row, 10**9)


def test_a_visit_leaves_the_sequence_alone_and_a_decoy_looks_like_a_state(
    rehearsal: Rehearsal, intake: Intake
) -> None:
    written = report()
    intake.seal_report(written)
    keys = intake.keys_of(written.code)
    row = rehearsal.vault.case_by_locator(keys.locator)
    assert row is not None
    (envelope,) = rehearsal.envelopes(written.case, Kind.REPORT)
    look = look_at(keys, row, rehearsal.clock.today())
    assert look.old == row.thread_state
    assert look.before == keys.open_thread_state(look.new)
    assert (look.before.sequence, look.before.last) == (0, envelope.header.hash)
    decoy = look_at(keys, None, rehearsal.clock.today())
    assert len(decoy.old) == len(decoy.new) == len(look.old)
    assert decoy.before == keys.open_thread_state(decoy.new)
    assert decoy.before.last == HeaderHash(bytes(32))


def test_no_repr_holds_a_word_or_a_code(intake: Intake) -> None:
    written = report(identity=Identity(mode="x", identity={"name": "Fatima"}))
    message = Message(
        case=written.case, id=new_envelope_id(), text="secret", language="en", files=()
    )
    shown = repr((written, message, intake))
    for word in ("كلمات", "Fatima", "secret", written.code.digits, "'fraud'"):
        assert word not in shown
