"""Which streams a transport stream has, read from its two tables.

Rule (ISO/IEC 13818-1, 2.4.4; ETSI EN 300 468, 6.2 and annex D; ATSC A/53-3): of several programs
the first that has pictures is carried over, its first moving picture and all its sounds, for that
is what players show; other pictures and sounds are left out and named, and so are text, data and
what is a vendor's own. A codec that is not known refuses the file, whoever it belongs to. Nothing
of a table is passed on.
"""

from dataclasses import dataclass, field

from sanitizer.errors import Malformed, TooComplex, Unsupported

_MAX_SECTION = 1024
_MAX_SECTIONS = 2000
_MAX_PROGRAMS = 64
_CRC = []
for _byte in range(256):
    _value = _byte << 24
    for _ in range(8):
        _value = (_value << 1) ^ (0x04C11DB7 if _value & 0x80000000 else 0)
    _CRC.append(_value & 0xFFFFFFFF)
_AVC, _HEVC, _AAC, _AC3, _EAC3, _PRIVATE = 0x1B, 0x24, 0x0F, 0x81, 0x87, 0x06
VIDEO = frozenset({_AVC, _HEVC})
"""Types of streams of moving pictures that are carried over."""
SOUND = frozenset({0x03, 0x04, _AAC, _AC3, _EAC3})
"""Types of streams of sound that are carried over."""
_LEFT_OUT = {
    0x05: "other_metadata",
    0x08: "other_metadata",
    **dict.fromkeys(range(0x0A, 0x0F), "other_metadata"),
    **dict.fromkeys(range(0x12, 0x15), "other_metadata"),
    **dict.fromkeys(range(0x15, 0x1A), "location_track"),
    0x86: "other_metadata",
    **dict.fromkeys(range(0x90, 0x93), "subtitles"),
}
# What a private stream is, by its descriptors and by the letters it is registered with.
_DESCRIBED: dict[int, int | str] = {
    0x6A: _AC3,
    0x7A: _EAC3,
    0x56: "subtitles",
    0x59: "subtitles",
    0xFD: "subtitles",
    0x46: "subtitles",
    0x45: "other_metadata",
    0x26: "location_track",
}
_REGISTERED: dict[bytes, int | str] = {
    b"AC-3": _AC3,
    b"EAC3": _EAC3,
    b"HEVC": _HEVC,
    b"KLVA": "location_track",
    b"ID3 ": "other_metadata",
    b"VANC": "other_metadata",
}


def crc(data: bytes) -> int:
    """Return the checksum of a section (ISO/IEC 13818-1, annex A)."""
    value = 0xFFFFFFFF
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value


@dataclass(slots=True)
class _Sections:
    """Puts the sections of one stream of packets together."""

    waiting: bytes = b""
    last: bytes = b""

    def take(self, payload: bytes, *, begins: bool) -> list[bytes]:
        """Take a packet's payload; return the sections that are whole now and new."""
        if begins and payload:
            pointer = 1 + payload[0]
            made = self._cut(self.waiting + payload[1:pointer]) if self.waiting else []
            self.waiting = payload[pointer:]
        elif self.waiting:
            made, self.waiting = [], self.waiting + payload
        else:
            return []
        made += self._cut(self.waiting)
        fresh = [section for section in made if section != self.last]
        self.last = made[-1] if made else self.last
        return fresh

    def _cut(self, data: bytes) -> list[bytes]:
        made, at = [], 0
        while at + 3 <= len(data) and data[at] != 0xFF:  # noqa: PLR2004 - stuffing
            length = 3 + (int.from_bytes(data[at + 1 : at + 3], "big") & 0xFFF)
            if length > _MAX_SECTION:
                at = len(data)
            elif at + length > len(data):
                break
            else:
                made.append(data[at : at + length])
                at += length
        self.waiting = data[at:] if data[at : at + 1] != b"\xff" else b""
        return made


