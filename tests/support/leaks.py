"""Look for a planted word in every form that a file may hide it in.

A scan that finds nothing proves nothing until it has found a planted thing: tests/support has a
test of each way below.
"""

from __future__ import annotations

import base64
import re
import zlib

_DEPTH = 3
_MOST = 64 << 20
_ZLIB = re.compile(
    rb"[\x08\x18\x28\x38\x48\x58\x68\x78][\x01\x5e\x9c\xda\x20\x7d\xbb\xf9\x1d\x5b\x99\xd7]"
)
_ZIP = re.compile(rb"PK\x03\x04")
_GZIP = re.compile(rb"\x1f\x8b\x08")


def spellings(word: bytes) -> dict[str, bytes]:
    """Return the ways a word may be written in bytes, by name."""
    text = word.decode("ascii")
    ways = {
        "raw": word,
        "backwards": word[::-1],
        "hex": word.hex().encode(),
        "HEX": word.hex().upper().encode(),
        "utf-16-le": text.encode("utf-16-le"),
        "utf-16-be": text.encode("utf-16-be"),
        "utf-32-le": text.encode("utf-32-le"),
        "utf-32-be": text.encode("utf-32-be"),
        "xored": bytes(byte ^ 0xFF for byte in word),
    }
    for lead in range(3):
        # The letters that depend on what stands before and after are cut off.
        code = base64.b64encode(bytes(lead) + word)
        ways[f"base64+{lead}"] = code[4 if lead else 0 : len(code) - 4]
    return ways


def leaks(word: bytes, data: bytes, depth: int = _DEPTH) -> set[str]:
    """Return the ways in which ``word`` (ASCII, 8 letters or more) stands in ``data``.

    Compressed streams are opened, and those inside them, ``depth`` deep.
    """
    low = data.lower()
    found = {name for name, code in spellings(word).items() if code in data}
    if word.lower() in low:
        found.add("raw")
    if depth:
        for name, inside in _unpacked(data):
            found |= {f"{name}/{way}" for way in leaks(word, inside, depth - 1)}
    return found


def _unpacked(data: bytes) -> list[tuple[str, bytes]]:
    made = [
        ("zlib", _inflate(memoryview(data)[at:], zlib.MAX_WBITS)) for at in _places(_ZLIB, data)
    ]
    made += [
        ("gzip", _inflate(memoryview(data)[at:], zlib.MAX_WBITS | 16))
        for at in _places(_GZIP, data)
    ]
    for at in _places(_ZIP, data):
        names = int.from_bytes(data[at + 26 : at + 28], "little")
        extra = int.from_bytes(data[at + 28 : at + 30], "little")
        made.append(("zip", _inflate(memoryview(data)[at + 30 + names + extra :], -zlib.MAX_WBITS)))
    return [(name, inside) for name, inside in made if inside]


def _places(pattern: re.Pattern[bytes], data: bytes) -> list[int]:
    return [match.start() for match in pattern.finditer(data)]


def _inflate(data: bytes | memoryview, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, _MOST)
    except zlib.error:
        return b""
