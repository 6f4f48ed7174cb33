"""Rosters: the root's word, whole, in force, never an older one or another.  An attack, a test."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import KeyRefused, RosterRefused
from crypto.ids import Day, Deployment
from crypto.keys import CustodianPublicKey
from crypto.roster import (
    RootPublicKey,
    Roster,
    RosterDraft,
    read_unverified,
    sign_roster,
    verify_roster,
)
from crypto.signing import SigningPrivateKey
from tests.crypto.roster_builder import (
    ROOT,
    ROOT_PUBLIC,
    TODAY,
    custodian,
    custodian_enrolment,
    draft,
    note_of,
    operator,
    operator_enrolment,
    sealing_public,
    text_of,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "roster.json").read_text()
)
GOOD = sign_roster(draft(), ROOT)
TEXT = text_of(GOOD.note)
STRANGER = SigningPrivateKey.from_seed(b"s" * 32)
LOW_ORDER_X25519 = base64.b64encode(bytes(32)).decode()
LOW_ORDER_ED25519 = base64.b64encode(bytes([1]) + bytes(31)).decode()


def verify(note: bytes, last_seen: tuple[int, bytes] | None = None, today: int = TODAY) -> Roster:
    return verify_roster(note, ROOT_PUBLIC, Day(today), last_seen)


def refused(note: bytes, why: str) -> None:
    with pytest.raises(RosterRefused, match=re.escape(why)):
        verify(note)


def truly_signed(old: str, new: str, count: int = 1) -> bytes:
    """A note with a change in its text, which the root did sign: only the rules can refuse it."""
    assert old in TEXT
    return note_of(TEXT.replace(old, new, count))


def unsignable(why: str, **changes: Any) -> None:
    with pytest.raises(RosterRefused, match=re.escape(why)):
        sign_roster(draft(**changes), ROOT)


@pytest.mark.parametrize("vector", VECTORS["rosters"], ids=lambda vector: str(vector["name"]))
@pytest.mark.claim("C-ROSTER")
def test_a_roster_is_judged_as_the_vectors_say(vector: dict[str, Any]) -> None:
    root = RootPublicKey.from_text(VECTORS["root_public"])
    seen = vector["last_seen"]
    last_seen = seen and (seen["epoch"], bytes.fromhex(seen["hash"]))
    note = vector["note"].encode()
    if vector["expect"] == "ok":
        assert verify_roster(note, root, vector["today"], last_seen).note == note
    else:
        with pytest.raises(RosterRefused, match=vector["expect"]):
            verify_roster(note, root, vector["today"], last_seen)


# What holds.


def test_a_signed_roster_says_what_its_draft_said() -> None:
    roster = verify(GOOD.note)
    assert roster == GOOD
    for name in ("epoch", "not_before", "not_after", "previous", "suite", "quorum", "rehearsal"):
        assert getattr(roster, name) == getattr(draft(), name)
    assert roster.operators == draft().operators
    assert roster.custodians == draft().custodians
    assert roster.hash == hashlib.sha256(GOOD.note).digest()


def test_the_control_of_all_forgeries_holds() -> None:
    """What `note_of` signs is accepted as long as its text is a roster's."""
    assert note_of(TEXT) == GOOD.note


def test_a_roster_gives_each_key_for_its_job() -> None:
    one, two, three = operator(1), operator(2), custodian(3)
    assert GOOD.evidence_keys() == (one.evidence, two.evidence)
    assert GOOD.custodian_keys() == (three.custodian,)
    for kid in (one.evidence.kid, one.sign.kid, one.api.kid):
        assert GOOD.operator_of(kid) == one
        assert GOOD.custodian_of(kid) is None
    for kid in (three.custodian.kid, three.sign.kid, three.api.kid):
        assert GOOD.custodian_of(kid) == three
        assert GOOD.operator_of(kid) is None
    for member in (one, three):
        assert GOOD.api_key(member.api.kid) == member.api
        assert GOOD.api_key(member.sign.kid) is None


def test_members_are_read_aloud_as_their_enrolment_files_were() -> None:
    assert operator(1).fingerprint == operator_enrolment(1).fingerprint
    assert custodian(3).fingerprint == custodian_enrolment(3).fingerprint


