"""The objects of the new file, and how they are written (ISO 32000-1, 7.3 and 7.5).

Rule: one spelling for everything. Objects stand in the order in which the pages name them, one
after the other without a byte between; one cross-reference table; a trailer of two keys. No
version but 1.7, no identifier, no comment but the one that marks the file as binary.
"""

import re
import zlib
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pieces import Piece

HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_REGULAR = re.compile(rb"[^!-~]|[()<>\[\]{}/%#]")
_PLACES = Decimal("0.00000001")
_LARGEST = Decimal(10) ** 30
_DEEPEST = 32
_BLOCK = 1 << 20
# Nothing else that we write looks like this: no string but digits, no blank in a name.
_REFERENCE = re.compile(rb"\b([0-9]+) 0 R\b")


class Name(bytes):
    """A name, without its slash."""

    __slots__ = ()


class Number(bytes):
    """A number in the only way that we spell it."""

    __slots__ = ()


class Text(bytes):
    """A string of bytes, written in hexadecimal digits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Ref:
    """An object of the new file, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes with a dictionary; ``entries`` hold no Length."""

    entries: "dict[bytes, Value]"
    data: bytes


Value = Name | Number | Text | Ref | bool | list["Value"] | dict[bytes, "Value"] | None


def number(value: float | Decimal | bytes) -> Number:
    """Return a number's spelling: no sign or zero too many, at most eight decimal places.

    Raises Malformed for what is no number that a page could hold.
    """
    if isinstance(value, int):
        return Number(b"%d" % value)
    try:
        exact = Decimal(value.decode() if isinstance(value, bytes) else value)
        if not exact.is_finite() or abs(exact) > _LARGEST:
            raise Malformed("a number beyond all bounds")
        rounded = exact.quantize(_PLACES) if exact % _PLACES else exact
    except (InvalidOperation, UnicodeDecodeError):
        raise Malformed("a number that is none") from None
    text = f"{rounded:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return Number(b"0" if text in {"-0", ""} else text.encode())


def spelled(name: bytes) -> bytes:
    """Return a name with its slash, other signs than letters escaped."""
    return b"/" + _REGULAR.sub(lambda sign: b"#%02x" % sign[0][0], name)


def written(value: Value, depth: int = 0) -> bytes:
    """Return the bytes of a value."""
    if depth > _DEEPEST:
        raise TooComplex("values nested too deeply")
    if isinstance(value, list):
        return b"[" + b" ".join(written(each, depth + 1) for each in value) + b"]"
    if isinstance(value, dict):
        pairs = (spelled(key) + b" " + written(each, depth + 1) for key, each in value.items())
        return b"<<" + b" ".join(pairs) + b">>"
    if isinstance(value, bytes):
        return _written_bytes(value)
    if isinstance(value, Ref):
        return b"%d 0 R" % value.number
    return {None: b"null", True: b"true", False: b"false"}[value]


def _written_bytes(value: Name | Number | Text) -> bytes:
    if isinstance(value, Name):
        return spelled(value)
    return bytes(value) if isinstance(value, Number) else b"<" + value.hex().encode() + b">"


def deflated(data: bytes) -> bytes:
    """Return compressed bytes that are the same each time."""
    return zlib.compress(data, 6)


class NewDocument:
    """The file that is made: reserve numbers, fill them, then take the pieces."""

    def __init__(self, most_objects: int) -> None:
        self._most = most_objects
        self._objects: list[bytes | tuple[bytes, bytes] | None] = []
        self.copies: dict[object, Ref] = {}
        """What has been copied already, by what the copiers call it."""

    def reserve(self) -> Ref:
        """Return the number of an object that will be filled later."""
        if len(self._objects) >= self._most:
            raise TooComplex("too many objects")
        self._objects.append(None)
        return Ref(len(self._objects))

    def fill(self, ref: Ref, content: Value | Stream) -> None:
        """Set what an object is."""
        if isinstance(content, Stream):
            entries = dict(sorted(content.entries.items()))
            entries[b"Length"] = number(len(content.data))
            head = written(entries) + b"\nstream\n"
            self._objects[ref.number - 1] = (head, content.data)
        else:
            self._objects[ref.number - 1] = written(
                dict(sorted(content.items())) if isinstance(content, dict) else content
            )

    def add(self, content: Value | Stream) -> Ref:
        """Return the number of a new object that is ``content``."""
        ref = self.reserve()
        self.fill(ref, content)
        return ref

    def add_packed(self, entries: dict[bytes, Value], data: bytes) -> Ref:
        """Return the number of a new stream that is compressed by us."""
        return self.add(packed(entries, data))

    def _reached(self, root: Ref) -> list[int]:
        """Return the numbers of what the root leads to, in order: a broken thing leaves crumbs."""
        seen, waiting = {root.number}, [root.number]
        while waiting:
            content = self._objects[waiting.pop() - 1]
            text = content[0] if isinstance(content, tuple) else content or b""
            named = {int(found) for found in _REFERENCE.findall(text)} - seen
            seen |= named
            waiting += named
        return sorted(seen)

    def pieces(self, root: Ref) -> list[Piece]:
        """Return the whole file: what the root leads to, numbered without a gap."""
        reached = self._reached(root)
        new = {old: b"%d 0 R" % number for number, old in enumerate(reached, 1)}

        def renumbered(text: bytes) -> bytes:
            return _REFERENCE.sub(lambda found: new[int(found[1])], text)

        made: list[Piece] = []
        block = bytearray(HEAD)
        at, places = len(HEAD), list[int]()
        for index, old in enumerate(reached, 1):
            content = self._objects[old - 1]
            places.append(at)
            head = content[0] if isinstance(content, tuple) else content or b"null"
            parts = (renumbered(head), *(content[1:] if isinstance(content, tuple) else ()))
            ending = b"\nendstream\nendobj\n" if len(parts) > 1 else b"\nendobj\n"
            whole = (b"%d 0 obj\n" % index, *parts, ending)
            at += sum(map(len, whole))
            for part in whole:
                block += part
            if len(block) > _BLOCK:
                made.append(bytes(block))
                block.clear()
        made.append(bytes(block))
        table = b"".join(b"%010d 00000 n \n" % place for place in places)
        size = len(places) + 1
        made.append(
            b"xref\n0 %d\n0000000000 65535 f \n" % size
            + table
            + b"trailer\n<</Root %d 0 R /Size %d>>\nstartxref\n%d\n%%%%EOF\n"
            % (reached.index(root.number) + 1, size, at)
        )
        return made


def packed(entries: dict[bytes, Value], data: bytes) -> Stream:
    """Return a stream whose data is compressed by us."""
    return Stream({**entries, b"Filter": Name(b"FlateDecode")}, deflated(data))
