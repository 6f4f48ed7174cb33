"""What runs from left to right keeps its order between words that run from right to left.

Every value that a page fills in is wrapped on its own; in a text that somebody wrote, so is every
number, address and account number.  tests/gateway/site/test_bidi.py measures it, glyph by glyph.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

# All of these look at each character a bounded number of times, whatever the text.
# Digits in groups, as in a telephone number; not inside an address or a word in Latin letters.
_DIGITS = r"\d+(?![A-Za-z\d])"
_NUMBER = re.compile(
    rf"((?<![A-Za-z\d+])(?<![!-~][/_=.@#&%:-])\+?{_DIGITS}(?:(?: - |[ !-/:-@٫٬]){_DIGITS})*)"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2}[0-9]{2}(?: [A-Z0-9]{1,4}){2,8})(?![A-Za-z0-9])")
# An address, a file's name, a reference: Latin letters with signs or digits among them.
_TOKEN = re.compile(r"[!-~]+")
_LETTER = re.compile(r"[A-Za-z]")
_SIGN = re.compile(r"[0-9./:@_=&?%#+-]")
# What stands around it and belongs to the sentence.
_AROUND = ".,;:!?()[]{}<>\"'*"


def isolated(value: object) -> Markup:
    """Wrap a value so that its direction and its neighbours' do not mix."""
    text = str(value)
    if text.isascii():
        return Markup('<bdi dir="ltr">{}</bdi>').format(text)
    return Markup("<bdi>{}</bdi>").format(text)


def prose(untrusted: str) -> Markup:
    """Escape a text that somebody wrote, and keep the order of each number and address in it."""
    runs: list[tuple[list[str], bool]] = []
    for text, latin in _runs(untrusted):
        # Two that follow each other are one: apart, the second would stand left of the first.
        if latin and len(runs) > 1 and runs[-1] == ([" "], False) and runs[-2][1]:
            runs.pop()
            runs[-1][0].extend((" ", text))
        elif text:
            runs.append(([text], latin))
    return Markup("").join(
        Markup('<bdi dir="ltr">{}</bdi>').format("".join(parts)) if latin else escape(parts[0])
        for parts, latin in runs
    )


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a text into pieces, and say of each whether it runs from left to right by itself."""
    for index, piece in enumerate(_IBAN.split(text)):
        if index % 2:
            yield piece, True
        else:
            yield from _addresses(piece)


def _addresses(text: str) -> Iterator[tuple[str, bool]]:
    done = 0
    for token in _TOKEN.finditer(text):
        core = token[0].strip(_AROUND)
        if _LETTER.search(core) and _SIGN.search(core):
            begin = token.end() - len(token[0].lstrip(_AROUND))
            yield from _numbers(text[done:begin])
            yield core, True
            done = begin + len(core)
    yield from _numbers(text[done:])


def _numbers(text: str) -> Iterator[tuple[str, bool]]:
    for index, piece in enumerate(_NUMBER.split(text)):
        yield piece, index % 2 == 1