def test_operators_and_custodians_may_be_numbered_in_any_mixture() -> None:
    mixed = draft(operators=(operator(7), operator(2)), custodians=(custodian(5),))
    roster = sign_roster(mixed, ROOT)
    assert [one.number for one in roster.members] == [2, 5, 7]
    assert [one.number for one in roster.operators] == [2, 7]


def test_a_rehearsal_says_so() -> None:
    assert "\nrehearsal yes\n" in TEXT
    real = sign_roster(draft(rehearsal=False), ROOT)
    assert "\nrehearsal no\n" in text_of(real.note)
    assert not real.rehearsal


def test_a_label_may_be_in_any_script() -> None:
    named = replace(operator(1), label="قاعة التنسيق: Opératrice ⵜ")
    roster = sign_roster(draft(operators=(named, operator(2))), ROOT)
    assert roster.operators[0].label == named.label


def test_the_first_and_the_last_day_are_inside_and_their_neighbours_outside() -> None:
    for day in (TODAY, TODAY + 30):
        verify(GOOD.note, today=day)
    for day in (TODAY - 1, TODAY + 31):
        with pytest.raises(RosterRefused):
            verify(GOOD.note, today=day)


def test_the_same_roster_again_and_every_later_one_is_taken() -> None:
    second = sign_roster(draft(epoch=2, previous=GOOD.hash), ROOT)
    third = sign_roster(draft(epoch=3, previous=second.hash), ROOT)
    seen = (GOOD.epoch, GOOD.hash)
    for roster in (GOOD, second, third):
        assert verify(roster.note, seen).epoch == roster.epoch


# Attacks on what was seen before.


@pytest.mark.claim("C-ROSTER")
def test_an_older_roster_is_refused() -> None:
    second = sign_roster(draft(epoch=2, previous=GOOD.hash), ROOT)
    with pytest.raises(RosterRefused, match="rolled back"):
        verify(GOOD.note, (second.epoch, second.hash))


@pytest.mark.claim("C-ROSTER")
def test_another_roster_of_the_same_epoch_is_refused() -> None:
    other = sign_roster(draft(quorum=1, rehearsal=False), ROOT)
    with pytest.raises(RosterRefused, match="another roster of epoch 1"):
        verify(other.note, (GOOD.epoch, GOOD.hash))


@pytest.mark.claim("C-ROSTER")
def test_a_next_roster_that_follows_another_one_is_refused() -> None:
    other = sign_roster(draft(rehearsal=False), ROOT)
    second = sign_roster(draft(epoch=2, previous=other.hash), ROOT)
    with pytest.raises(RosterRefused, match="does not follow"):
        verify(second.note, (GOOD.epoch, GOOD.hash))


@pytest.mark.claim("C-ROSTER")
def test_an_expired_roster_is_refused() -> None:
    with pytest.raises(RosterRefused, match="expired"):
        verify(GOOD.note, today=TODAY + 31)


def test_a_roster_of_tomorrow_is_refused() -> None:
    with pytest.raises(RosterRefused, match="not valid before"):
        verify(GOOD.note, today=TODAY - 1)


# Attacks on the signature.


@pytest.mark.claim("C-ROSTER")
def test_another_roots_signature_is_refused() -> None:
    refused(note_of(TEXT, STRANGER), "another root")


def test_another_roots_signature_under_our_roots_name_is_refused() -> None:
    signature = base64.b64encode(ROOT_PUBLIC.note_hash + STRANGER.sign(TEXT.encode())).decode()
    refused(f"{TEXT}\n— amana-root {signature}\n".encode(), "signature does not hold")


def test_every_changed_character_of_the_text_is_refused() -> None:
    for index in range(0, len(TEXT), 3):
        changed = "x" if TEXT[index] != "x" else "y"
        forged = TEXT[:index] + changed + TEXT[index + 1 :] + GOOD.note.decode()[len(TEXT) :]
        with pytest.raises(RosterRefused):
            verify(forged.encode())


def test_every_changed_character_of_the_signature_is_refused() -> None:
    note = GOOD.note.decode()
    for index in range(len(TEXT), len(note)):
        changed = "B" if note[index] != "B" else "C"
        with pytest.raises(RosterRefused):
            verify((note[:index] + changed + note[index + 1 :]).encode())


def test_a_second_signature_line_is_refused() -> None:
    refused(GOOD.note + GOOD.note[len(TEXT.encode()) + 1 :], "one signature line")


def test_a_note_without_a_signature_is_refused() -> None:
    refused(TEXT.encode(), "one signature line")


