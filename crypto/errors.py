"""What can go wrong in this room, one name each.

Rule: `CryptoError` is never raised itself.  A leaf says what happened, holds nothing of what a
reporter wrote, and does not say *why* a cryptographic check failed: whoever tries forgeries
learns from the answer only that they failed.
"""


class CryptoError(Exception):
    """The root of this room's errors; catch it at a boundary, never raise it."""


class CannotOpen(CryptoError):
    """Something sealed did not open: wrong key, truncated, reordered, altered or ill padded."""


class EnvelopeMalformed(CryptoError):
    """Bytes that claim to be an envelope's outside are not laid out as FORMAT.md says."""


class ManifestMalformed(CryptoError):
    """A manifest is not what FORMAT.md says: an unknown field, a wrong type, a wrong version."""


class ManifestTooLarge(CryptoError):
    """A manifest would not fit the size that its kind allows."""


class SealingOutOfOrder(CryptoError):
    """A sealer was asked for a step that its order forbids.  A retry is a new envelope."""


class SuiteUnavailable(CryptoError):
    """The envelope or the roster asks for a suite that this installation cannot do."""


class KeyRefused(CryptoError):
    """Bytes are no acceptable key: wrong length, not canonical, or a point of low order."""


class RecipientsRefused(CryptoError):
    """No recipients, a recipient twice, recipients of the wrong role, an impossible quorum."""


class NotARecipient(CryptoError):
    """No wrap of this envelope bears the key's id."""


class SharesInsufficient(CryptoError):
    """No subset of the custodians is complete among the shares at hand."""


class LetterMalformed(CryptoError):
    """Bytes or text that claim to be a letter between desks are not laid out as FORMAT.md says."""


class PackageUnsound(CryptoError):
    """A package does not open, and these of its bytes are not those that were sealed.

    Attributes:
        start: the first byte of the stretch, counted from 0.
        stop: the first byte behind it.
    """

    def __init__(self, start: int, stop: int) -> None:
        super().__init__(f"bytes {start} to {stop - 1} of the package are not as they were sealed")
        self.start = start
        self.stop = stop


class SignatureInvalid(CryptoError):
    """A signature does not hold over what it is said to be over."""


class RosterRefused(CryptoError):
    """A roster is forged, rolled back, expired, forked, incomplete or not understood."""


class EnrolmentRefused(CryptoError):
    """An enrolment file is not what FORMAT.md says, or holds a key that is no safe key."""


class CodeMalformed(CryptoError):
    """What was typed is not a receipt code: its length, a character or its check digits."""


class KeyFileRefused(CryptoError):
    """A key file did not open: wrong passphrase, altered, or not a key file."""


class TokenInvalid(CryptoError):
    """A form token is not ours, was altered, or was made for another purpose."""


class TransportRefused(CryptoError):
    """A request's signature is missing, wrong, outdated or covers too little."""


class BulletinMalformed(CryptoError):
    """A public bulletin's statement is not of the one form and spelling that it has."""
