"""Who may ask and answer follows from the roster in force; how many, from the rosters' quorums."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from crypto.ids import Day
from desk import acts, custodian, custody
from desk.cases import Cases
from desk.desk import Desk
from desk.errors import ActRefused, CustodyRefused, RosterNotTrusted
from desk.keyring import Keyring
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.custody.conftest import NAME, Office, office_of
from tests.desk.server import serving
from tests.desk.world import TODAY, World, operator
from tests.desk.world import custodian as custodian_of

if TYPE_CHECKING:
    from pathlib import Path


def refusal(match: str) -> Any:
    return pytest.raises(CustodyRefused, match=match)


def renew(office: Office, **changes: Any) -> None:
    """The next roster, and every desk that there is knows it."""
    office.server.renew(**changes)


@pytest.mark.claim("C-CUSTODY")
def test_a_request_of_an_operator_who_was_removed_is_refused(office: Office) -> None:
    asked = office.ask()
    office.desk("custodian 1")
    other = operator(9, Keyring.generate("operator 9"))
    renew(office, operators=(office.world.roster.operators[1], other))
    keeper = office.desk("custodian 1")
    with refusal("forged, or by somebody who was removed"):
        custodian.read(keeper, asked.text)


@pytest.mark.claim("C-CUSTODY")
def test_an_answer_of_a_custodian_who_was_removed_is_refused(office: Office) -> None:
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    renew(office, custodians=office.world.roster.custodians[1:])
    with refusal("no custodian of the roster in force"):
        office.open(asked, *answers)
    # The two who stayed still hold what it was sealed to.
    opened = office.open(asked, answers[1], office.yes(3, asked.text))
    assert opened.identities[0].manifest.identity == {"name": NAME}


def test_a_custodian_who_came_later_has_no_share(office: Office) -> None:
    office.desk("operator 1")
    ring = Keyring.generate("custodian 4", custodian=True)
    office.world.custodians = (*office.world.custodians, ring)
    renew(office, custodians=(*office.world.roster.custodians, custodian_of(9, ring)))
    asked = office.ask()
    with refusal("holds no share of that identity"):
        office.yes(4, asked.text)


@pytest.mark.claim("C-CUSTODY")
def test_a_quorum_that_was_raised_binds_what_was_sealed_before(tmp_path: Path) -> None:
    world = World.make(custodians=3, quorum=1)
    with serving(world) as fake:
        office = office_of(tmp_path, world, fake)
        office.desk("operator 1")
        renew(office, quorum=3)
        asked = office.ask()
        answers = [office.yes(number, asked.text) for number in (1, 2, 3)]
        with refusal("3 custodians must say yes"):
            office.open(asked, *answers[:2])
        assert len(office.open(asked, *answers).identities) == 1


@pytest.mark.claim("C-CUSTODY")
def test_a_quorum_that_was_lowered_opens_nothing_that_was_sealed_before(office: Office) -> None:
    office.desk("operator 1")
    renew(office, quorum=1)
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    with refusal("2 custodians must say yes"):
        office.open(asked, answers[0])
    assert len(office.open(asked, *answers).identities) == 1


def test_a_custodian_alone_is_enough_where_the_roster_says_so_and_it_is_in_the_journal(
    tmp_path: Path,
) -> None:
    world = World.make()
    with serving(world) as fake:
        office = office_of(tmp_path, world, fake)
        asked = office.ask()
        opened = office.open(asked, office.yes(1, asked.text))
        assert opened.custodians == ("custodian 1",)
        assert len(office.case("operator 2").work.of(acts.IDENTITY_OPENED)) == 1


def test_an_identity_under_a_roster_that_is_not_believed_is_not_opened(office: Office) -> None:
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    desk, case = office.desk("operator 1"), office.case()
    before = office.world.roster.hash
    office.server.renew()
    desk = office.desk("operator 1")
    with desk.store._connection() as connection:
        connection.execute("DELETE FROM rosters WHERE hash=?", (before,))
    desk = Desk.open(desk.home, desk.keyring, today=desk.today)
    with refusal("sealed under a roster that this desk does not believe"):
        custody.open_identity(desk, case, asked.id, answers)


def test_a_request_that_is_out_of_date_opens_nothing_and_says_so(office: Office) -> None:
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    office.server.renew(not_before=Day(TODAY + 19), not_after=Day(TODAY + 60))
    desk = dataclasses.replace(office.desks["operator 1"], today=lambda: Day(TODAY + 31))
    synchronise(desk, Silence())
    case = Cases(desk).find(office.reporter.case.hex())
    (left,) = custody.pending(desk, case)
    assert left.late
    with refusal("30 days are the most"):
        custody.open_identity(desk, case, asked.id, answers)


def test_without_a_roster_in_force_nothing_is_asked(office: Office) -> None:
    case = office.case()
    desk = dataclasses.replace(office.desks["operator 1"], today=lambda: Day(TODAY + 40))
    with pytest.raises(RosterNotTrusted):
        custody.ask(desk, case, "x")


def test_a_desk_whose_keys_are_in_no_roster_asks_nothing(office: Office) -> None:
    case = office.case()
    stranger = Keyring.generate("stranger")
    desk = dataclasses.replace(office.desks["operator 1"], keyring=stranger)
    with pytest.raises(ActRefused):
        custody.ask(desk, case, "x")
