"""What can happen to an envelope on its way to, or from, the shelf.

One root, never raised itself.  A leaf says what happened and carries nothing of a reporter.
"""


class VaultError(Exception):
    """Root of this room's errors."""


class AlreadyAccepted(VaultError):
    """The case (or its locator) is on the shelf already; nothing was stored a second time."""


class UnknownCase(VaultError):
    """No case of that id."""


class UnknownPart(VaultError):
    """No released envelope of that id has a part of that number."""


class EnvelopeMismatch(VaultError):
    """The outside of an envelope does not fit: case, day, number of parts, sizes or digest."""


class EnvelopeConflict(VaultError):
    """Another envelope of the same id, with other bytes, is on the shelf."""


class StagedMissing(VaultError):
    """A staged envelope that was to be released is not there (dropped, expired, or released)."""


class ThreadMoved(VaultError):
    """The thread's state is no longer the one that was read: read again and retry."""


class Replayed(VaultError):
    """This (key, nonce) pair was seen before."""


class RosterBehind(VaultError):
    """A roster of a higher epoch was seen before."""


class RosterForked(VaultError):
    """Another roster of the same epoch was seen before."""


class BlobIncomplete(VaultError):
    """A blob could not be written whole, or is shorter than what was acknowledged."""


class UnsupportedStore(VaultError):
    """A database or a blob store of a kind that this version does not know."""


class ShelfUnavailable(VaultError):
    """The database does not answer: locked for too long, damaged, or its disk is full."""


class NotMigrated(VaultError):
    """The database lacks the tables of this version: run the migration first."""