def test_a_signature_with_another_spelling_is_refused() -> None:
    note = GOOD.note.decode()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = letters[letters.index(note[-3]) + 1]
    refused((note[:-3] + stray + note[-2:]).encode(), "one way only")


def test_bytes_that_are_no_text_are_refused() -> None:
    refused(b"\xff" + GOOD.note, "UTF-8")


def test_an_endless_note_is_refused() -> None:
    refused(GOOD.note + bytes(300_000), "256 KiB")


def test_the_roster_of_another_deployment_is_refused() -> None:
    note = truly_signed(ROOT_PUBLIC.deployment.hex(), "ab" * 16)
    refused(note, "another deployment")
    unsignable("another deployment", deployment=Deployment(bytes(16)))


# Attacks on the text, every one truly signed by the root.


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("amana/v1/roster", "amana/v2/roster"),
        ("epoch 1\n", "epoch 1\nepoch 1\n"),
        ("epoch 1\n", ""),
        ("epoch 1\n", "epoch 01\n"),
        ("epoch 1\n", "epoch 0\n"),
        ("epoch 1\n", "epoch +1\n"),
        ("epoch 1\n", "epoch ١\n"),
        ("epoch 1\n", "epoch 1 \n"),
        ("epoch 1\n", "epoch 1\r\n"),
        ("epoch 1\n", "epoch 1000000000\n"),
        ("quorum 1\n", "quorum 1\nwitness 1\n"),
        ("suite 1\nquorum 1\n", "quorum 1\nsuite 1\n"),
        ("rehearsal yes\n", "rehearsal maybe\n"),
    ],
)
def test_a_field_that_is_unknown_double_missing_or_spelled_otherwise_is_refused(
    old: str, new: str
) -> None:
    refused(truly_signed(old, new), "nine lines")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sign 1 ", "sign 2 "),
        ("sign 1 ", "note 1 "),
        ("rehearsal yes\n", "rehearsal yes\nrehearsal no\n"),
        ("member 1 ", "member 0 "),
        ("member 1 Operator 1\n", "member 1 \n"),
        ("member 2 ", "expires 2026-01-01\nmember 2 "),
        ("custodian 3 ", "guardian 3 "),
    ],
)
def test_a_member_with_an_unknown_or_a_missing_line_is_refused(old: str, new: str) -> None:
    refused(truly_signed(old, new), "is not understood")


def test_a_line_after_the_last_member_is_refused() -> None:
    refused(note_of(TEXT + "witness 9 x\n"), "line 22 is not understood")


def test_a_text_that_goes_on_after_an_empty_line_is_refused() -> None:
    refused(note_of(TEXT + "\nmore\n"), "one signature line")


def test_members_out_of_order_are_refused() -> None:
    lines = TEXT.splitlines(keepends=True)
    refused(note_of("".join(lines[:9] + lines[13:17] + lines[9:13] + lines[17:])), "not spelled")


def test_a_key_id_that_is_not_the_keys_is_refused() -> None:
    refused(truly_signed(operator(1).evidence.kid.hex(), "ab" * 16), "not spelled")


def test_a_key_with_stray_bits_is_refused() -> None:
    key = base64.b64encode(operator(1).sign.raw).decode()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = key[:-2] + letters[letters.index(key[-2]) + 1] + "="
    refused(truly_signed(key, stray), "not spelled")


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01"])
def test_a_day_that_does_not_exist_is_refused(day: str) -> None:
    note = note_of(re.sub(r"not-after \S+", f"not-after {day}", TEXT))
    refused(note, "is no day")


def test_an_evidence_key_of_low_order_is_refused() -> None:
    key = base64.b64encode(operator(1).evidence.raw).decode()
    refused(truly_signed(key, LOW_ORDER_X25519), "a key of member 1 is refused")


def test_a_custodians_key_of_low_order_is_refused() -> None:
    key = base64.b64encode(custodian(3).custodian.raw).decode()
    refused(truly_signed(key, LOW_ORDER_X25519), "a key of member 3 is refused")


def test_a_signing_key_of_low_order_is_refused() -> None:
    key = base64.b64encode(operator(1).sign.raw).decode()
    refused(truly_signed(key, LOW_ORDER_ED25519), "a key of member 1 is refused")


