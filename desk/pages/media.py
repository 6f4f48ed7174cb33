"""Bytes as an HTTP answer: a file to be kept as it is, decrypted on the way, or a rebuilt preview.

Rule: of a file's own bytes nothing is shown in a browser: they go out as a download of unknown
type.  A file is proven whole (length, SHA-256) before its first byte goes, and goes in pieces that
are opened where they lie, so that a seek to its end costs what one to its beginning costs, and
memory stays flat.  What is shown was made here (desk.sight).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from desk.evidence import EvidenceFile
    from desk.sight.shown import Shown

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
# Nothing in it is a page of ours, whatever a browser makes of it.
_POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes that were asked for, both ends included."""

    first: int
    last: int


class RangeImpossible(Exception):  # becomes 416 at once
    """The piece asked for begins beyond the end."""


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


def download(file: EvidenceFile, untrusted_range: str | None) -> Response:
    """A file's own bytes, or a piece of them, to be kept and not to be shown.

    Raises:
        EvidenceUnsound: it is not what its manifest says.
    """
    # Here, and not with the first piece: by then the answer would have begun.
    file.prove()
    response = _answer(
        file.piece, file.manifest.length, "application/octet-stream", untrusted_range
    )
    response.headers["Content-Disposition"] = "attachment; filename=evidence.bin"
    return response


def preview(shown: Shown, untrusted_range: str | None) -> Response:
    """What was made to be looked at, or a piece of it."""
    return _answer(
        lambda first, last: [shown.content[first : last + 1]],
        len(shown.content), shown.media_type, untrusted_range,
    )  # fmt: skip


def _answer(
    piece_of: Callable[[int, int], Iterable[bytes]], length: int, mimetype: str,
    untrusted_range: str | None,
) -> Response:  # fmt: skip
    try:
        piece = parse_range(untrusted_range, length)
    except RangeImpossible:
        return Response(status=416, headers={"Content-Range": f"bytes */{length}"})
    wanted = piece or Piece(0, length - 1)
    response = Response(
        piece_of(wanted.first, wanted.last), status=206 if piece else 200, mimetype=mimetype
    )
    response.content_length = wanted.last - wanted.first + 1
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Security-Policy"] = _POLICY
    if piece:
        response.headers["Content-Range"] = f"bytes {piece.first}-{piece.last}/{length}"
    return response
