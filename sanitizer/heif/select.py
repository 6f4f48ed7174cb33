"""Which items of a HEIC or AVIF file are the picture, and which only travel with it.

Rule (ISO/IEC 23008-12, section 6): the primary item, the tiles of its grid, the pictures that show
on its overlay, and their alpha planes. Thumbnails, depth, gain maps, mattes, bursts, EXIF, XMP and
whatever else are left behind; a derivation that cannot be followed is refused, never guessed at.
"""

from dataclasses import dataclass, field

from sanitizer import exif
from sanitizer.errors import Encrypted, Malformed, TooComplex, TooManyPixels, Unsupported
from sanitizer.heif import padding
from sanitizer.heif.model import Index, Item
from sanitizer.heif.overlay import MOST_LAYERS, Layer, Overlay
from sanitizer.limits import Limits
from sanitizer.numbers import unpack
from sanitizer.source import UntrustedSource

ALPHA = {
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
}
"""What auxC may say of a plane that is kept."""
CODED = {b"hvc1", b"av01", b"jpeg"}
"""Items that are coded pictures."""
_GRID, _OVERLAY = b"grid", b"iovl"
_WHOLE, _PLANE, _LAYER, _TILE = {_GRID, _OVERLAY}, {_GRID}, {_GRID}, set[bytes]()
_SHORT_GRID, _LONG_GRID = 8, 12
_MAX_EXIF = 1 << 20
_OF_ITEM = {b"thmb": "thumbnail", b"auxl": "hidden_frames", b"cdsc": "other_metadata"}


@dataclass(frozen=True, slots=True)
class Grid:
    """How tiles make a picture: ``columns`` times ``rows`` of them, cut to width and height."""

    rows: int
    columns: int
    width: int
    height: int

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Grid":
        """Read the payload of a grid item (23008-12, 6.6.2.3.2); what follows it is not read."""
        version, flags, rows, columns = unpack("BBBB", untrusted)
        width, height = unpack("II" if flags & 1 else "HH", untrusted, 4)
        if version or not width or not height:
            raise Malformed("a grid that says what cannot be")
        return cls(rows + 1, columns + 1, width, height)

    def to_bytes(self) -> bytes:
        """Return the payload in its short form: sides are bounded to two bytes."""
        return bytes([0, 0, self.rows - 1, self.columns - 1]) + b"".join(
            side.to_bytes(2, "big") for side in (self.width, self.height)
        )


