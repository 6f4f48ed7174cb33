"""Colour spaces, functions and shadings of the new file (ISO 32000-1, 7.10, 8.6 and 8.7.4).

Rule: numbers and no names. A profile is replaced by one of ours that has the same colours and
no history; the name of a spot colour, which only a printing press would read, becomes ours.
"""

import re
from dataclasses import dataclass

from sanitizer import icc
from sanitizer.errors import Malformed, TooComplex
from sanitizer.pdf import reading
from sanitizer.pdf.filters import Decoder
from sanitizer.pdf.model import Name, NewDocument, Number, Stream, Text, Value, number, packed

DEVICES = {b"DeviceGray": 1, b"DeviceRGB": 3, b"DeviceCMYK": 4, b"Pattern": 0}
"""Colour spaces that are a name, and their numbers of components."""
_SHORT = {
    b"G": b"DeviceGray",
    b"RGB": b"DeviceRGB",
    b"CMYK": b"DeviceCMYK",
    b"I": b"Indexed",
    b"CalCMYK": b"DeviceCMYK",
}
_BY_COUNT = {1: b"DeviceGray", 3: b"DeviceRGB", 4: b"DeviceCMYK"}
_PROCESS = {b"All", b"None", b"Cyan", b"Magenta", b"Yellow", b"Black", b"Red", b"Green", b"Blue"}
_PROFILES = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}
_DEEPEST = 6
_MOST_COLORANTS = 32
_MOST_FUNCTIONS = 5000
_CALCULATOR = re.compile(rb"[{}]|[^\0\t\n\f\r ()<>\[\]{}/%]+")
_CALCULATOR_WORDS = frozenset(
    b"abs add and atan bitshift ceiling copy cos cvi cvr div dup eq exch exp false floor ge gt idiv"
    b" if ifelse index le ln log lt mod mul ne neg not or pop roll round sin sqrt sub true truncate"
    b" xor { }".split()
)
_COMMENT = re.compile(rb"%[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Space:
    """A colour space of the new file: how it is written, and how many numbers make a colour.

    ``highest`` is the last index of an indexed space, and 0 for others.
    """

    value: Value
    components: int
    highest: int = 0


def copy(
    untrusted: object,
    resources: reading.Source | None,
    decoder: Decoder,
    document: NewDocument,
    kinds: set[str],
) -> Space | None:
    """Copy a colour space; a name may be one of ``resources``. None for what is no space."""
    named = reading.value_of(resources, "ColorSpace") if resources is not None else None
    return Spaces(decoder, document, kinds, dict(reading.entries(named))).copy(untrusted)


@dataclass(slots=True)
class Spaces:
    """Copies colour spaces; ``named`` are those that content may name."""

    decoder: Decoder
    document: NewDocument
    kinds: set[str]
    named: dict[bytes, object]

    def copy(self, untrusted: object, depth: int = 0) -> Space | None:
        """Copy a colour space; raises TooComplex where spaces contain spaces without end."""
        if depth > _DEEPEST:
            raise TooComplex("colour spaces nested too deeply")
        name = reading.name(untrusted)
        if name is not None:
            name = Name(_SHORT.get(name, name))
            if name in DEVICES:
                return Space(name, DEVICES[name])
            return self.copy(self.named[name], depth + 1) if name in self.named else None
        return self._of_parts(reading.items(untrusted), depth)

    def _of_parts(self, parts: list[object], depth: int) -> Space | None:
        name = reading.name(parts[0]) if parts else None
        kind = Name(_SHORT.get(name or b"", name or b""))
        if kind in DEVICES and (len(parts) == 1 or kind != b"Pattern"):
            return Space(kind, DEVICES[kind])
        if len(parts) < 2:  # noqa: PLR2004 - a kind and what it is of
            return None
        if kind == b"Pattern":
            base = self.copy(parts[1], depth + 1)
            return Space([Name(b"Pattern"), base.value] if base else Name(b"Pattern"), 0)
        if kind in {b"CalGray", b"CalRGB", b"Lab"}:
            return self._calibrated(kind, parts[1])
        take = {
            b"ICCBased": lambda: self._profiled(parts[1], depth),
            b"Indexed": lambda: self._indexed(parts, depth),
            b"Separation": lambda: self._inks(kind, parts, depth),
            b"DeviceN": lambda: self._inks(kind, parts, depth),
        }.get(bytes(kind))
        return take() if take else None

    def _calibrated(self, kind: Name, untrusted: object) -> Space | None:
        source = reading.dictionary(untrusted)
        white = reading.numbers(reading.value_of(source, "WhitePoint"), 3, 3) if source else None
        if source is None or white is None:
            return None
        made: dict[bytes, Value] = {b"WhitePoint": white}
        black = reading.numbers(reading.value_of(source, "BlackPoint"), 3, 3)
        gamma = reading.value_of(source, "Gamma")
        told: dict[bytes, Value] = {
            b"BlackPoint": black,
            b"Gamma": reading.real(gamma) if kind == b"CalGray" else reading.numbers(gamma, 3, 3),
            b"Matrix": reading.numbers(reading.value_of(source, "Matrix"), 9, 9),
            b"Range": reading.numbers(reading.value_of(source, "Range"), 4, 4),
        }
        allowed = {
            b"CalGray": (b"BlackPoint", b"Gamma"),
            b"CalRGB": (b"BlackPoint", b"Gamma", b"Matrix"),
            b"Lab": (b"BlackPoint", b"Range"),
        }[bytes(kind)]
        made |= {key: told[key] for key in allowed if told[key] is not None}
        return Space([kind, made], 1 if kind == b"CalGray" else 3)

    def _profiled(self, untrusted: object, depth: int) -> Space | None:
        source = reading.stream(untrusted)
        if source is None:
            return None
        count = reading.whole(reading.value_of(source, "N"), 1, 4)
        if count not in _PROFILES:
            return None
        key = ("profile", reading.identity(source))
        if key in self.document.copies:
            return Space([Name(b"ICCBased"), self.document.copies[key]], count)
        self.kinds.add("icc_description")
        profile = icc.replace(self.decoder.plain(source)).profile
        if profile is None or profile[16:20] != _PROFILES[count]:
            given = self.copy(reading.value_of(source, "Alternate"), depth + 1)
            if given is not None and given.components == count and not given.highest:
                return given
            return Space(Name(_BY_COUNT[count]), count)
        ref = self.document.add_packed({b"N": number(count)}, profile)
        self.document.copies[key] = ref
        return Space([Name(b"ICCBased"), ref], count)

    def _indexed(self, parts: list[object], depth: int) -> Space | None:
        if len(parts) < 4:  # noqa: PLR2004 - its kind, base, last index and table
            return None
        base = self.copy(parts[1], depth + 1)
        highest = reading.whole(parts[2], 0, 255)
        if base is None or not base.components or base.highest or highest is None:
            return None
        table = reading.stream(parts[3])
        data = self.decoder.plain(table) if table is not None else reading.string(parts[3])
        length = base.components * (highest + 1)
        text = Text(data[:length].ljust(length, b"\0"))
        # At least 1, to tell an indexed space with a single colour from others.
        return Space([Name(b"Indexed"), base.value, number(highest), text], 1, max(1, highest))

    def _inks(self, kind: Name, parts: list[object], depth: int) -> Space | None:
        if len(parts) < 4:  # noqa: PLR2004 - its kind, names, alternate and function
            return None
        told = [parts[1]] if kind == b"Separation" else reading.items(parts[1])
        names = [reading.name(each) for each in told]
        alternate = self.copy(parts[2], depth + 1)
        if not 0 < len(names) <= _MOST_COLORANTS or alternate is None or alternate.highest:
            return None
        inks: list[Value] = [
            name if name is not None and name in _PROCESS else Name(b"Ink%d" % place)
            for place, name in enumerate(names)
        ]
        made = function(parts[3], self.decoder, self.document, 0)
        value: list[Value] = [
            kind, inks[0] if kind == b"Separation" else inks, alternate.value, made
        ]  # fmt: skip
        return Space(value, len(inks))


def function(untrusted: object, decoder: Decoder, document: NewDocument, depth: int) -> Value:
    """Copy a function, once; raises Malformed for what is none."""
    source = reading.dictionary(untrusted)
    if source is None or depth > _DEEPEST:
        raise Malformed("a function that is none")
    key = ("function", reading.identity(source))
    if key not in document.copies:
        made = document.add(_function(source, decoder, document, depth))
        if key[1] is None:
            return made
        document.copies[key] = made
    return document.copies[key]


def _function(
    source: reading.Source, decoder: Decoder, document: NewDocument, depth: int
) -> dict[bytes, Value] | Stream:
    kind = reading.whole(reading.value_of(source, "FunctionType"), 0, 4)
    domain = reading.numbers(reading.value_of(source, "Domain"), 2, 64)
    made: dict[bytes, Value] = {
        b"FunctionType": number(-1 if kind is None else kind),
        b"Domain": reading.required(domain),
    }
    reach = reading.numbers(reading.value_of(source, "Range"), 2, 64)
    if reach is not None:
        made[b"Range"] = reach
    stream = reading.stream(source)
    if kind == 0 and stream is not None:
        return _sampled(source, made, decoder.plain(stream))
    if kind == 4 and stream is not None:  # noqa: PLR2004 - a calculator
        return packed(made, _calculator(decoder.plain(stream)))
    if kind == 2:  # noqa: PLR2004 - between two colours
        for key in ("C0", "C1"):
            found = reading.numbers(reading.value_of(source, key), 1, 64)
            if found is not None:
                made[key.encode()] = found
        made[b"N"] = reading.required(reading.real(reading.value_of(source, "N")))
        return made
    if kind != 3:  # noqa: PLR2004 - functions side by side
        raise Malformed("a function of no known kind")
    parts = reading.items(reading.value_of(source, "Functions"))
    if not 0 < len(parts) <= _MOST_FUNCTIONS // (1 + 9 * depth):
        raise TooComplex("too many functions in one")
    made[b"Functions"] = [function(each, decoder, document, depth + 1) for each in parts]
    made[b"Bounds"] = reading.numbers(reading.value_of(source, "Bounds"), 0, _MOST_FUNCTIONS) or []
    made[b"Encode"] = reading.required(
        reading.numbers(reading.value_of(source, "Encode"), 2, 2 * _MOST_FUNCTIONS)
    )
    return made


def _sampled(source: reading.Source, made: dict[bytes, Value], data: bytes) -> Stream:
    """Return a table of samples of exactly the length that its numbers need."""
    size = reading.numbers(reading.value_of(source, "Size"), 1, 32)
    bits = reading.whole(reading.value_of(source, "BitsPerSample"), 1, 32)
    reach = made.get(b"Range")
    if size is None or bits is None or not isinstance(reach, list):
        raise Malformed("a table of samples without a size")
    total = len(reach) // 2 * bits
    for each in size:
        total *= _count(each)
        if total > 8 << 26:
            raise TooComplex("a table of samples beyond the limit")
    made |= {b"Size": size, b"BitsPerSample": number(bits)}
    for key in ("Encode", "Decode"):
        found = reading.numbers(reading.value_of(source, key), 2, 64)
        if found is not None:
            made[key.encode()] = found
    length = -(-total // 8)
    if len(data) < length:
        raise Malformed("a table of samples that is too short")
    return packed(made, exact_bits(data[:length], total))


def _count(value: Value) -> int:
    if not isinstance(value, Number) or not value.isdigit() or len(value) > 9:  # noqa: PLR2004
        raise Malformed("a size that is none")
    return int(value)


def exact_bits(data: bytes, bits: int) -> bytes:
    """Return data whose last byte has zeros behind the last bit that counts."""
    spare = -bits % 8
    return data[:-1] + bytes([data[-1] & 0xFF << spare & 0xFF]) if spare and data else data


def _calculator(untrusted: bytes) -> bytes:
    """Return a calculator's program: known words and numbers, one blank between them."""
    words = _CALCULATOR.findall(_COMMENT.sub(b" ", untrusted))
    made, depth = [], 0
    for word in words:
        depth += {b"{": 1, b"}": -1}.get(word, 0)
        made.append(word if word in _CALCULATOR_WORDS else number(word))
        if depth == 0:
            break
    if depth or len(made) < 2:  # noqa: PLR2004 - its braces
        raise Malformed("a program that does not end")
    return b" ".join(made)


def shading(
    source: reading.Source, decoder: Decoder, document: NewDocument, kinds: set[str]
) -> dict[bytes, Value] | Stream:
    """Copy a shading's dictionary, and its mesh where it has one."""
    kind = reading.whole(reading.value_of(source, "ShadingType"), 1, 7)
    space = copy(reading.value_of(source, "ColorSpace"), None, decoder, document, kinds)
    if kind is None or space is None:
        raise Malformed("a shading without a kind or colours")
    made: dict[bytes, Value] = {b"ShadingType": number(kind), b"ColorSpace": space.value}
    lists = {"Background": 32, "BBox": 4, "Domain": 4, "Matrix": 6, "Coords": 6, "Decode": 70}
    for key, most in lists.items():
        found = reading.numbers(reading.value_of(source, key), 1, most)
        if found is not None:
            made[key.encode()] = found
    extend = [reading.truth(each) for each in reading.items(reading.value_of(source, "Extend"))]
    if len(extend) == 2 and None not in extend:  # noqa: PLR2004 - before and after
        made[b"Extend"] = list(extend)
    if reading.truth(reading.value_of(source, "AntiAlias")):
        made[b"AntiAlias"] = True
    painted = _functions(reading.value_of(source, "Function"), decoder, document)
    if painted is not None:
        made[b"Function"] = painted
    if kind < 4:  # noqa: PLR2004 - the first three have no mesh
        return made
    stream = reading.stream(source)
    if stream is None:
        raise Malformed("a mesh without points")
    return packed(made, _mesh(source, made, kind, space, decoder.plain(stream)))


def _functions(untrusted: object, decoder: Decoder, document: NewDocument) -> Value:
    """Copy a shading's function, or one for each component; None where there is none."""
    parts = reading.items(untrusted)
    if len(parts) > _MOST_COLORANTS:
        raise TooComplex("too many functions in a shading")
    if parts:
        return [function(each, decoder, document, 0) for each in parts]
    return None if untrusted is None else function(untrusted, decoder, document, 0)


def _mesh(
    source: reading.Source, made: dict[bytes, Value], kind: int, space: Space, data: bytes
) -> bytes:
    """Return a mesh, cut behind its last whole point; also writes its widths into ``made``."""
    widths = {}
    for key, most in (("BitsPerCoordinate", 32), ("BitsPerComponent", 16), ("BitsPerFlag", 8)):
        found = reading.whole(reading.value_of(source, key), 1, most)
        if found is None and (key != "BitsPerFlag" or kind != 5):  # noqa: PLR2004 - a lattice
            raise Malformed("a mesh without widths")
        if found is not None:
            widths[key] = found
            made[key.encode()] = number(found)
    colours = 1 if b"Function" in made else space.components
    point = 2 * widths["BitsPerCoordinate"] + colours * widths["BitsPerComponent"]
    if kind == 4:  # noqa: PLR2004 - free triangles: a flag before each point
        point = -(-(point + widths["BitsPerFlag"]) // 8) * 8
    elif kind == 5:  # noqa: PLR2004 - a lattice of rows
        row = reading.whole(reading.value_of(source, "VerticesPerRow"), 2, 1 << 20)
        if row is None:
            raise Malformed("a lattice without rows")
        made[b"VerticesPerRow"] = number(row)
        point = -(-point // 8) * 8 * row
    else:
        return data
    whole = len(data) * 8 // point * point
    return exact_bits(data[: -(-whole // 8)], whole)
