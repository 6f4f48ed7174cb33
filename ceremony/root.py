"""The root's folder: a private key behind a passphrase, its public key, and all it ever signed.

root.key        private, sealed under the passphrase (crypto/FORMAT.md, section 12)
root.pub        what gateways and desks pin
rosters/*.note  every roster signed, so that no epoch is signed twice
"""

from dataclasses import dataclass, field
from pathlib import Path

from ceremony.errors import FileUnusable, ForkRefused, RootUnusable
from ceremony.files import PRIVATE, PUBLIC, read_small, write_new
from crypto.errors import KeyFileRefused, RosterRefused
from crypto.keyfile import KeyFileCost, open_keyfile, seal_keyfile
from crypto.roster import (
    RootPublicKey,
    Roster,
    RosterDraft,
    read_unverified,
    sign_roster,
    verify_roster,
)
from crypto.signing import SigningPrivateKey

_FOLDER_MODE = 0o700
# The name inside the sealed file says which it is: nobody can turn one into the other unnoticed.
_REAL = "root"
_REHEARSAL = "rehearsal-root"


@dataclass(frozen=True, slots=True)
class Root:
    """An opened root.  `rehearsal` marks every roster that it signs."""

    folder: Path
    rehearsal: bool
    private: SigningPrivateKey = field(repr=False)

    @property
    def public(self) -> RootPublicKey:
        """What gateways and desks pin."""
        return RootPublicKey(self.private.public.raw)

    def last_signed(self) -> Roster | None:
        """Give the roster of the highest epoch that this root has signed.

        Raises RootUnusable when the file that holds it was changed.
        """
        notes = sorted((self.folder / "rosters").glob("*.note"))
        if not notes:
            return None
        try:
            return verify_past(read_small(notes[-1]), self.public)
        except RosterRefused as error:
            raise RootUnusable(f"{notes[-1]}: {error}") from None

    def sign(self, draft: RosterDraft) -> Roster:
        """Sign a roster and keep a copy of it.

        Raises ForkRefused unless it follows the last one signed, and RosterRefused.
        """
        last = self.last_signed()
        if last is not None and (draft.epoch, draft.previous) != (last.epoch + 1, last.hash):
            raise ForkRefused(
                f"this root signed epoch {last.epoch} last, and the new roster does not follow it"
            )
        roster = sign_roster(draft, self.private)
        kept = self.folder / "rosters"
        kept.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        # Named by nine digits: the highest epoch there can be, and sorted as text.
        write_new(kept / f"{roster.epoch:09d}.note", roster.note, PUBLIC)
        return roster


def create_root(folder: Path, passphrase: str, *, rehearsal: bool, cost: KeyFileCost) -> Root:
    """Make a new root in a folder, which may not hold one.  Raises FileUnusable."""
    private = SigningPrivateKey.generate()
    root = Root(folder, rehearsal, private)
    name = _REHEARSAL if rehearsal else _REAL
    sealed = seal_keyfile({name: private.seed}, passphrase, cost=cost)
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable(f"{folder}: cannot be made ({error.strerror})") from None
    write_new(folder / "root.key", sealed, PRIVATE)
    write_new(folder / "root.pub", root.public.to_text().encode(), PUBLIC)
    return root


def open_root(folder: Path, passphrase: str) -> Root:
    """Open the root of a folder.  Raises RootUnusable, FileUnusable."""
    untrusted = read_small(folder / "root.key")
    try:
        secrets = open_keyfile(untrusted, passphrase)
    except KeyFileRefused as error:
        raise RootUnusable(f"{folder / 'root.key'}: {error}") from None
    for name, rehearsal in ((_REAL, False), (_REHEARSAL, True)):
        if secrets.keys() == {name}:
            return Root(folder, rehearsal, SigningPrivateKey.from_seed(secrets[name]))
    raise RootUnusable(f"{folder / 'root.key'}: a key file, but not a root's")


def read_root_public(path: Path) -> RootPublicKey:
    """Read a `root.pub`.  Raises RosterRefused, FileUnusable."""
    return RootPublicKey.from_text(read_small(path).decode(errors="replace"))


def verify_past(untrusted_note: bytes, public: RootPublicKey) -> Roster:
    """Verify a roster that may have expired, as of its own first day.  Raises RosterRefused."""
    return verify_roster(untrusted_note, public, read_unverified(untrusted_note).not_before, None)
