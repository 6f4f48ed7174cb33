"""Old rosters: believed because the next one names them, and for no other reason."""

import pytest

from crypto.errors import RosterRefused
from crypto.ids import Day
from crypto.roster import Roster, sign_roster, verify_past_roster, verify_roster
from crypto.roster_history import verify_roster_before
from crypto.signing import SigningPrivateKey
from tests.crypto.roster_builder import ROOT, ROOT_PUBLIC, TODAY, draft, note_of, text_of


def line_of(epochs: int, **changes: object) -> list[Roster]:
    """Rosters one after the other, each of 30 days."""
    made: list[Roster] = []
    for epoch in range(1, epochs + 1):
        begins = Day(TODAY + 30 * (epoch - 1))
        days = {"not_before": begins, "not_after": Day(begins + 30)}
        previous = {"previous": made[-1].hash} if made else {}
        made.append(sign_roster(draft(epoch=epoch, **days, **previous, **changes), ROOT))
    return made


FIRST, SECOND, THIRD = line_of(3)
STRANGER = SigningPrivateKey.from_seed(b"s" * 32)


def refused(later: Roster, note: bytes, why: str) -> None:
    with pytest.raises(RosterRefused, match=why):
        verify_roster_before(later, note, ROOT_PUBLIC)


def test_a_line_of_rosters_is_verified_back_to_the_first() -> None:
    assert verify_roster_before(THIRD, SECOND.note, ROOT_PUBLIC) == SECOND
    assert verify_roster_before(SECOND, FIRST.note, ROOT_PUBLIC) == FIRST


@pytest.mark.claim("C-ROSTER")
def test_an_expired_roster_is_good_for_the_past_and_never_for_today() -> None:
    today = Day(TODAY + 75)
    assert verify_past_roster(FIRST.note, ROOT_PUBLIC) == FIRST
    with pytest.raises(RosterRefused, match="expired"):
        verify_roster(FIRST.note, ROOT_PUBLIC, today, None)


@pytest.mark.claim("C-ROSTER")
def test_a_past_roster_that_another_root_signed_is_refused() -> None:
    refused(THIRD, note_of(text_of(SECOND.note), STRANGER), "another root")


@pytest.mark.claim("C-ROSTER")
def test_a_past_roster_with_any_character_changed_is_refused() -> None:
    note = SECOND.note.decode()
    for at in range(0, len(note), 7):
        changed = "x" if note[at] != "x" else "y"
        with pytest.raises(RosterRefused):
            verify_roster_before(
                THIRD, (note[:at] + changed + note[at + 1 :]).encode(), ROOT_PUBLIC
            )


@pytest.mark.claim("C-ROSTER")
def test_a_gap_in_the_line_is_refused() -> None:
    refused(THIRD, FIRST.note, "of epoch 1, not the one before 3")
    refused(SECOND, THIRD.note, "of epoch 3, not the one before 2")
    refused(SECOND, SECOND.note, "of epoch 2, not the one before 2")


@pytest.mark.claim("C-ROSTER")
def test_another_roster_of_the_right_epoch_that_the_root_did_sign_is_refused() -> None:
    other = line_of(2, rehearsal=False)
    refused(THIRD, other[1].note, "another roster of epoch 2")
    refused(SECOND, other[0].note, "another roster of epoch 1")


def test_nothing_comes_before_the_first() -> None:
    for roster in (FIRST, SECOND):
        refused(FIRST, roster.note, "not the one before 1")
