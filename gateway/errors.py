"""What can keep the gateway from doing its work.

One root, never raised itself.  No message carries an address, a code or a word of a reporter.
"""


class GatewayError(Exception):
    """Root of this room's errors."""


class ConfigRefused(GatewayError):
    """A setting is missing, malformed or out of range; the message names the variable."""


class FormRefused(GatewayError):
    """The form's data or the help lines do not fit; the message names the file and the line."""


class NoValidRoster(GatewayError):
    """There is no roster to seal to: expired, rolled back, malformed or missing.  Answer 503."""


class Busy(GatewayError):
    """Too many codes are being stretched at once: give a turn, and lose nothing."""


class SecretsRefused(GatewayError):
    """A secret file is missing, of the wrong size, or readable by others."""


class AlreadyInitialised(GatewayError):
    """The home holds a gateway already, of the ``same`` root or of another; nothing was changed."""

    def __init__(self, message: str, *, same: bool) -> None:
        super().__init__(message)
        self.same = same
