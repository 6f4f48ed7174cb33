"""Transport streams: tables, private sections, streams of no table, and what fills packets up."""

import struct
from collections.abc import Callable

from tests.adversary import bases
from tests.adversary.films import message
from tests.adversary.words import GPS_TEXT, Word
from tests.fuzz.grammar import checksum

Build = Callable[[Word], bytes]
DATA, PROGRAM = 0x123, 0x1000
PATHS = b"\0\1\xc1\0\0\0\1" + (0xE000 | PROGRAM).to_bytes(2, "big")


def crc(data: bytes) -> int:
    """Return the checksum of a section (begun with ones)."""
    # Beginning with ones is the same as turning the first four bytes over.
    return checksum(32, bytes(b ^ 0xFF for b in data[:4]) + data[4:])


def packet(
    number: int, payload: bytes, *, begins: bool = True, field: bytes | None = None
) -> bytes:
    """Return a packet; ``field`` is its adaptation field behind its flags, if not filler."""
    head = bytes([0x47, begins << 6 | number >> 8, number & 255])
    room = 184 - len(payload)
    if not room:
        return head + b"\x10" + payload
    told = (b"\0" if field is None and room > 1 else field or b"").ljust(room - 1, b"\xff")
    return head + (b"\x30" if payload else b"\x20") + bytes([room - 1]) + told[: room - 1] + payload


def section(number: int, table: int, body: bytes) -> bytes:
    """Return a packet with a table of one section."""
    made = bytes([table]) + (0xB000 | len(body) + 4).to_bytes(2, "big") + body
    head = bytes([0x47, 0x40 | number >> 8, number & 255, 0x10, 0])
    return (head + made + struct.pack(">I", crc(made))).ljust(188, b"\xff")


def table(*rows: tuple[int, int, bytes], told: bytes = b"") -> bytes:
    """Return the map of the program."""
    body = b"\0\1\xc1\0\0\xe1\0" + (0xF000 | len(told)).to_bytes(2, "big") + told
    for kind, number, more in ((0x1B, 0x100, b""), (0x0F, 0x101, b""), *rows):
        body += bytes([kind]) + (0xE000 | number).to_bytes(2, "big")
        body += (0xF000 | len(more)).to_bytes(2, "big") + more
    return section(PROGRAM, 2, body)


def pes(word: bytes, kind: int = 0xBD) -> bytes:
    """Return a packet of a stream's."""
    return packet(DATA, b"\0\0\1" + bytes([kind]) + b"\0\0\x80\0\0" + word)


def with_stream(kind: int, told: bytes, word: bytes) -> bytes:
    """Return the film with a stream more, in its tables and in a packet."""
    return section(0, 0, PATHS) + table((kind, DATA, told)) + pes(word) + bases.ts()


def before(added: bytes) -> bytes:
    """Return the film with packets in its middle."""
    film = bases.ts()
    half = len(film) // 376 * 188
    return film[:half] + added + film[half:]


def named(word: bytes) -> bytes:
    """Return the description of a service."""
    service = b"\x01" + bytes([len(word)]) + word + bytes([len(word)]) + word
    body = (
        b"\0\1\xc1\0\0\xff\1\xff\0\1\xfc\x80"
        + bytes([len(service) + 2, 0x48, len(service)])
        + service
    )
    return section(0x11, 0x42, body)


PLACES: dict[str, tuple[str, Build]] = {
    name: ("ts", build)
    for name, build in {
        "a service's names": lambda w: named(w.text) + bases.ts(),
        "a guide": lambda w: before(packet(0x12, w.told)),
        "the time of day": lambda w: before(
            section(0x14, 0x70, struct.pack(">Q", w.long)[3:]) + packet(0x1FFF, w.told)
        ),
        "null packets": lambda w: before(packet(0x1FFF, w.told)),
        "private data of a packet": lambda w: before(
            packet(0x100, b"", begins=False, field=b"\2" + bytes([len(w.told)]) + w.told)
        ),
        "filler of a packet": lambda w: before(
            packet(0x101, b"", begins=False, field=b"\0" + w.told)
        ),
        "a splice": lambda w: before(packet(0x100, b"", begins=False, field=b"\x04\1" + w.told)),
        "a stream of no table": lambda w: before(pes(w.told)),
        "a table of one's own": lambda w: before(section(0x50, 0x80, w.told)),
        "a descriptor of the program": lambda w: (
            section(0, 0, PATHS)
            + table(told=b"\x05\4" + b"WTMK" + bytes([0xA0, len(w.told)]) + w.told)
            + bases.ts()
        ),
        "positions of a drone": lambda w: with_stream(6, b"\5\4KLVA", GPS_TEXT + w.told),
        "timed ID3": lambda w: with_stream(0x15, b"\5\4ID3 ", b"ID3\4\0\0\0\0\0\x20" + w.told),
        "private sections": lambda w: with_stream(5, b"", w.told),
        "teletext": lambda w: with_stream(6, b"\x56\5ara\x09\0", w.told),
        "subtitles": lambda w: with_stream(6, b"\x59\x08ara\x10" + bytes(4), w.told),
        "a camera's": lambda w: with_stream(0xA0, b"", w.told),
        "behind the last packet": lambda w: bases.ts() + w.text,
        "a second program": lambda w: (
            section(0, 0, PATHS) + before(packet(0x200, b"\0\0\1\xbf\0\0" + w.told))
        ),
        "a message behind a packet's head": lambda w: before(pes(message(w.canary), 0xE0)),
        "further pictures": lambda w: with_stream(0x1B, b"", w.told),
    }.items()
}
PLACES["a camcorder's times"] = (
    "m2ts",
    lambda w: b"".join(
        struct.pack(">I", w.short) + bases.m2ts()[at + 4 : at + 192]
        for at in range(0, len(bases.m2ts()), 192)
    ),
)
PLACES["behind a camcorder's last packet"] = ("m2ts", lambda w: bases.m2ts() + w.told)
REFUSABLE = {"a second program", "a camera's"}
