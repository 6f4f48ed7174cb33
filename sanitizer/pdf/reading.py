"""Values out of an untrusted PDF, one kind at a time.

Rule: a value of another kind than is asked for is no value. pikepdf parses; here is the only
place that knows how it shows what it has parsed.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import cast

import pikepdf

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pdf.model import Name, Number, Value, number

_ESCAPED = re.compile(rb"#([0-9a-fA-F]{2})")
Source = pikepdf.Object
"""An untrusted array, dictionary, stream, name or string."""
_MOST_ITEMS = 200_000


def value_of(holder: Source, key: str) -> object:
    """Return what a dictionary or a stream's dictionary says of a key, or None."""
    return holder.get("/" + key)


def dictionary(untrusted: object) -> Source | None:
    """Return a dictionary (also that of a stream) or None."""
    return untrusted if isinstance(untrusted, (pikepdf.Dictionary, pikepdf.Stream)) else None


def stream(untrusted: object) -> pikepdf.Stream | None:
    """Return a stream or None."""
    return untrusted if isinstance(untrusted, pikepdf.Stream) else None


def name(untrusted: object) -> Name | None:
    """Return a name without its slash, or None."""
    if isinstance(untrusted, pikepdf.Name):
        # Not as a Python string: names in old encodings are not UTF-8.
        return Name(
            _ESCAPED.sub(
                lambda sign: bytes([int(sign[1], 16)]), untrusted.unparse(resolved=True)[1:]
            )
        )
    return None


def string(untrusted: object) -> bytes:
    """Return a string's bytes, none for anything else."""
    return bytes(untrusted) if isinstance(untrusted, pikepdf.String) else b""


def items(untrusted: object) -> list[object]:
    """Return the values of an array, none for anything else; raises TooComplex."""
    if not isinstance(untrusted, pikepdf.Array):
        return []
    if len(untrusted) > _MOST_ITEMS:
        raise TooComplex("too long an array")
    return list(untrusted)


def is_number(untrusted: object) -> bool:
    """Tell whether a value is a number, and not a truth."""
    return isinstance(untrusted, (int, float, Decimal)) and not isinstance(untrusted, bool)


def real(untrusted: object) -> Number | None:
    """Return a number as it is written, or None."""
    if is_number(untrusted):
        return number(untrusted)  # type: ignore[arg-type]
    return None


def whole(untrusted: object, least: int, most: int) -> int | None:
    """Return a whole number within bounds, or None."""
    if not is_number(untrusted):
        return None
    exact = int(untrusted)  # type: ignore[call-overload]
    return exact if least <= exact <= most else None


def truth(untrusted: object) -> bool | None:
    """Return true, false or None."""
    return untrusted if isinstance(untrusted, bool) else None


def numbers(untrusted: object, least: int, most: int) -> list[Value] | None:
    """Return an array of numbers and nothing else, of a length within bounds, or None."""
    found = items(untrusted)
    made = [real(each) for each in found[:most]]
    if len(made) < least or None in made:
        return None
    return list(made)


def floats(untrusted: object, count: int) -> list[float] | None:
    """Return ``count`` numbers to reckon with, or None."""
    found = numbers(untrusted, count, count)
    return None if found is None else [float(each) for each in found]  # type: ignore[arg-type]


def entries(untrusted: object) -> Iterator[tuple[bytes, object]]:
    """Yield the keys and values of a dictionary; nothing for anything else."""
    if isinstance(untrusted, pikepdf.Dictionary):
        keys = list(untrusted.keys())
        if len(keys) > _MOST_ITEMS:
            raise TooComplex("too long a dictionary")
        for key in sorted(key.encode("utf-8", "surrogateescape")[1:] for key in keys):
            escaped = b"".join(b"#%02x" % byte for byte in key)
            # A name, and not a Python string: see above.
            yield key, untrusted.get(cast("pikepdf.Name", pikepdf.Object.parse(b"/" + escaped)))


def identity(untrusted: Source) -> tuple[int, int] | None:
    """Return what tells an indirect object from others, or None for a direct one."""
    found = untrusted.objgen
    return None if found == (0, 0) else found


def required(value: Value) -> Value:
    """Return a value that must be there; raises Malformed."""
    if value is None:
        raise Malformed("a part of the document is missing")
    return value