@dataclass(slots=True)
class Kept:
    """One item that stays. ``parts`` and ``alpha_of`` are numbers of the file, not of the result.

    ``derived`` says how the picture is made of its parts; a coded picture is made of none.
    """

    number: int
    item: Item
    is_part: bool
    derived: Grid | Overlay | None = None
    parts: list[int] = field(default_factory=list)
    alpha_of: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Selector:
    """Follows the picture from its primary item, and never back."""

    source: UntrustedSource
    index: Index
    limits: Limits
    kinds: set[str]
    kept: dict[int, Kept] = field(default_factory=dict)

    def run(self) -> None:
        """Keep the primary item, what it is made of, and alpha planes of any of those."""
        planes = self._alpha_planes()
        self._keep(self._base(), _WHOLE, planes)
        for number in list(self.kept):
            for plane in planes.get(number, [])[:1]:
                if plane not in self.kept:
                    self._keep(plane, _PLANE, planes)
                elif not self.kept[plane].alpha_of:
                    raise Malformed("a picture that is made of itself")
                self.kept[plane].alpha_of.append(number)
        total = sum(kept.item.length() for kept in self.kept.values())
        if total > self.source.length:
            raise Malformed("pictures that lie on top of each other")
        self._name_the_rest()

    def _base(self) -> int:
        """Return the primary item, or what a tone map that stands there is made of."""
        primary = self.index.items[self.index.primary]
        if primary.kind == b"tmap":
            self.kinds.add("hidden_frames")
            return next(iter(primary.references.get(b"dimg", [])), -1)
        return self.index.primary

    def _item(self, number: int) -> Item:
        if number not in self.index.items:
            raise Malformed("a picture made of what is not there")
        return self.index.items[number]

    def _keep(
        self,
        number: int,
        derived: set[bytes],
        planes: dict[int, list[int]],
        *,
        is_part: bool = False,
    ) -> None:
        """Keep an item, coded or made in one of the ways of ``derived``, and its parts."""
        item = self._item(number)
        if item.is_protected:
            raise Encrypted("a picture that is locked")
        kept = self.kept[number] = Kept(number, item, is_part)
        width, height = size_of(item)
        if max(width, height) > self.limits.image_side:
            raise TooManyPixels("more pixels than the limit")
        self._count(width * height)
        if item.kind in derived and item.kind == _GRID:
            self._keep_tiles(kept, planes)
        elif item.kind in derived:
            self._keep_layers(kept, planes)
        elif item.kind not in CODED:
            raise Unsupported("a picture made in a way that cannot be cleaned here")
        elif item.references.get(b"dimg"):
            raise Malformed("a coded picture that is made of others")

    def _count(self, pixels: int) -> None:
        if pixels > self.limits.image_pixels:
            raise TooManyPixels("more pixels than the limit")

    def _keep_tiles(self, kept: Kept, planes: dict[int, list[int]]) -> None:
        if kept.item.length() not in {_SHORT_GRID, _LONG_GRID}:
            self.kinds.add("trailing_data")
        grid = kept.derived = Grid.from_bytes(self._payload(kept.item))
        tiles = kept.parts = kept.item.references.get(b"dimg", [])
        if size_of(kept.item) != (grid.width, grid.height) or (
            len(tiles) != grid.rows * grid.columns
        ):
            raise Malformed("a grid that says what cannot be")
        self._keep_parts(kept, _TILE, planes)
        sizes = {size_of(self.kept[number].item) for number in tiles}
        ((width, height), *others) = sizes
        if (
            others
            or not (grid.columns - 1) * width < grid.width <= grid.columns * width
            or not (grid.rows - 1) * height < grid.height <= grid.rows * height
        ):
            raise Malformed("a grid whose tiles do not fit")
        kind = self.kept[tiles[0]].item.kind
        padding.require_grid(
            (grid.columns, grid.rows), (width, height), cropped_size(kept.item), kind
        )

    def _keep_layers(self, kept: Kept, planes: dict[int, list[int]]) -> None:
        numbers = kept.item.references.get(b"dimg", [])
        if len(numbers) > MOST_LAYERS:
            raise TooComplex("too many pictures on one canvas")
        told, used = Overlay.from_bytes(self._payload(kept.item), len(numbers))
        if used < kept.item.length():
            self.kinds.add("trailing_data")
        if size_of(kept.item) != (told.width, told.height):
            raise Malformed("an overlay that says what cannot be")
        layers = [self._layer(number, planes) for number in numbers]
        kept.derived, chosen = told.seen(layers)
        kept.parts = [numbers[at] for at in chosen]
        # Each is drawn as often as it is named, one after another.
        each = (size_of(self._item(number)) for number in kept.parts)
        self._count(told.width * told.height + sum(width * height for width, height in each))
        self._keep_parts(kept, _LAYER, planes)

    def _layer(self, number: int, planes: dict[int, list[int]]) -> Layer:
        item = self._item(number)
        clear = planes.keys() & {number, *item.references.get(b"dimg", [])}
        return Layer(*shown_size(item), is_opaque=not clear)

    def _payload(self, item: Item) -> bytes:
        """Return the data of an item that says how it is made of others."""
        if item.length() > self.limits.image_parts:
            raise Malformed("a picture made in more words than there are")
        return item.data(self.source)

    def _keep_parts(self, kept: Kept, derived: set[bytes], planes: dict[int, list[int]]) -> None:
        for number in dict.fromkeys(kept.parts):
            if number in self.kept:
                raise Malformed("a picture that is made of itself")
            self._keep(number, derived, planes, is_part=True)

    def _alpha_planes(self) -> dict[int, list[int]]:
        planes: dict[int, list[int]] = {}
        for number, item in self.index.items.items():
            if auxiliary(item) in ALPHA:
                for master in item.references.get(b"auxl", []):
                    planes.setdefault(master, []).append(number)
        return planes

    def _name_the_rest(self) -> None:
        """Say what is left behind, by kind."""
        for number, item in self.index.items.items():
            if item.has_name:
                self.kinds.add("other_metadata")
            if number in self.kept:
                continue
            if item.kind == b"Exif":
                self._name_exif(item)
            elif item.kind == b"mime" and b"xml" in item.content_type:
                self.kinds.add("xmp")
            elif item.kind in {*CODED, *_WHOLE}:
                told = [kind for name, kind in _OF_ITEM.items() if name in item.references]
                self.kinds.add(told[0] if told else "hidden_frames")
            else:
                self.kinds.add("other_metadata")

    def _name_exif(self, item: Item) -> None:
        self.kinds.add("exif")
        if item.extents and item.length() <= _MAX_EXIF:
            data = item.data(self.source)
            # Four bytes say how much stands before the block, which is "Exif" and two zeros.
            start = 4 + int.from_bytes(data[:4], "big")
            self.kinds |= exif.read(data[start:]).kinds


def size_of(item: Item) -> tuple[int, int]:
    """Return an item's width and height; raises Malformed where it does not say."""
    sizes = {
        unpack("II", each.property.content, 4)
        for each in item.properties
        if each.property.kind == b"ispe"
    }
    # Of two sizes one reader believes the first, and another the last.
    if len(sizes) != 1:
        raise Malformed("a picture without its one size")
    ((width, height),) = sizes
    if not width or not height:
        raise Malformed("a picture without its one size")
    return width, height


def cropped_size(item: Item) -> tuple[int, int]:
    """Return the width and height that are left of an item by its crop (14496-12, 12.1.4).

    Raises Malformed where it does not say.
    """
    width, height = size_of(item)
    for each in item.properties:
        if each.property.kind == b"clap":
            numbers = unpack("IIII", each.property.content)
            if not all(numbers):
                raise Malformed("a crop beyond its picture")
            width, height = numbers[0] // numbers[1], numbers[2] // numbers[3]
    return width, height


def shown_size(item: Item) -> tuple[int, int]:
    """Return the width and height that an item is shown at, cut and turned (23008-12, 6.5).

    Raises Malformed where it does not say.
    """
    width, height = cropped_size(item)
    for each in item.properties:
        kind, content = each.property.kind, each.property.content
        if kind == b"irot" and unpack("B", content)[0] & 1:
            width, height = height, width
    return width, height


def auxiliary(item: Item) -> bytes:
    """Return what kind of auxiliary picture an item is, or nothing."""
    for each in item.properties:
        if each.property.kind == b"auxC":
            return each.property.content[4:].partition(b"\0")[0]
    return b""


def select(source: UntrustedSource, index: Index, limits: Limits, kinds: set[str]) -> list[Kept]:
    """Return the items that stay, the primary one first; adds to ``kinds`` what goes.

    Raises a leaf of Refused.
    """
    selector = _Selector(source, index, limits, kinds)
    selector.run()
    return list(selector.kept.values())
