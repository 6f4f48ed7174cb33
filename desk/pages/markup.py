"""A stranger's text as HTML: plain, escaped, and its numbers and links kept from turning round.

Rule: between right-to-left letters `+212 6 12 34` would be drawn group by group from the right;
each such run and each link therefore stands in a `<bdi dir="ltr">` of its own.  What comes out
is markup, which no later filter looks into: control and direction characters go here.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from desk import words

UNKEPT = Markup('<input type="password" value="1" autocomplete="off" hidden disabled>')
"""Stands in every form that posts.

Chromium writes what a form has sent into its session files, on the disk, to open its windows again;
but not of a form that holds a password.  This one has no name and is never sent.  Claim C-UNKEPT.
"""
_ISOLATE = Markup('<bdi dir="ltr">{}</bdi>')
# Linear: a scheme has a bound, and a run of digits is entered at its first digit only.
_LEFT_TO_RIGHT = re.compile(
    r"\b(?:[a-z][a-z0-9+.-]{0,15}://|www\[?\.)\S+"
    r"|(?<![A-Za-z\d_])[+\d][\d ./:\u00a0\u202f-]+\d",
    re.IGNORECASE,
)


def isolated(text: str) -> Markup:
    """The text, plain and escaped, with every phone number, date, amount and link isolated."""
    plain = words.plain(text)
    pieces: list[str] = []
    last = 0
    for found in _LEFT_TO_RIGHT.finditer(plain):
        pieces += [plain[last : found.start()], _ISOLATE.format(found[0])]
        last = found.end()
    # `join` escapes what is not markup already.
    return Markup("").join([*pieces, plain[last:]])
