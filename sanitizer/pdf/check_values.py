"""Read the objects of a finished PDF back, by a grammar much narrower than PDF's.

Rule: shares no code with the writer. One space between two values at most, no line's end inside
one, strings in small hexadecimal digits, references to generation 0; every byte of the file
belongs to an object, the table or the trailer, in that order.
"""

import re
from dataclasses import dataclass

from sanitizer.errors import MetadataSurvived

_HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_VALUE = re.compile(
    rb"(<<|>>|\[|\])"
    rb"|(/(?:[A-Za-z0-9!\"$&'*+,.:;=?@\\^_`|~-]|#[0-9a-f]{2})*)"
    rb"|([1-9][0-9]*) 0 R"
    rb"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]{0,7}[1-9])?)"
    rb"|<((?:[0-9a-f]{2})*)>(?!>)"
    rb"|(true|false|null)"
)
_MARK, _NAME, _REF, _NUMBER, _STRING, _WORD = range(1, 7)
_WORDS = {b"true": True, b"false": False, b"null": None}
_TAIL = re.compile(
    rb"xref\n0 ([0-9]+)\n((?:[0-9]{10} [0-9]{5} [nf] \n)*)"
    rb"trailer\n<</Root ([0-9]+) 0 R /Size ([0-9]+)>>\nstartxref\n([0-9]+)\n%%EOF\n"
)
_DEEPEST = 64


class Name(str):
    """A name, its escapes still in it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an object, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Held:
    """One object: its value and, for a stream, its bytes."""

    value: object
    data: bytes | None


def parsed(text: bytes) -> object:
    """Return one value; raises MetadataSurvived unless it is all of ``text``."""
    open_: list[tuple[bytes, list[object]]] = [(b"", [])]
    at = 0
    while at < len(text):
        found = _VALUE.match(text, at)
        if found is None or len(open_) > _DEEPEST:
            raise MetadataSurvived("an object of the result is out of grammar")
        at = found.end()
        _take(found, open_)
        # One blank may stand between values, never after an opening or at an end.
        if text[at : at + 1] == b" " and found[0] not in {b"<<", b"["}:
            at += 1
            if at == len(text) or text[at : at + 1] in {b" ", b">", b"]"}:
                raise MetadataSurvived("blanks in an object of the result")
    if len(open_) != 1 or len(open_[0][1]) != 1:
        raise MetadataSurvived("an object of the result is out of grammar")
    return open_[0][1][0]


def _take(found: re.Match[bytes], open_: list[tuple[bytes, list[object]]]) -> None:
    kind, token = found.lastindex, found[0]
    if kind == _MARK and token in {b"<<", b"["}:
        open_.append((token, []))
        return
    if kind == _MARK:
        opened, inner = open_.pop()
        if opened != {b">>": b"<<", b"]": b"["}[token] or not open_:
            raise MetadataSurvived("an object of the result is out of grammar")
        open_[-1][1].append(inner if token == b"]" else _dictionary(inner))
        return
    value: object
    if kind == _NAME:
        value = Name(found[_NAME][1:].decode())
    elif kind == _REF:
        value = Ref(int(found[_REF]))
    elif kind == _NUMBER:
        value = float(token) if b"." in token else int(token)
    elif kind == _STRING:
        value = bytes.fromhex(found[_STRING].decode())
    else:
        value = _WORDS[token]
    open_[-1][1].append(value)


def _dictionary(inner: list[object]) -> dict[str, object]:
    keys = inner[::2]
    if len(inner) % 2 or not all(isinstance(key, Name) for key in keys):
        raise MetadataSurvived("a dictionary of the result is out of grammar")
    made = {str(key): value for key, value in zip(keys, inner[1::2], strict=True)}
    if len(made) != len(keys):
        raise MetadataSurvived("a dictionary of the result says a thing twice")
    return made


def objects(data: bytes) -> tuple[dict[int, Held], int]:
    """Return every object by its number, and the number of the root."""
    if not data.startswith(_HEAD):
        raise MetadataSurvived("the result does not begin like our PDF")
    found: dict[int, Held] = {}
    places: list[int] = []
    at = len(_HEAD)
    while not data.startswith(b"xref\n", at):
        number = len(found) + 1
        places.append(at)
        found[number], at = _object(data, at, b"%d 0 obj\n" % number)
    tail = _TAIL.fullmatch(data, at)
    if tail is None:
        raise MetadataSurvived("bytes around the table of the result")
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(found) + 1
    if tail[2] != table or not int(tail[1]) == int(tail[4]) == size or int(tail[5]) != at:
        raise MetadataSurvived("the table of the result is wrong")
    return found, int(tail[3])


def _object(data: bytes, at: int, head: bytes) -> tuple[Held, int]:
    if not data.startswith(head, at):
        raise MetadataSurvived("bytes between the objects of the result")
    begin = at + len(head)
    end = data.find(b"\n", begin)
    value = parsed(data[begin : max(end, begin)])
    body = None
    if data.startswith(b"\nstream\n", end):
        length = value.get("Length") if isinstance(value, dict) else None
        if not isinstance(length, int):
            raise MetadataSurvived("a stream of the result has no length")
        begin = end + len(b"\nstream\n")
        body = data[begin : begin + length]
        end = begin + length
        if not data.startswith(b"\nendstream", end):
            raise MetadataSurvived("a stream of the result has a wrong length")
        end += len(b"\nendstream")
    if not data.startswith(b"\nendobj\n", end):
        raise MetadataSurvived("bytes behind an object of the result")
    return Held(value, body), end + len(b"\nendobj\n")
