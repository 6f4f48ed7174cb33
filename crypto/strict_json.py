"""JSON that can be read in one way only.  Format: crypto/FORMAT.md, section 8.

Rule: every field of an object is taken once and none is left over; a name twice, a number that is
none, text that UTF-8 cannot hold and bytes after the end are refused.  So is what is too large or
too deep for any honest form: whoever shows a manifest need not be ready for one without end.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Self, TypeVar

from crypto.errors import CryptoError, ManifestMalformed

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

VERSION = 1
NUMBER_MOST = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exact."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLimits:
    """What a manifest may hold at most, for readers and writers; FORMAT.md, section 8.

    `text`, `word` and `name` are characters (of a text, of a text that is an id or a name, of a
    field's name), `items` those of one list or object, `depth` counts the manifest itself.
    """

    manifest_bytes: int = 4 * 1024 * 1024
    text: int = 200_000
    word: int = 256
    name: int = 256
    items: int = 4096
    depth: int = 8


LIMITS = JsonLimits()


class Fields:
    """The fields of an untrusted JSON object, each to be taken once and none to be left over.

    A context: leaving it raises `ManifestMalformed` if a field was not taken.
    """

    def __init__(self, untrusted: Json) -> None:
        if not isinstance(untrusted, dict):
            raise ManifestMalformed("not an object")
        self._left: dict[str, Any] = dict(untrusted)

    @classmethod
    def of_manifest(cls, untrusted: bytes) -> Self:
        """Parse a whole manifest: an object whose `v` is 1; raises `ManifestMalformed`."""
        fields = cls(_load(untrusted))
        if fields.number("v") != VERSION:
            raise ManifestMalformed("another version")
        return fields

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None and self._left:
            raise ManifestMalformed("an unknown field")

    def text(self, name: str) -> str:
        """Take a text."""
        return self._taken(name, str)

    def word(self, name: str) -> str:
        """Take a text that is an id or a name, and so is short."""
        return short(self.text(name))

    def number(self, name: str) -> int:
        """Take a whole number from 0 to 2^53 - 1."""
        value = self._taken(name, int)
        if isinstance(value, bool) or not 0 <= value <= NUMBER_MOST:
            raise ManifestMalformed("not a count")
        return value

    def has(self, name: str) -> bool:
        """Whether a field is there that may be left out."""
        return name in self._left

    def flag(self, name: str) -> bool:
        """Take true or false."""
        return self._taken(name, bool)

    def mapping(self, name: str) -> dict[str, Json]:
        """Take an object whose fields are the caller's to judge."""
        return self._taken(name, dict)

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of texts."""
        values = self._taken(name, list)
        if not all(isinstance(value, str) for value in values):
            raise ManifestMalformed("not a list of texts")
        return tuple(values)

    def words(self, name: str) -> tuple[str, ...]:
        """Take a list of texts that are ids, and so are short."""
        return tuple(short(value) for value in self.texts(name))

    def hexed(self, name: str, parse: Callable[[bytes], _T]) -> _T:
        """Take lower-case hexadecimal, and return what `parse` makes of its bytes."""
        return _unhex(self.text(name), parse)

    def all_hexed(self, name: str, parse: Callable[[bytes], _T]) -> tuple[_T, ...]:
        """Take a list of lower-case hexadecimal, each parsed."""
        return tuple(_unhex(value, parse) for value in self.texts(name))

    def objects(self, name: str) -> tuple["Fields", ...]:
        """Take a list of objects, each to be taken apart in turn."""
        return tuple(Fields(value) for value in self._taken(name, list))

    def object(self, name: str) -> "Fields":
        """Take an object, to be taken apart in turn."""
        return Fields(self._taken(name, dict))

    def _taken(self, name: str, of: type[_T]) -> _T:
        value = self._left.pop(name, None)
        if not isinstance(value, of):
            raise ManifestMalformed("a field is missing or of another type")
        return value


def short(text: str) -> str:
    """Return a text that is an id or a name; raises `ManifestMalformed` if it is too long."""
    if len(text) > LIMITS.word:
        raise ManifestMalformed("a name or an id that is too long")
    return text


def dump(**fields: Json) -> bytes:
    """Return a manifest's JSON, UTF-8, `v` included; raises `ManifestMalformed` if there is none.

    Keys are sorted and no space is added, so equal manifests are equal bytes; readers need not
    insist on that.
    """
    whole: Json = {"v": VERSION, **fields}
    _measure(whole)
    try:
        text = json.dumps(
            whole, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        )
        written = text.encode()
    except (ValueError, TypeError):
        # `from None`: the error would quote what the reporter wrote.
        raise ManifestMalformed("cannot be written as JSON") from None
    if len(written) > LIMITS.manifest_bytes:
        raise ManifestMalformed("larger than any manifest")
    return written


def _load(untrusted: bytes) -> Json:
    if len(untrusted) > LIMITS.manifest_bytes:
        raise ManifestMalformed("larger than any manifest")
    try:
        loaded: Json = json.loads(
            untrusted.decode(), object_pairs_hook=_distinct, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        raise ManifestMalformed("not JSON") from None
    _measure(loaded)
    try:
        # An escaped half of a surrogate pair parses, and would fail where it is first written.
        json.dumps(loaded, ensure_ascii=False).encode()
    except ValueError:
        raise ManifestMalformed("not JSON") from None
    return loaded


def _measure(whole: Json) -> None:
    """Hold every value against `LIMITS`, one level after the other: never by recursion."""
    level: list[Json] = [whole]
    for _ in range(LIMITS.depth):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    # What is left stands below the deepest level, and only what holds nothing may.
    if any(isinstance(value, Mapping | list | tuple) for value in level):
        raise ManifestMalformed("nested too deeply")
    for value in level:
        _inside(value)


def _inside(value: Json) -> Sequence[Json]:
    """Return what a list or an object holds; raises `ManifestMalformed` beyond a limit."""
    if isinstance(value, str):
        if len(value) > LIMITS.text:
            raise ManifestMalformed("a text that is too long")
    elif isinstance(value, Mapping):
        if len(value) > LIMITS.items or any(len(name) > LIMITS.name for name in value):
            raise ManifestMalformed("too many fields, or a name that is too long")
        return tuple(value.values())
    elif isinstance(value, list | tuple):
        if len(value) > LIMITS.items:
            raise ManifestMalformed("too long a list")
        return value
    elif isinstance(value, int | float) and not -NUMBER_MOST <= value <= NUMBER_MOST:
        # NaN compares with nothing, so it is refused here; 1e999 is, for it reads as infinite.
        raise ManifestMalformed("a number that is none, or not exact")
    return ()


def _distinct(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Two fields of one name would be read differently by different readers."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _unhex(untrusted: str, parse: Callable[[bytes], _T]) -> _T:
    """Lower-case hexadecimal only, so that one value is written in one way."""
    try:
        raw = bytes.fromhex(untrusted)
        if raw.hex() != untrusted:
            raise ManifestMalformed("not lower-case hexadecimal")
        return parse(raw)
    except (ValueError, CryptoError):
        raise ManifestMalformed("not the key, id or hash it should be") from None
