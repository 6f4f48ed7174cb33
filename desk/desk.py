"""One operator's desk, unlocked: its keys, its store, whom it believes, its server.

Rule: this is the one object that commands and pages are handed; it is made from a
folder and a passphrase, and nothing below it reads the environment or asks anybody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.ids import Day, day_of
from crypto.roster import RootPublicKey
from desk.client import SyncClient
from desk.config import Membership, server_address
from desk.errors import NotEnrolled, RosterNotTrusted
from desk.index import Index
from desk.opening import Opener
from desk.rules import load as load_rules
from desk.store import Store
from desk.trust import Trust, first_roster, remember, verified_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.roster import Roster
    from desk.config import DeskHome
    from desk.keyring import Keyring
    from desk.rules import Rules


def utc_today() -> Day:
    """The day in UTC."""
    return day_of(dt.datetime.now(tz=dt.UTC).date())


def local_stamp() -> str:
    """This machine's clock, to the minute: for `last sync` and nothing else."""
    return dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class Desk:
    """An unlocked desk."""

    home: DeskHome
    keyring: Keyring = field(repr=False)
    store: Store = field(repr=False)
    trust: Trust = field(repr=False)
    client: SyncClient = field(repr=False)
    opener: Opener = field(repr=False)
    server: str
    rules: Rules = field(repr=False)
    today: Callable[[], Day] = field(default=utc_today, repr=False)
    index: Index = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", Index(self))

    @classmethod
    def open(
        cls, home: DeskHome, keyring: Keyring, *, today: Callable[[], Day] = utc_today
    ) -> Desk:
        """Open the desk of an unlocked keyring.

        Raises:
            NotEnrolled: `enrol` was not run yet.
            RulesMalformed: the folder's workflow.toml cannot be meant.
        """
        membership = Membership.load(home.membership)
        store = Store(home)
        return cls(
            home=home,
            keyring=keyring,
            store=store,
            trust=Trust(home, store, membership),
            client=SyncClient(membership.server, keyring.api),
            opener=Opener(keyring.key),
            server=membership.server,
            rules=load_rules(home.rules if home.rules.exists() else None),
            today=today,
        )

    @property
    def is_custodian(self) -> bool:
        """Whether this desk opens identities and nothing else."""
        return self.keyring.role == "custodian"


def enrol(
    home: DeskHome,
    keyring: Keyring,
    server: str,
    root_public: str,
    *,
    today: Callable[[], Day] = utc_today,
) -> Roster:
    """Pin a server and a root, and the roster it offers now; returns that roster.

    A desk that was enrolled under the same root keeps the newest epoch it has seen:
    enrolling again is no way around the refusal of a rollback.

    Raises:
        ServerMalformed: the address is not one.
        ServerUnreachable, ServerRefused: no roster came.
        RosterNotTrusted, NotInRoster: it came and is not to be believed, or not ours.
        AlreadySyncing: another program of this desk is reading the rosters.
    """
    address = server_address(server)
    try:
        root = RootPublicKey.from_text(root_public)
    except CryptoError as refused:
        raise RosterNotTrusted(f"The root's public key file is not one: {refused}") from None
    client = SyncClient(address, keyring.api)
    note = client.roster()
    store = Store(home)
    store.forget_spoilt_rosters()
    _put_right(home, store, root, address)
    before = Membership.load(home.membership) if home.membership.exists() else None
    if before is not None and before.root_public == root.raw.hex():
        roster = Trust(home, store, before).accept(note, today(), keyring, client.roster)
    else:
        roster = first_roster(note, root, today(), keyring)
        store.keep_roster(roster.hash, roster.epoch, roster.note)
    wanted = Membership(
        server=address,
        root_public=root.raw.hex(),
        epoch=roster.epoch,
        roster_hash=roster.hash.hex(),
    )
    remember(home, wanted)
    return roster


def _put_right(home: DeskHome, store: Store, root: RootPublicKey, address: str) -> None:
    """Write a damaged or lost desk.json anew, from the newest roster of this root that was kept.

    So neither is a way around the refusal of a rollback; where none was kept, there is no pin.
    """
    try:
        Membership.load(home.membership)
    except NotEnrolled:
        kept = verified_again(store, root, {})
        newest = max(kept, key=lambda one: one.epoch, default=None)
        if newest is None:
            home.membership.unlink(missing_ok=True)
        else:
            pinned = Membership(address, root.raw.hex(), newest.epoch, newest.hash.hex())
            pinned.save(home.membership)
