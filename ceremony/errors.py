"""What can go wrong at a ceremony, one name each, said to the keyholder as it stands.

`CeremonyError` is never raised itself.
"""


class CeremonyError(Exception):
    """The root of this room's errors; the command line prints it and exits with 3."""


class FileUnusable(CeremonyError):
    """A file cannot be read, is too large, or stands already where a new one was to be written."""


class RootUnusable(CeremonyError):
    """The folder holds no root, or one that does not open."""


class PassphraseRefused(CeremonyError):
    """A passphrase is empty, too short, or not text."""


class MembersRefused(CeremonyError):
    """The enrolment files do not make a roster."""


class ForkRefused(CeremonyError):
    """The roster would not follow the last one that this root signed."""
