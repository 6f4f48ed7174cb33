"""A file of a case as an HTTP answer, decrypted on the way and never laid down.

Rule: a picture is proven whole (length, SHA-256) before its first byte is sent; sound
and video are sent in authenticated pieces, opened where they lie, so that a seek to the end of
a long film costs what one to its beginning costs, and memory stays flat.
Only what a browser shows as a picture, a sound or a film is shown; the rest is offered
as a download of unknown type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from crypto.manifest import EvidenceManifest
    from desk.evidence import EvidenceFile

_MiB = 1024 * 1024
PICTURE_MOST = 256 * _MiB
"""Bytes of a picture at most: it is held in memory once, to be proven before it is shown."""

PICTURES = {"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/bmp"}
FILMS = {"video/mp4", "video/quicktime", "video/webm", "video/x-matroska"}
SOUNDS = {
    "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/flac", "audio/aac",
}  # fmt: skip
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes that were asked for, both ends included."""

    first: int
    last: int


class RangeImpossible(Exception):  # becomes 416 at once
    """The piece asked for begins beyond the end."""


def kind_of(media_type: str) -> str:
    """`picture`, `film`, `sound` or `other`."""
    if media_type in PICTURES:
        return "picture"
    if media_type in FILMS:
        return "film"
    return "sound" if media_type in SOUNDS else "other"


def shown_as(manifest: EvidenceManifest) -> str:
    """`picture`, `film`, `sound` or `other`: an original that nobody cleaned is never shown."""
    return "other" if manifest.original_of is not None else kind_of(manifest.media_type)


def parse_range(untrusted: str | None, length: int) -> Piece | None:
    """What a Range header asks of `length` bytes; None where it asks for all, or is not one.

    Raises:
        RangeImpossible: it begins beyond the end.
    """
    found = _RANGE.fullmatch((untrusted or "").strip())
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        piece = Piece(max(0, length - int(last)), length - 1)
    else:
        piece = Piece(int(first), min(int(last), length - 1) if last else length - 1)
        if last and int(last) < int(first):
            return None
    if piece.first >= length:
        raise RangeImpossible
    return piece


def answer(file: EvidenceFile, untrusted_range: str | None) -> Response:
    """The file, or the piece of it that was asked for.

    Raises:
        EvidenceUnsound: a picture is not what its manifest says.
    """
    kind, length = shown_as(file.manifest), file.manifest.length
    if kind == "picture" and length <= PICTURE_MOST:
        return Response(b"".join(file.whole()), mimetype=file.manifest.media_type)
    mimetype = "application/octet-stream" if kind == "other" else file.manifest.media_type
    try:
        piece = parse_range(untrusted_range, length)
    except RangeImpossible:
        return Response(status=416, headers={"Content-Range": f"bytes */{length}"})
    shown = piece or Piece(0, length - 1)
    response = Response(
        file.piece(shown.first, shown.last), status=206 if piece else 200, mimetype=mimetype
    )
    response.content_length = shown.last - shown.first + 1
    response.headers["Accept-Ranges"] = "bytes"
    if piece:
        response.headers["Content-Range"] = f"bytes {piece.first}-{piece.last}/{length}"
    if kind == "other":
        response.headers["Content-Disposition"] = "attachment; filename=evidence.bin"
    return response
