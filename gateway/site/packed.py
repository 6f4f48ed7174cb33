"""A long answer waits packed for its reader.  Claim C-MEMORY.

What somebody typed is shown again, escaped, five times as long at worst; and whoever reads it a
byte at a time keeps it in memory until the last one.  So a long page is kept compressed, and
unpacked piece by piece as it is read.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Response

LONG_BYTES = 128 * 1024
"""A page that is longer is packed; hardly any is."""
_PIECE_BYTES = 64 * 1024
_FASTEST = 1


def packed(answer: Response) -> Response:
    """Let a long answer be kept packed; to whoever reads it, it is the same."""
    body = answer.get_data()
    if len(body) > LONG_BYTES:
        answer.response = _unpacked(zlib.compress(body, _FASTEST))
        answer.headers["Content-Length"] = str(len(body))
    return answer


def _unpacked(body: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    piece = unpacker.decompress(body, _PIECE_BYTES)
    del body
    while piece:
        yield piece
        piece = unpacker.decompress(unpacker.unconsumed_tail, _PIECE_BYTES)