def test_an_api_key_of_low_order_is_refused() -> None:
    key = base64.b64encode(operator(2).api.raw).decode()
    refused(truly_signed(key, LOW_ORDER_ED25519), "a key of member 2 is refused")


# Rosters that nobody may sign, and that nobody accepts from a root that did.


def test_a_suite_that_is_not_here_is_refused_and_never_replaced() -> None:
    refused(truly_signed("suite 1", "suite 2"), "needs a library")
    unsignable("needs a library", suite=2)


def test_fewer_than_two_operators_are_refused() -> None:
    unsignable("fewer than two operators", operators=(operator(1),))
    unsignable("fewer than two operators", operators=())


def test_a_roster_without_custodians_is_refused() -> None:
    unsignable("quorum", custodians=())


def test_a_quorum_that_the_custodians_cannot_reach_is_refused() -> None:
    unsignable("quorum", quorum=2)
    unsignable("nine lines", quorum=0)


def test_too_many_shares_are_refused() -> None:
    many = tuple(custodian(number) for number in range(3, 10))
    sign_roster(draft(custodians=many[:5], quorum=3), ROOT)
    unsignable("too many shares", custodians=many, quorum=3)


def test_a_validity_of_more_than_ninety_days_is_refused() -> None:
    sign_roster(draft(not_after=Day(TODAY + 90)), ROOT)
    unsignable("90 days", not_after=Day(TODAY + 91))


def test_an_end_before_the_beginning_is_refused() -> None:
    unsignable("90 days", not_after=Day(TODAY - 1))


def test_a_first_roster_with_one_before_it_and_a_later_one_without_are_refused() -> None:
    unsignable("first roster", previous=b"p" * 32)
    unsignable("first roster", epoch=2)


def test_one_number_for_two_members_is_refused() -> None:
    unsignable("a number stands there twice", custodians=(custodian(2),))


def test_one_label_for_two_members_is_refused() -> None:
    twin = replace(operator(2), label="Operator 1")
    unsignable("a label stands there twice", operators=(operator(1), twin))


def test_a_label_that_hides_something_is_refused() -> None:
    odd = replace(operator(1), label="Operator\N{RIGHT-TO-LEFT OVERRIDE}1")
    unsignable("a label is", operators=(odd, operator(2)))


def test_a_key_in_two_members_is_refused() -> None:
    twin = replace(operator(2), evidence=operator(1).evidence)
    unsignable("a key stands there twice", operators=(operator(1), twin))


def test_a_key_with_two_jobs_is_refused() -> None:
    lazy = replace(operator(1), api=operator(1).sign)
    unsignable("a key stands there twice", operators=(lazy, operator(2)))


def test_an_operators_key_as_a_custodians_is_refused() -> None:
    # Otherwise the quorum of one could be an operator, and identities be opened with reports.
    both = replace(custodian(3), custodian=CustodianPublicKey(sealing_public("evidence 1")))
    unsignable("a key stands there twice", custodians=(both,))


# The root's public key, and reading without believing.


def test_the_roots_public_key_comes_back_from_its_line() -> None:
    line = ROOT_PUBLIC.to_text()
    assert line.startswith("amana-root+")
    assert RootPublicKey.from_text(line) == ROOT_PUBLIC == RootPublicKey.from_text(line.strip())
    assert re.fullmatch(r"[0-9]{5}( [0-9]{5}){7}", ROOT_PUBLIC.fingerprint)


def test_every_changed_character_of_the_roots_line_is_refused() -> None:
    line = ROOT_PUBLIC.to_text().strip()
    for index in range(len(line)):
        changed = "c" if line[index] != "c" else "d"
        with pytest.raises(RosterRefused):
            RootPublicKey.from_text(line[:index] + changed + line[index + 1 :])


@pytest.mark.parametrize("line", ["", "\n", "amana-root", ROOT_PUBLIC.to_text() * 2])
def test_what_is_no_roots_line_is_refused(line: str) -> None:
    with pytest.raises(RosterRefused):
        RootPublicKey.from_text(line)


def test_a_root_of_low_order_is_refused() -> None:
    with pytest.raises(KeyRefused):
        RootPublicKey(bytes([1]) + bytes(31))


def test_a_note_can_be_read_without_being_believed_and_is_then_no_roster() -> None:
    said = read_unverified(note_of(TEXT, STRANGER))
    assert type(said) is RosterDraft
    assert said == draft()
