"""Write a HEIC or AVIF file anew: one index in one order, and its items' data without a gap.

Rule (ISO/IEC 23008-12, section 10; AV1 Image File Format, section 7): brands by codec, items
numbered from one, nameless, each in one piece; grids and overlays in the index, coded data behind
it. No box of the source is copied, and no number but those that make the picture.
"""

from dataclasses import dataclass, field

from sanitizer.errors import Malformed, TooComplex
from sanitizer.heif import av1, hevc, jpeg
from sanitizer.heif.properties import ESSENTIAL, rewritten
from sanitizer.heif.select import Kept, cropped_size
from sanitizer.limits import Limits
from sanitizer.mp4.boxes import box, full_box
from sanitizer.pieces import Piece, size_of
from sanitizer.source import UntrustedSource

_PICT = bytes(4) + b"pict" + bytes(13)
_SETUPS = {b"hvc1": b"hvcC", b"av01": b"av1C", b"jpeg": b"jpgC"}
_BRANDS = {
    b"av01": b"avif\0\0\0\0avifmif1miaf",
    # No brand of a MIAF profile stands for JPEG.
    b"jpeg": b"mif1\0\0\0\0mif1jpeg",
}
_SHORT_INDEX = 127
_PLAIN_PROFILES = {1, 3}
_PROFILE = 31


@dataclass(slots=True)
class _Written:
    """One item of the result."""

    kept: Kept
    number: int
    properties: list[int] = field(default_factory=list)
    data: list[Piece] = field(default_factory=list)

    def length(self) -> int:
        return sum(size_of(piece) for piece in self.data)


