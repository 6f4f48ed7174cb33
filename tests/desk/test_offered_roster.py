"""Claims C-ROSTER, C-ALARMS: what a server offers as its newest list, and whom that accuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crypto.errors import RosterRefused
from crypto.ids import Day
from crypto.roster import RosterDraft, sign_roster, verify_past_roster
from desk.alarms import Alarm, Sign
from desk.config import Membership
from desk.desk import Desk
from desk.errors import RosterNotTrusted
from desk.offered_roster import Refusal, judge
from desk.progress import Silence
from desk.refused_rosters import MOST
from desk.sync import synchronise
from tests.desk.world import TODAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.roster import Roster
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Synced = Callable[..., SyncReport]

pytestmark = [pytest.mark.claim("C-ROSTER"), pytest.mark.claim("C-ALARMS")]
REFUSED = Alarm(Sign.ROSTER_REFUSED)
FORKED = Alarm(Sign.ROSTER_FORKED)
BACKWARDS = Alarm(Sign.ROSTER_WENT_BACKWARDS)


def on_day(desk: Desk, days: int) -> Desk:
    """The same desk, where the machine's clock stands so many days from today."""
    return Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + days))


def signed(world: World, like: Roster, **changes: object) -> Roster:
    """One that the root signed too."""
    fields = {name: getattr(like, name) for name in RosterDraft.__dataclass_fields__}
    return sign_roster(RosterDraft(**{**fields, **changes}), world.root)


def kept(desk: Desk) -> dict[bytes, str]:
    """The notes that were kept, and the sign that each is named after."""
    folder = desk.home.refused_rosters
    found = folder.iterdir() if folder.exists() else ()
    return {one.read_bytes(): one.name.rpartition("-")[0] for one in found}


def refused(desk: Desk, match: str) -> None:
    """A sync that ends with the list of keys, twice: nothing is asked for after it."""
    for _ in range(2):
        with pytest.raises(RosterNotTrusted, match=match):
            synchronise(desk, Silence())


# --- a list that ran out, and a clock that is wrong: honest


@pytest.mark.parametrize(
    ("days", "words"),
    [(300, "expired on 20.*publish a new list"), (-300, "begins on 20.*this machine's clock")],
    ids=["a-renewal-that-is-late-or-a-clock-ahead", "a-clock-behind"],
)
@pytest.mark.parametrize("epoch", [1, 2], ids=["the-pinned", "the-next"])
def test_a_list_of_ours_out_of_force_accuses_nobody_and_says_what_to_do(  # noqa: PLR0913, PLR0917
    desk: Desk, server: FakeServer, sync: Synced, days: int, words: str, epoch: int
) -> None:  # its fixtures, and a table
    sync()
    if epoch == 2:
        server.renew()
    server.requests.clear()
    refused(on_day(desk, days), words)
    assert desk.store.alarms() == (REFUSED,)
    assert not desk.home.refused_rosters.exists()
    assert not any("/v1/index" in one for one in server.requests)
    assert desk.trust.epoch == 1
    # The new list was published, or the clock set right: it goes by itself.
    assert sync().alarms == []
    assert desk.store.alarms() == ()


def test_an_older_list_is_one_whatever_its_days(desk: Desk, server: FakeServer) -> None:
    first = server.note
    server.renew()
    synchronise(desk, Silence())
    server.note = first
    refused(on_day(desk, 300), "older list")
    assert desk.store.alarms() == (BACKWARDS,)
    assert kept(desk) == {first: BACKWARDS.sign}


# --- what nobody signed


def test_what_the_root_did_not_sign_is_refused_and_takes_no_place_from_what_it_did(
    desk: Desk, world: World, server: FakeServer, sync: Synced
) -> None:
    sync()
    good = server.note
    for number in range(MOST + 1):
        one = signed(world, world.roster, not_before=Day(world.roster.not_before - number)).note
        text, _, signature = one.rpartition("— ".encode())
        server.note = text + "— ".encode() + signature[:30] + b"AAAA" + signature[34:]
        with pytest.raises(RosterRefused, match="signature does not hold"):
            verify_past_roster(server.note, world.root_public)
        with pytest.raises(RosterNotTrusted, match="signature does not hold"):
            sync()
    assert desk.store.alarms() == (REFUSED,)
    assert not desk.home.refused_rosters.exists()
    # The grave one comes last, and is kept all the same.
    server.note = signed(world, world.roster, not_after=Day(world.roster.not_after - 1)).note
    refused(desk, "two lists of one number")
    assert kept(desk) == {server.note: FORKED.sign}
    server.note = good
    sync()
    assert desk.store.alarms() == (FORKED,)


# --- what it signed twice


@pytest.mark.parametrize("days", [0, 300, -300], ids=["in-force", "expired", "not-yet"])
@pytest.mark.parametrize("which", ["same-number", "next-number", "older-number", "before-first"])
def test_a_second_list_of_one_number_under_the_roots_signature_is_a_fork_that_stays(
    desk: Desk, world: World, server: FakeServer, days: int, which: str
) -> None:
    """What follows another past proves it as well as that past itself."""
    first = world.roster
    second = server.renew()
    synchronise(desk, Silence())
    good = server.note
    other = signed(world, second, not_after=Day(second.not_after - 1))
    offered = {
        "same-number": other,
        "next-number": signed(world, other, epoch=3, previous=other.hash),
        "older-number": signed(world, first, not_after=Day(first.not_after - 1)),
        "before-first": signed(world, second, previous=bytes([7] * 32)),
    }[which]
    server.note = offered.note
    refused(on_day(desk, days), "two lists of one number")
    assert desk.store.alarms() == (FORKED,)
    assert kept(desk) == {offered.note: FORKED.sign}
    assert Membership.load(desk.home.membership).roster_hash == second.hash.hex()
    # The server shows the true one again: what the root signed is signed all the same.
    server.note = good
    assert synchronise(desk, Silence()).alarms == []
    assert desk.store.alarms() == (FORKED,)
    desk.store.quieten(FORKED)
    assert synchronise(desk, Silence()).alarms == []
    assert desk.store.alarms() == ()


def test_a_list_that_a_later_one_does_not_follow_is_a_fork_also_where_its_own_was_never_seen(
    world: World,
) -> None:
    """A desk that was enrolled with the third, and whose server never gave the second."""
    first = world.roster
    second = world.renewed()
    third = signed(world, second, epoch=3, previous=second.hash)
    other = signed(world, second, not_after=Day(second.not_after - 1))
    seen, last = {third.hash: third}, (3, third.hash)

    def sign_of(one: Roster) -> Sign:
        told = judge(one.note, world.root_public, TODAY, last, seen)
        assert isinstance(told, Refusal)
        assert told.kept == (one.note,)
        return told.sign

    assert sign_of(other) is Sign.ROSTER_FORKED
    assert sign_of(second) is Sign.ROSTER_WENT_BACKWARDS
    assert sign_of(first) is Sign.ROSTER_WENT_BACKWARDS


def test_what_comes_next_is_handed_on(world: World) -> None:
    first = world.roster
    last, seen = (1, first.hash), {first.hash: first}
    following = world.renewed()
    for one in (first, following, signed(world, following, epoch=3, previous=following.hash)):
        assert judge(one.note, world.root_public, TODAY, last, seen) == one
    # The newest counts, also where its own note was lost from the store.
    told = judge(first.note, world.root_public, TODAY, (1, bytes(32)), {})
    assert isinstance(told, Refusal)
    assert told.sign is Sign.ROSTER_FORKED
