"""Pages of few sizes: how long an answer is must not tell what it says.  Claim C-ALIKE."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response

PADDED_BYTES = (32 * 1024, 128 * 1024, 512 * 1024)


def padded(answer: Response) -> Response:
    """Bring a page to one of few sizes with blank lines behind its end."""
    body = answer.get_data()
    largest = PADDED_BYTES[-1]
    whole = -(-len(body) // largest) * largest
    size = next((one for one in PADDED_BYTES if len(body) <= one), whole)
    answer.set_data(body + b"\n" * (size - len(body)))
    return answer
