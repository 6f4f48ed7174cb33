"""What can go wrong with a file that somebody handed in.

Rule: one root per room, never raised itself; a leaf says what happened, names its reason by a
stable code that the site translates, and carries nothing that stood in the file.
"""

from typing import ClassVar


class SanitizerError(Exception):
    """Root of this room's errors."""


class Refused(SanitizerError):
    """The file was not cleaned and nothing of it may be passed on.

    ``reason`` is one of ``unsupported malformed encrypted too_large image_too_large
    too_many_pixels too_complex empty unavailable``; ``detail`` is a short English phrase of ours,
    for logs of nobody and for ``amana-sanitize``: it never quotes the file.
    """

    reason: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.reason)
        self.detail = detail


class Unsupported(Refused):
    """A format, or a feature of a format, that cannot be cleaned here."""

    reason = "unsupported"


class Malformed(Refused):
    """The bytes are not a whole and well-formed file of the format they claim."""

    reason = "malformed"


class Encrypted(Refused):
    """The file is locked: nobody can look inside and so nobody can clean it."""

    reason = "encrypted"


class TooLarge(Refused):
    """More bytes or seconds than the limits allow."""

    reason = "too_large"


class ImageTooLarge(TooLarge):
    """More bytes than an image may have, though a video may."""

    reason = "image_too_large"


class TooManyPixels(TooLarge):
    """An image that says it is wider, higher or larger in all than the limits allow."""

    reason = "too_many_pixels"


class TooComplex(Refused):
    """More parts, deeper nesting or more work than the limits allow."""

    reason = "too_complex"


class Empty(Refused):
    """There is nothing in it: no bytes, or no picture."""

    reason = "empty"


class MetadataSurvived(Refused):
    """The independent reader found in the result what the writer should have removed."""

    reason = "unsupported"


class JailUnavailable(Refused):
    """This machine cannot contain ffmpeg, and ffmpeg is not run uncontained."""

    reason = "unavailable"


class AlreadyRead(SanitizerError):
    """``CleanFile.chunks`` was called twice; a file streams through once."""


class NotRead(SanitizerError):
    """Something was asked of a stream that is known only after its last chunk."""