@dataclass(slots=True)
class _Writer:
    """Takes the items that stay, and makes the file of them."""

    source: UntrustedSource
    limits: Limits
    kinds: set[str]
    items: list[_Written]
    properties: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    codecs: set[bytes] = field(default_factory=set)
    profile: int = 0

    def run(self) -> list[Piece]:
        """Return the whole file."""
        jpeg.bound([each.kept.item for each in self.items], self.limits)
        for item in self.items:
            self._item(item)
        if len(self.codecs) != 1:
            raise Malformed("a picture in two codecs")
        head, length = self._brands(), sum(item.length() for item in self._coded())
        # The places in the index are numbers of fixed width: its length is known with zeros.
        place = len(head) + len(self._index(0)) + 8
        data = [piece for item in self._coded() for piece in item.data]
        mdat = (length + 8).to_bytes(4, "big") + b"mdat"
        return [head + self._index(place) + mdat, *data]

    def _coded(self) -> list[_Written]:
        return [item for item in self.items if item.kept.derived is None]

    def _brands(self) -> bytes:
        (codec,) = self.codecs
        if codec in _BRANDS:
            return box(b"ftyp", _BRANDS[codec])
        brand = b"heic" if self.profile in _PLAIN_PROFILES else b"heix"
        return box(b"ftyp", brand, bytes(4), b"mif1", brand, b"miaf")

    def _item(self, item: _Written) -> None:
        """Make one item's data, setup and properties."""
        source = item.kept.item
        setup: tuple[bytes, bytes] | None = None
        if item.kept.derived is not None:
            item.data = [item.kept.derived.to_bytes()]
        else:
            setup = (_SETUPS[source.kind], self._coded_data(item))
            self.codecs.add(source.kind)
        for each in rewritten(source, setup, self.kinds):
            item.properties.append(self.properties.setdefault(each, len(self.properties) + 1))

    def _coded_data(self, item: _Written) -> bytes:
        """Make a coded item's data, and return its decoder setup."""
        source = item.kept.item
        told = [
            each.property.content
            for each in source.properties
            if each.property.kind == _SETUPS[source.kind]
        ]
        if source.length() > self.limits.sample_bytes:
            raise TooComplex("a picture too long to be looked through")
        if source.kind == b"jpeg" and not told:
            told = [b""]
        if len(told) != 1:
            raise Malformed("a coded picture without its one decoder setup")
        make = {b"hvc1": self._hevc, b"av01": self._av1, b"jpeg": self._jpeg}
        return make[source.kind](item, told[0])

    def _jpeg(self, item: _Written, told: bytes) -> bytes:
        item.data = jpeg.cleaned(item.kept.item, told, self.source, self.limits, self.kinds)
        return b""

    def _hevc(self, item: _Written, told: bytes) -> bytes:
        source = item.kept.item
        setup = hevc.Setup.from_bytes(told, self.kinds)
        kept, pictures = hevc.slices(source.data(self.source), setup, self.kinds)
        for start, end in kept:
            item.data.append((end - start).to_bytes(4, "big"))
            item.data += source.ranges(start, end - start)
        made = setup.of(pictures, cropped_size(source), self.limits, self.kinds)
        self.profile = self.profile or made[1] & _PROFILE
        return made

    def _av1(self, item: _Written, told: bytes) -> bytes:
        source = item.kept.item
        for unit in av1.units(source.data(self.source), self.kinds):
            item.data.append(unit.head())
            item.data += source.ranges(unit.start, unit.end - unit.start)
        return av1.setup(told)

    def _index(self, place: int) -> bytes:
        """Return the index of a file whose coded data begins at ``place``."""
        derived = b"".join(
            piece
            for item in self.items
            if item.kept.derived is not None
            for piece in item.data
            if isinstance(piece, bytes)
        )
        return full_box(
            b"meta",
            full_box(b"hdlr", _PICT),
            full_box(b"pitm", b"\0\1"),
            self._places(place),
            self._kinds_of_items(),
            self._references(),
            self._iprp(),
            box(b"idat", derived) if derived else b"",
        )

    def _places(self, place: int) -> bytes:
        made, within = [b"\x44\0", len(self.items).to_bytes(2, "big")], 0
        for item in self.items:
            in_index = item.kept.derived is not None
            at, length = within if in_index else place, item.length()
            within, place = (within + length, place) if in_index else (within, place + length)
            made.append(item.number.to_bytes(2, "big") + bytes([0, in_index, 0, 0, 0, 1]))
            made.append(at.to_bytes(4, "big") + length.to_bytes(4, "big"))
        return full_box(b"iloc", *made, version=1)

    def _kinds_of_items(self) -> bytes:
        entries = [
            full_box(
                b"infe",
                item.number.to_bytes(2, "big") + bytes(2) + item.kept.item.kind + b"\0",
                version=2,
                # Hidden: a part is not a picture of its own.
                flags=item.kept.is_part,
            )
            for item in self.items
        ]
        return full_box(b"iinf", len(entries).to_bytes(2, "big"), *entries)

    def _references(self) -> bytes:
        numbers = {item.kept.number: item.number for item in self.items}
        made = []
        for item in self.items:
            kept = item.kept
            blended = [n for n in kept.item.references.get(b"prem", []) if n in numbers]
            for kind, named in (
                (b"dimg", kept.parts), (b"auxl", kept.alpha_of), (b"prem", blended[:1]),
            ):  # fmt: skip
                if named:
                    row = [item.number, len(named), *(numbers[each] for each in named)]
                    made.append(box(kind, *(number.to_bytes(2, "big") for number in row)))
        return full_box(b"iref", *made) if made else b""

    def _iprp(self) -> bytes:
        listed = [box(kind, content) for kind, content in self.properties]
        essential = {number for (kind, _), number in self.properties.items() if kind in ESSENTIAL}
        wide = 2 if len(listed) > _SHORT_INDEX else 1
        flag = 0x80 << 8 * (wide - 1)
        rows = []
        for item in self.items:
            named = [number | (flag if number in essential else 0) for number in item.properties]
            row = b"".join(number.to_bytes(wide, "big") for number in named)
            rows.append(item.number.to_bytes(2, "big") + bytes([len(named)]) + row)
        count = len(rows).to_bytes(4, "big")
        return box(b"iprp", box(b"ipco", *listed), full_box(b"ipma", count, *rows, flags=wide - 1))


def write(
    source: UntrustedSource, kept: list[Kept], limits: Limits, kinds: set[str]
) -> list[Piece]:
    """Return the pieces of a file that holds these items; raises a leaf of Refused."""
    items = [_Written(each, number) for number, each in enumerate(kept, 1)]
    return _Writer(source, limits, kinds, items).run()
