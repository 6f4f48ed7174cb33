"""What came under a list of keys that was not known here yet is judged once that is known."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.manifest import EntryBody
from desk.alarms import Sign
from desk.client import SyncClient
from desk.errors import FileQuarantined
from desk.evidence import open_evidence
from desk.keyring import Keyring
from tests.desk.world import JPEG, Reporter, World, operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.signing import SigningPrivateKey
    from desk.cases import Case
    from desk.client import UntrustedPage
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]


@pytest.fixture
def photo(reporter: Reporter, sync: Synced) -> Row:
    """A file of a case that this desk has."""
    made = reporter.evidence("p.jpg", "image/jpeg", JPEG)
    sync(*reporter.report([made]))
    return made


def joined(world: World, server: FakeServer) -> Keyring:
    """Somebody with new keys, whom the next roster names."""
    new = Keyring.generate("operator 3")
    server.renew(operators=(*world.roster.operators, operator(9, new)))
    return new


def words(world: World, reporter: Reporter, photo: Row, signer: SigningPrivateKey) -> list[Row]:
    """A note, and an entry that closes a file."""
    note = {"text": "Call him, he is in danger"}
    digest = hashlib.sha256(JPEG).hexdigest()
    closing = {
        "file": photo.id.hex(), "sha256": digest, "custodian": "custodian 1", "text": "",
    }  # fmt: skip
    return [
        world.by_operator(
            Kind.ENTRY, reporter.case, EntryBody(type=kind, data=data).to_json(), signer=signer
        )
        for kind, data in (("note", note), ("quarantine", closing))
    ]


def counts(desk: Desk, case: Case, photo: Row) -> bool:
    """Whether both do, and nothing is said against anybody."""
    if case.alarms or {one.body.type for one in case.work.entries} != {"note", "quarantine"}:
        return False
    with pytest.raises(FileQuarantined):
        open_evidence(desk, case, photo.id.hex())
    return True


@pytest.mark.claim("C-RENEWED", "C-QUARANTINE")
def test_a_roster_that_comes_into_force_while_the_index_is_read_is_asked_for_at_once(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read,
    photo: Row, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    index = SyncClient.index

    def later(client: SyncClient, after: str | None) -> UntrustedPage:
        if desk.trust.epoch == world.roster.epoch == 1:
            server.put(*words(world, reporter, photo, joined(world, server).sign))
        return index(client, after)

    monkeypatch.setattr(SyncClient, "index", later)
    sync()
    assert desk.trust.epoch == 2
    assert counts(desk, read(), photo)


@pytest.mark.claim("C-RENEWED", "C-QUARANTINE")
@pytest.mark.parametrize("is_first", [False, True])
def test_what_a_server_showed_under_a_list_that_it_held_back_counts_once_that_is_shown(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read,
    photo: Row, is_first: bool,  # noqa: FBT001  # one of two worlds
) -> None:  # fmt: skip
    old = server.note
    new = joined(world, server)
    server.put(*words(world, reporter, photo, new.sign))
    if is_first:
        # It shows the list before the newest, and then it does not have the one between.
        server.renew()
        held_back = server.history.pop(2)
        sync()
        server.history[2] = held_back
    else:
        server.note, now = old, server.note
        sync()
        server.note = now
    assert {one.sign for one in read().alarms} == {Sign.SIGNER_UNKNOWN}
    assert sync().alarms == []
    assert counts(desk, read(), photo)


@pytest.mark.claim("C-ROSTER")
def test_who_was_removed_stays_so_also_where_their_list_is_learned_late(
    world: World, reporter: Reporter, server: FakeServer, sync: Synced, read: Read, photo: Row
) -> None:
    new = joined(world, server)
    told = words(world, reporter, photo, new.sign)
    server.renew(operators=world.roster.operators[:2])
    held_back = server.history.pop(2)
    sync()
    # This desk has read the whole index under the third by now; the second is not known here.
    server.put(*told)
    sync()
    server.history[2] = held_back
    sync()
    assert {one.sign for one in read().alarms} == {Sign.SIGNED_TOO_LATE}
    assert read().work.entries == ()