@dataclass(slots=True)
class Tables:
    """The tables as far as they have been seen. ``streams`` maps a packet id to its type."""

    streams: dict[int, int] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    """Private streams that say nothing of themselves."""
    kinds: set[str] = field(default_factory=set)
    programs: set[int] = field(default_factory=set)
    """Packet ids of the tables that name streams."""
    _maps: dict[tuple[int, bytes], set[tuple[int, ...]]] = field(default_factory=dict)
    """By program, in the order of their maps: which streams it has, told once or anew."""
    _named: set[bytes] = field(default_factory=set)
    _parts: dict[int, _Sections] = field(default_factory=dict)
    _seen: int = 0

    def take(self, packet: bytes) -> None:
        """Take one packet of a table, 188 bytes; raises Unsupported or TooComplex."""
        number = (packet[1] & 31) << 8 | packet[2]
        at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        if not packet[3] & 0x10:
            return
        parts = self._parts.setdefault(number, _Sections())
        for section in parts.take(packet[at:], begins=bool(packet[1] & 0x40)):
            self._seen += 1
            if self._seen > _MAX_SECTIONS:
                raise TooComplex("tables that never stay the same")
            if len(section) < 12 or crc(section):  # noqa: PLR2004 - the shortest table
                continue
            if number == 0 and section[0] == 0:
                self._programs(section)
            elif number and section[0] == 2:  # noqa: PLR2004 - a program map
                self._map(number, section)

    def choose(self, begun: set[int]) -> set[int]:
        """Leave in ``streams`` what players show of those that have begun; return who goes else.

        Raises Malformed where a program's pictures go on in another stream.
        """
        found = {number: kind for number, kind in self.streams.items() if number in begun}
        self.streams = found
        for forms in self._maps.values():
            pictures = [[n for n in form if found.get(n) in VIDEO] for form in forms]
            firsts = {numbers[0] for numbers in pictures if numbers}
            if len(firsts) > 1:
                raise Malformed("pictures that go on in another stream")
            if firsts:
                members = {number for form in forms for number in form}
                self.streams = {
                    number: kind
                    for number, kind in found.items()
                    if number in members and (kind in SOUND or number in firsts)
                }
                break
        return set(found) - set(self.streams)

    def _programs(self, section: bytes) -> None:
        named = set[bytes]()
        for at in range(8, len(section) - 7, 4):
            if any(section[at : at + 2]):
                named.add(section[at : at + 2])
                self.programs.add((section[at + 2] & 31) << 8 | section[at + 3])
        if len(self.programs) > _MAX_PROGRAMS:
            raise TooComplex("too many programs")
        # Recordings joined end to end: one program of them is not the whole.
        is_only = section[6:8] == bytes(2)
        if is_only and named and self._named and not named & self._named:
            raise Malformed("programs that take turns")
        self._named |= named

    def _map(self, table: int, section: bytes) -> None:
        at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
        end = len(section) - 4
        numbers: list[int] = []
        while at + 5 <= end:
            kind, number = section[at], (section[at + 1] & 31) << 8 | section[at + 2]
            length = int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF
            self._stream(number, kind, section[at + 5 : min(at + 5 + length, end)])
            numbers.append(number)
            at += 5 + length
        self._maps.setdefault((table, section[3:5]), set()).add(tuple(numbers))

    def _stream(self, number: int, kind: int, descriptors: bytes) -> None:
        """Note one stream; raises Unsupported for a picture or sound that MP4 cannot hold."""
        meant: int | str = kind
        if kind == _PRIVATE:
            found = _private(descriptors)
            if found is None:
                self.unsure.add(number)
                return
            meant = found
        meant = _LEFT_OUT.get(meant, meant) if isinstance(meant, int) else meant
        if isinstance(meant, str):
            self.kinds.add(meant)
        elif meant not in VIDEO | SOUND:
            raise Unsupported("a stream of a codec that cannot be cleaned here")
        elif self.streams.setdefault(number, meant) != meant:
            raise Malformed("a stream that changes its codec")


def _private(descriptors: bytes) -> int | str | None:
    """Return the type of a private stream, a kind of what is left out, or None."""
    at = 0
    while at + 2 <= len(descriptors):
        tag, length = descriptors[at], descriptors[at + 1]
        told = descriptors[at + 2 : at + 2 + length]
        if tag in _DESCRIBED:
            return _DESCRIBED[tag]
        if tag == 5 and told[:4] in _REGISTERED:  # noqa: PLR2004 - a registration
            return _REGISTERED[told[:4]]
        if tag in {0x7B, 0x7C, 0x7F, 0x05}:
            # DTS, AAC by DVB's own descriptor, newer codecs, and letters that nobody knows.
            raise Unsupported("a stream of a codec that cannot be cleaned here")
        at += 2 + length
    return None


def written(streams: dict[int, int]) -> bytes:
    """Return two packets of ours that name some streams, and nothing else."""
    number = next(n for n in range(0x20, 0x1FFF) if n not in streams)
    programs = b"\0\1\xc1\0\0\0\1" + (0xE000 | number).to_bytes(2, "big")
    first = next(iter(streams))
    body = b"\0\1\xc1\0\0" + (0xE000 | first).to_bytes(2, "big") + b"\xf0\0"
    for stream, kind in streams.items():
        told = {_AC3: b"\x6a\1\0", _EAC3: b"\x7a\1\0"}.get(kind, b"")
        row = bytes([_PRIVATE if told else kind]) + (0xE000 | stream).to_bytes(2, "big")
        body += row + (0xF000 | len(told)).to_bytes(2, "big") + told
    return _packet(0, 0, programs) + _packet(number, 2, body)


def _packet(number: int, table: int, body: bytes) -> bytes:
    section = bytes([table]) + (0xB000 | len(body) + 4).to_bytes(2, "big") + body
    section += crc(section).to_bytes(4, "big")
    if len(section) > 183:  # noqa: PLR2004 - what one packet holds
        raise TooComplex("too many streams")
    head = b"G" + (0x4000 | number).to_bytes(2, "big") + b"\x10\0"
    return (head + section).ljust(188, b"\xff")
