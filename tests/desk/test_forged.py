"""What the desk refuses: one attack, one test (claim C-FORGED)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.envelope import Custodians, OperatorsAndReceipt
from crypto.header import Kind
from crypto.ids import Deployment, HeaderHash, Kid, new_case_id
from crypto.manifest import EntryBody, EvidenceManifest, ReplyBody
from crypto.signed import SignedManifest
from crypto.signing import SigningPrivateKey
from desk import words
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.errors import NotAnswerable
from desk.keyring import Keyring
from desk.opening import Unopened
from desk.outbox import answer
from desk.row import row_of
from desk.summary import case_json, deep_alarms
from desk.verify import Reply
from tests.desk.world import JPEG, TODAY, Reporter, World, of_kind, operator, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = pytest.mark.claim("C-FORGED")


def signs(case: Case) -> set[Sign]:
    return {alarm.sign for alarm in case.alarms}


def test_an_honest_case_raises_no_alarm(
    desk: Desk, reporter: Reporter, world: World, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    report = reporter.report([photo])
    asked = reporter.follow_up("And one more.", parents=[report[0].header.hash])
    said = world.reply(
        reporter.case, "Thank you.", reporter.reply_key, parents=[asked[0].header.hash]
    )
    done = sync(*report, *asked, said, world.entry(reporter.case))
    assert done.alarms == []
    assert deep_alarms(desk, read()) == ()
    assert [type(one).__name__ for one in read().messages] == ["FollowUp", "Reply"]


def test_a_server_that_swaps_the_reply_key_gets_no_answer_sealed_to_it(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    thief = Reporter(reporter.world, case=reporter.case)
    sync(*thief.report())
    case = read()
    assert signs(case) == {Sign.REPORT_TWICE}
    assert answer(desk, case, "For the true reporter only.")
    sent = next(one for one in server.rows.values() if one.header.kind is Kind.REPLY)
    signed = desk.opener.signed(of_kind(desk, Kind.REPLY)[0])
    assert reporter.reply_key.kid in signed.recipients
    assert thief.reply_key.kid not in signed.recipients
    assert sent.header.case == reporter.case


def test_two_reports_that_arrive_together_make_a_case_unanswerable(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    thief = Reporter(reporter.world, case=reporter.case)
    sync(*reporter.report(), *thief.report(), *reporter.follow_up("Who am I?"))
    assert signs(read()) == {Sign.REPORT_TWICE}
    # Whose report is the reporter's nobody can tell; what each of them writes is heard.
    assert [one.body.text for one in read().messages] == ["Who am I?"]
    with pytest.raises(NotAnswerable):
        answer(desk, read(), "To whom?")


def test_altered_bytes_of_a_report_do_not_open(
    reporter: Reporter, sync: Synced, desk: Desk
) -> None:
    report = reporter.report()
    broken = bytearray(report[0].manifest)
    broken[100] ^= 1
    report[0].manifest = bytes(broken)
    assert Sign.PARTS_REFUSED in {alarm.sign for alarm in sync(*report).alarms}
    assert of_kind(desk, Kind.REPORT) == []


def test_a_wrap_moved_from_another_case_does_not_open(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    other = Reporter(reporter.world)
    report, theirs = reporter.report(), other.report()
    report[0].wraps = theirs[0].wraps
    sync(*report, *theirs)
    assert Sign.CANNOT_OPEN in signs(read())
    assert read().report is None
    assert read().reply_key is None


def test_a_wrap_moved_between_two_files_of_a_case_does_not_open(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    one = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    two = reporter.evidence("photo-2.jpg", "image/jpeg", JPEG + b"2")
    one.wraps, two.wraps = two.wraps, one.wraps
    sync(*reporter.report([one, two]))
    found = {alarm.sign for alarm in deep_alarms(desk, read())}
    assert found == {Sign.CANNOT_OPEN}
    assert {file["problem"] for file in case_json(desk, read())["files"]} == {"cannot-open"}  # type: ignore[attr-defined]


def test_a_file_that_the_report_does_not_name_is_not_shown(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    planted = reporter.evidence("planted.jpg", "image/jpeg", b"planted")
    sync(*reporter.report(), planted)
    assert signs(read()) == {Sign.EVIDENCE_NOT_NAMED}
    assert read().files == ()


def test_a_file_with_another_header_than_the_report_named_is_not_shown(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    report = reporter.report([photo])
    sealer = world.sealer(Kind.EVIDENCE, reporter.case, envelope=photo.id)
    swapped = reporter.evidence("photo-1.jpg", "image/jpeg", b"other")
    sealed = bytearray()
    part = sealer.part(sealed.extend)
    part.write(b"another picture")
    part.finish()
    told = EvidenceManifest(
        name="photo-1.jpg", media_type="image/jpeg", length=15, sha256=bytes(32), removed=()
    )
    forged = sealer.seal(told.to_json(), world.everybody())
    swapped.header, swapped.wraps = forged.header, forged.wraps
    swapped.manifest, swapped.parts = forged.manifest, [bytes(sealed)]
    sync(report[0], report[1], swapped)
    assert signs(read()) == {Sign.EVIDENCE_SWAPPED}
    assert [one.envelope for one in read().files] == [None]


def test_a_file_that_is_held_back_is_missed_aloud(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    sync(*reporter.report([photo])[:2])
    assert signs(read()) == {Sign.EVIDENCE_MISSING}


def test_an_identity_that_is_held_back_or_swapped_is_missed_aloud(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    report, _ = reporter.report()
    sync(report)
    assert signs(read()) == {Sign.IDENTITY_MISSING}
    sync(reporter.identity("Somebody else"))
    assert signs(read()) == {Sign.IDENTITY_MISSING, Sign.IDENTITY_NOT_NAMED}


def test_an_identity_with_another_header_is_not_taken_for_the_reporters(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report, named = reporter.report()
    other = reporter.identity("Somebody else")
    other.header = replace(other.header, envelope=named.id)
    sync(report)
    other_sealed = world.sealer(Kind.IDENTITY, reporter.case, envelope=named.id)

    sealed = other_sealed.seal(b"{}", Custodians(world.roster.custodian_keys(), 1))
    other.header, other.wraps, other.manifest = sealed.header, sealed.wraps, sealed.manifest
    sync(other)
    assert Sign.IDENTITY_SWAPPED in signs(read())


def test_a_follow_up_signed_by_another_key_is_not_shown(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    forged = reporter.follow_up("Close my case.", signer=SigningPrivateKey.generate())
    sync(*reporter.report(), *forged)
    assert Sign.FOLLOW_UP_FORGED in signs(read())
    assert read().messages == ()


def test_a_follow_up_without_its_inner_signature_is_not_shown(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sealer = world.sealer(Kind.FOLLOW_UP, reporter.case)

    bare = row(sealer.seal(b'{"text":"Close my case.","v":1}', world.everybody()))
    sync(*reporter.report(), bare)
    assert signs(read()) == {Sign.CANNOT_OPEN}
    assert read().messages == ()


def test_a_follow_up_whose_signature_is_cut_off_is_not_shown(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    def cut(signed: SignedManifest) -> SignedManifest:
        return replace(signed, signature=b"")

    sync(*reporter.report(), *reporter.follow_up("Close my case.", change=cut))
    assert Sign.FOLLOW_UP_FORGED in signs(read())


def test_a_follow_up_of_another_case_is_not_taken_for_this_ones(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    elsewhere = Reporter(reporter.world, sign=reporter.sign, receipt=reporter.receipt)
    theirs = elsewhere.follow_up("Said elsewhere.")
    inner: list[SignedManifest] = []

    def moved(_: SignedManifest) -> SignedManifest:
        return inner[0]

    elsewhere.follow_up("Said elsewhere.", change=lambda one: inner.append(one) or one)  # type: ignore[func-returns-value]
    sync(*reporter.report(), *reporter.follow_up("x", change=moved), *theirs)
    assert Sign.FOLLOW_UP_FORGED in signs(read())


def test_a_signed_follow_up_that_carries_other_keys_does_not_change_whom_we_answer(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    thief = Reporter(reporter.world)
    changed = reporter.follow_up("New key.", body_changes={"reply_key": thief.reply_key})
    sync(*reporter.report(), *changed)
    assert signs(read()) == {Sign.KEYS_CHANGED}
    assert read().reply_key == reporter.reply_key


def test_a_follow_up_whose_body_is_no_message_is_not_shown(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    body = EntryBody(type="status", data={}).to_json()
    odd = world.by_operator(Kind.FOLLOW_UP, reporter.case, body, signer=reporter.sign)
    sync(*reporter.report(), odd)
    assert signs(read()) == {Sign.FOLLOW_UP_FORGED}


def test_a_reply_resealed_into_another_case_is_not_shown_there(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    other = Reporter(world)
    sync(*reporter.report(), *other.report(), world.reply(other.case, "Come.", other.reply_key))
    (true,) = of_kind(desk, Kind.REPLY)
    signed = desk.opener.signed(true)

    recipients = OperatorsAndReceipt(world.roster.evidence_keys(), reporter.reply_key)

    sealer = world.sealer(Kind.REPLY, reporter.case)
    sync(row(sealer.seal(signed.to_json(), recipients)))
    assert signs(read()) == {Sign.REPLY_FORGED}
    assert read().messages == ()


def test_a_reply_sealed_to_another_receipt_than_the_cases_answers_nobody_and_says_so(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    thief = Reporter(world)
    body = ReplyBody(text="Stolen words.", author_day=TODAY, status="closed").to_json()
    elsewhere = world.by_operator(Kind.REPLY, reporter.case, body, reply_key=thief.reply_key)
    sync(*reporter.report(), elsewhere)
    case = read()
    assert signs(case) == {Sign.REPLY_ELSEWHERE}
    (shown,) = case.messages
    assert isinstance(shown, Reply)
    assert str(words.told(shown)) == "answered, to another receipt than this case's"
    assert case.replies == ()
    assert case.unanswered
    assert case.public_status == ""
    assert all(one.met is None for one in case.clocks if "answered" in one.clock.until)
    # It is a proven word of an operator all the same, and the next one names it.
    assert elsewhere.header.hash in case.heads


def test_a_reply_by_somebody_who_is_no_operator_is_not_shown(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    stranger = SigningPrivateKey.generate()
    forged = world.reply(reporter.case, "Meet me.", reporter.reply_key, signer=stranger)
    sync(*reporter.report(), forged)
    assert signs(read()) == {Sign.REPLY_FORGED}


def test_a_reply_whose_body_is_no_answer_is_not_shown(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    body = EntryBody(type="status", data={}).to_json()
    odd = world.by_operator(Kind.REPLY, reporter.case, body, reply_key=reporter.reply_key)
    sync(*reporter.report(), odd)
    assert signs(read()) == {Sign.REPLY_FORGED}


def test_an_entry_by_somebody_outside_the_roster_does_not_count(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    forged = world.entry(reporter.case, "closed", signer=SigningPrivateKey.generate())
    sync(*reporter.report(), forged)
    assert signs(read()) == {Sign.ENTRY_FORGED}
    assert read().state == "received"


def test_an_entry_signed_with_an_api_key_does_not_count(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    forged = world.entry(reporter.case, "closed", signer=world.operators[1].api)
    sync(*reporter.report(), forged)
    assert signs(read()) == {Sign.ENTRY_FORGED}


def test_an_entry_whose_signature_was_changed_does_not_count(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    true = world.entry(reporter.case, "closed")
    elsewhere = world.sealer(Kind.ENTRY, reporter.case)
    signed = SignedManifest.sign(
        Kind.ENTRY,
        world.operators[1].sign,
        deployment=world.root_public.deployment,
        case=new_case_id(),
        envelope=elsewhere.id,
        recipients=world.everybody().kids,
        parents=(),
        body=EntryBody(type="status", data={"state": "closed"}).to_json(),
    )

    sync(*reporter.report(), true, row(elsewhere.seal(signed.to_json(), world.everybody())))
    assert signs(read()) == {Sign.ENTRY_FORGED}
    assert read().state == "closed"


def test_an_entry_whose_body_is_no_entry_does_not_count(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report(), world.by_operator(Kind.ENTRY, reporter.case, b'{"v":1}'))
    assert signs(read()) == {Sign.ENTRY_FORGED}


def test_an_entry_under_a_roster_nobody_here_has_seen_does_not_count(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report(), world.entry(reporter.case, "closed", roster_hash=bytes(32)))
    assert signs(read()) == {Sign.SIGNER_UNKNOWN}
    assert read().state == "received"


def test_an_entry_dated_outside_its_rosters_validity_does_not_count(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report(), world.entry(reporter.case, "closed", day=TODAY + 300))
    assert signs(read()) == {Sign.ENTRY_FORGED}


def test_an_envelope_of_another_deployment_is_not_kept(
    desk: Desk, world: World, reporter: Reporter, sync: Synced
) -> None:
    foreign = [world.entry(reporter.case, deployment=Deployment(bytes(16))) for _ in range(3)]
    done = sync(*reporter.report(), *foreign)
    # Once: however many a server invents, no other alarm drowns in them.
    assert done.alarms == [Alarm(Sign.FOREIGN_DEPLOYMENT)]
    assert desk.store.alarms() == (Alarm(Sign.FOREIGN_DEPLOYMENT),)
    assert not {one.id for one in foreign} & desk.store.outsides().keys()


@pytest.mark.parametrize(
    "attack",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:56],
        lambda sealed: sealed[:-17] + bytes(17),
        lambda sealed: sealed + b"\0",
    ],
    ids=["one byte short", "head only", "tail overwritten", "one byte more"],
)
def test_a_part_that_was_cut_or_changed_is_not_kept(
    desk: Desk, reporter: Reporter, sync: Synced, attack: Callable[[bytes], bytes]
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    photo.parts = [attack(photo.parts[0])]
    done = sync(*reporter.report([photo]))
    assert [alarm.sign for alarm in done.alarms] == [Sign.PARTS_REFUSED]
    assert list(desk.home.parts.iterdir()) == []


def test_parts_swapped_between_two_files_are_not_kept(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    one = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    two = reporter.evidence("photo-2.jpg", "image/jpeg", JPEG)
    one.parts, two.parts = two.parts, one.parts
    done = sync(*reporter.report([one, two]))
    assert [alarm.sign for alarm in done.alarms] == [Sign.PARTS_REFUSED] * 2
    assert list(desk.home.parts.iterdir()) == []


def test_a_message_that_is_held_back_shows_as_a_gap(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    withheld = reporter.follow_up("First.")
    second = reporter.follow_up("Second.", parents=[withheld[0].header.hash])
    sync(*reporter.report(), *second)
    assert signs(read()) == {Sign.PARENT_MISSING}
    assert len(read().messages) == 1


def test_a_report_that_is_held_back_shows_as_missing(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    sync(*reporter.report([photo])[1:])
    assert Sign.REPORT_MISSING in signs(read())
    assert read().reply_key is None


def test_forgeries_of_every_kind_leave_the_list_standing(
    desk: Desk, world: World, reporter: Reporter, sync: Synced
) -> None:
    honest = Reporter(world)
    junk: list[Row] = []
    for kind in (Kind.REPORT, Kind.FOLLOW_UP, Kind.ENTRY, Kind.EVIDENCE):
        sealer = world.sealer(kind, reporter.case, day=2**32 - 1)
        sealed = sealer.seal(b"\xff not json", world.everybody())

        junk.append(row(sealed))
    sync(*honest.report(), *junk)
    listed = {one.id: one for one in Cases(desk).all()}
    assert listed[honest.case].report is not None
    assert not listed[honest.case].alarms
    assert listed[reporter.case].alarms
    for one in listed.values():
        row_of(one, desk.rules).to_json()
        case_json(desk, one)


def test_a_follow_up_signed_for_other_readers_is_not_shown(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    def others(signed: SignedManifest) -> SignedManifest:
        return replace(signed, recipients=(Kid(bytes(16)),))

    sync(*reporter.report(), *reporter.follow_up("Hm.", change=others))
    assert Sign.FOLLOW_UP_FORGED in signs(read())


def test_a_revoked_operators_signature_under_the_new_roster_does_not_count(
    world: World, server: FakeServer, reporter: Reporter, sync: Synced, read: Read
) -> None:

    revoked = world.operators[1].sign
    newcomer = Keyring.generate("newcomer")
    following = world.renewed(
        operators=(operator(1, world.operators[0]), operator(9, newcomer)),
        custodians=world.roster.custodians,
    )
    server.note = following.note
    forged = world.entry(reporter.case, "closed", roster_hash=following.hash, signer=revoked)
    sync(*reporter.report(), forged)
    assert signs(read()) == {Sign.ENTRY_FORGED}


def test_a_parent_that_names_itself_or_nothing_known_is_only_an_alarm(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    lost = HeaderHash(bytes(32))
    sync(*reporter.report(), world.entry(reporter.case, "closed", parents=[lost]))
    assert signs(read()) == {Sign.PARENT_MISSING}
    assert read().state == "closed"


def test_wraps_that_were_cut_on_this_disk_open_nothing_and_stop_nothing(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    sync(*reporter.report([photo])[1:])
    with desk.store._connection() as connection:
        connection.execute("UPDATE envelopes SET wraps = ?", (b"cut",))
    assert not desk.opener.is_for_us(of_kind(desk, Kind.EVIDENCE)[0])
    assert read().readable is False


def test_an_envelope_of_one_kind_is_never_read_as_another(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    with pytest.raises(Unopened):
        desk.opener.evidence(of_kind(desk, Kind.REPORT)[0])


def test_what_was_opened_is_forgotten_before_it_fills_the_memory(
    desk: Desk, world: World, sync: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.opening.REMEMBERED_MOST", 2)
    sync(*(one for _ in range(5) for one in Reporter(world).report()))
    assert len(Cases(desk).all()) == 5
    assert len(desk.opener._opened) <= 2


def test_what_an_operator_signed_before_they_left_still_counts(
    world: World, server: FakeServer, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report(), world.entry(reporter.case, "triage"))
    newcomer = operator(9, Keyring.generate("newcomer"))
    server.note = world.renewed(operators=(world.roster.operators[0], newcomer)).note
    sync()
    assert read().state == "triage"
    assert read().alarms == ()
