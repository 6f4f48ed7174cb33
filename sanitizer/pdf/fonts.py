"""Fonts of the new file (ISO 32000-1, 9.5 to 9.10).

Rule: what places and draws letters stays, what names the font's maker, its file or the machine
it came from goes, and what it says of codes that no content shows. Embedded programs are built
anew; a program that cannot be read is a reason to refuse, because a reader would show other
letters without it.
"""

from dataclasses import dataclass, field

from sanitizer.errors import Malformed, Unsupported
from sanitizer.pdf import cff, cmap, numbered, reading, sfnt, type1
from sanitizer.pdf.filters import Decoder
from sanitizer.pdf.glyphs import (
    Names,
    character_of,
    embedded_name,
    installed_name,
    is_standard,
)
from sanitizer.pdf.model import Name, NewDocument, Ref, Stream, Text, Value, number, packed
from sanitizer.pdf.shown import Shown

_SIMPLE = {b"Type1", b"MMType1", b"TrueType"}
_CID = {b"CIDFontType0", b"CIDFontType2"}
_ENCODINGS = {b"WinAnsiEncoding", b"MacRomanEncoding", b"MacExpertEncoding", b"StandardEncoding"}
_METRICS = (
    "Ascent", "AvgWidth", "CapHeight", "Descent", "Flags", "FontWeight", "ItalicAngle", "Leading",
    "MaxWidth", "MissingWidth", "StemH", "StemV", "XHeight",
)  # fmt: skip
_ORDERINGS = {b"Identity", b"Japan1", b"GB1", b"CNS1", b"Korea1", b"KR", b"UCS", b"Japan2"}
_LETTER_M = ord("m")


@dataclass(slots=True)
class _Program:
    """An embedded font program: its key, its bytes and the new names of its letters."""

    key: bytes
    stream: Stream
    names: Names


@dataclass(slots=True)
class FontCopier:
    """Copies the fonts of one document."""

    document: NewDocument
    decoder: Decoder
    kinds: set[str]
    _count: int = field(default=0, init=False)
    _programs: dict[object, tuple[_Program, Ref]] = field(default_factory=dict, init=False)
    _wanted: dict[object, numbered.Wanted] = field(default_factory=dict, init=False)

    def is_drawn(self, source: reading.Source) -> bool:
        """Tell whether a font's letters are drawings (Type 3)."""
        return reading.name(reading.value_of(source, "Subtype")) == b"Type3"

    def stride(self, source: reading.Source) -> int:
        """Return how a font's codes are read; see Shown."""
        if reading.name(reading.value_of(source, "Subtype")) != b"Type0":
            return 0
        codes = reading.name(reading.value_of(source, "Encoding")) or b""
        return 2 if codes.startswith(b"Identity-") or b"-UCS2-" in codes else 1

    def foresee(self, source: reading.Source, shown: Shown) -> None:
        """Take down which letters a font asks of its program: others may share it."""
        is_composite = reading.name(reading.value_of(source, "Subtype")) == b"Type0"
        inner = numbered.descendant(source) if is_composite else source
        program = numbered.program_of(inner) if inner is not None else None
        if inner is None or program is None:
            return
        wanted = self._wanted.setdefault(program[1].objgen, numbered.Wanted())
        kept = numbered.cids(source, shown)
        kind = reading.name(reading.value_of(inner, "Subtype"))
        if kept is None or kind not in _CID:
            wanted.ask(None, None)
        elif kind == b"CIDFontType0":
            wanted.ask(None, kept)
        else:
            told = reading.stream(reading.value_of(inner, "CIDToGIDMap"))
            data = self.decoder.plain(told) if told is not None else None
            wanted.ask(numbered.mapped(data, kept), None)

    def copy(self, source: reading.Source, ref: Ref, shown: Shown) -> None:
        """Copy a font that is not drawn."""
        subtype = reading.name(reading.value_of(source, "Subtype"))
        if subtype == b"Type0":
            self.document.fill(ref, self._composite(source, shown))
        elif subtype in _SIMPLE:
            self.document.fill(ref, self._simple(source, subtype, shown))
        else:
            raise Unsupported("a font of an unknown kind")

    # --- simple fonts ---------------------------------------------------------------------------

    def _simple(self, source: reading.Source, subtype: bytes, shown: Shown) -> dict[bytes, Value]:
        made: dict[bytes, Value] = {b"Type": Name(b"Font")}
        names = self._described(source, made)
        kind = b"TrueType" if subtype == b"TrueType" else b"Type1"
        made[b"Subtype"] = Name(kind)
        # The width of an m tells a reader how narrow a letter is to be that it has to substitute.
        kept = shown.bytes_ if names is not None else shown.bytes_ | {_LETTER_M}
        wide = simple_widths(source, kept, {})
        if wide:
            made |= {**wide, b"Widths": self.document.add(wide[b"Widths"])}
        encoding = self._encoding(reading.value_of(source, "Encoding"), names, shown)
        if encoding is not None:
            made[b"Encoding"] = encoding
        self.put_text(source, made, shown)
        return made

    def _encoding(self, untrusted: object, names: Names | None, shown: Shown) -> Value:
        """Copy which code shows which letter."""
        only = reading.name(untrusted)
        if only is not None:
            return only if only in _ENCODINGS else None
        source = reading.dictionary(untrusted)
        if source is None:
            return None
        made: dict[bytes, Value] = {b"Type": Name(b"Encoding")}
        base = reading.name(reading.value_of(source, "BaseEncoding"))
        if base in _ENCODINGS:
            made[b"BaseEncoding"] = base
        told = listed(reading.items(reading.value_of(source, "Differences")))
        return self.differences(
            made,
            {
                code: Name(names.of(letter) if names is not None else _installed(letter))
                for code, letter in sorted(told.items())
                if code in shown.bytes_
            },
        )

    def differences(self, made: dict[bytes, Value], letters: dict[int, Name]) -> Value:
        """Return an encoding with the names of the letters of some codes, which are in order."""
        told: list[Value] = []
        for code, letter in letters.items():
            if code - 1 not in letters:
                told.append(number(code))
            told.append(letter)
        return {**made, b"Differences": told} if told else made

    def put_text(self, source: reading.Source, made: dict[bytes, Value], shown: Shown) -> None:
        """Copy which text the letters stand for."""
        untrusted = reading.value_of(source, "ToUnicode")
        text, named = reading.stream(untrusted), reading.name(untrusted)
        if text is not None:
            data = cmap.to_unicode(self.decoder.plain(text), shown)
            if data and ("text", data) not in self.document.copies:
                self.document.copies["text", data] = self.document.add_packed({}, data)
            if data:
                made[b"ToUnicode"] = self.document.copies["text", data]
        elif named is not None and named.startswith(b"Identity-"):
            made[b"ToUnicode"] = Name(b"Identity-H")

    # --- composite fonts ------------------------------------------------------------------------

    def _composite(self, source: reading.Source, shown: Shown) -> dict[bytes, Value]:
        descendant = numbered.descendant(source)
        if descendant is None:
            raise Malformed("a font without its letters")
        kind = reading.name(reading.value_of(descendant, "Subtype"))
        if kind not in _CID:
            raise Unsupported("a font of an unknown kind")
        cid: dict[bytes, Value] = {b"Type": Name(b"Font"), b"Subtype": Name(kind)}
        self._described(descendant, cid)
        kept = numbered.cids(source, shown)
        cid[b"CIDSystemInfo"] = _system(reading.value_of(descendant, "CIDSystemInfo"))
        for key in ("DW",):
            found = reading.real(reading.value_of(descendant, key))
            if found is not None:
                cid[key.encode()] = found
        vertical = reading.numbers(reading.value_of(descendant, "DW2"), 2, 2)
        if vertical is not None:
            cid[b"DW2"] = vertical
        for key, each in (("W", 1), ("W2", 3)):
            told = reading.items(reading.value_of(descendant, key))
            widths = numbered.widths(told, each, kept)
            if widths:
                cid[key.encode()] = self.document.add(widths)
        if kind == b"CIDFontType2":
            self._put_glyph_map(descendant, cid, kept)
        made: dict[bytes, Value] = {
            b"Type": Name(b"Font"),
            b"Subtype": Name(b"Type0"),
            b"BaseFont": cid[b"BaseFont"],
            b"DescendantFonts": [self.document.add(cid)],
            b"Encoding": self._codes(reading.value_of(source, "Encoding")),
        }
        self.put_text(source, made, shown)
        return made

    def _put_glyph_map(
        self, source: reading.Source, cid: dict[bytes, Value], kept: set[int] | None
    ) -> None:
        told = reading.stream(reading.value_of(source, "CIDToGIDMap"))
        if told is not None:
            data = numbered.glyph_map(self.decoder.plain(told), kept)
            cid[b"CIDToGIDMap"] = self.document.add_packed({}, data)
        elif b"FontDescriptor" in cid:
            cid[b"CIDToGIDMap"] = Name(b"Identity")

    def _codes(self, untrusted: object) -> Value:
        """Copy how a composite font's codes are read."""
        named = reading.name(untrusted)
        if named is not None:
            if not cmap.is_predefined(named):
                raise Unsupported("a font with codes of an unknown kind")
            return named
        source = reading.stream(untrusted)
        if source is None:
            raise Malformed("a font without codes")
        data = self.decoder.plain(source)
        vertical = reading.whole(reading.value_of(source, "WMode"), 0, 1) == 1
        entries: dict[bytes, Value] = {
            b"Type": Name(b"CMap"),
            b"CMapName": Name(b"F"),
            b"CIDSystemInfo": _system(reading.value_of(source, "CIDSystemInfo")),
        }
        if vertical:
            entries[b"WMode"] = number(1)
        base = reading.name(reading.value_of(source, "UseCMap")) or cmap.used_map(data)
        if base or reading.stream(reading.value_of(source, "UseCMap")) is not None:
            if not cmap.is_predefined(base):
                raise Unsupported("a font with codes of an unknown kind")
            entries[b"UseCMap"] = Name(base)
        made = cmap.to_glyphs(data, vertical=vertical)
        return self.document.add_packed(entries, made)

    # --- descriptors and programs ---------------------------------------------------------------

    def _described(self, source: reading.Source, made: dict[bytes, Value]) -> Names | None:
        """Copy a font's name and descriptor; return its letters' new names if it is embedded."""
        told = reading.name(reading.value_of(source, "BaseFont")) or Name(b"")
        system = reading.dictionary(reading.value_of(source, "CIDSystemInfo"))
        ordering = b"" if system is None else reading.string(reading.value_of(system, "Ordering"))
        descriptor = reading.dictionary(reading.value_of(source, "FontDescriptor"))
        if descriptor is None:
            made[b"BaseFont"] = Name(installed_name(told, 32, 0, ordering))
            return None
        entries: dict[bytes, Value] = {b"Type": Name(b"FontDescriptor")}
        for key in _METRICS:
            found = reading.real(reading.value_of(descriptor, key))
            if found is not None:
                entries[key.encode()] = found
        box = reading.numbers(reading.value_of(descriptor, "FontBBox"), 4, 4)
        if box is not None:
            entries[b"FontBBox"] = box
        program = self._program(source)
        if program is None:
            flags = reading.whole(reading.value_of(descriptor, "Flags"), 0, 1 << 31) or 0
            weight = float(bytes(entries.get(b"FontWeight") or b"0"))  # type: ignore[arg-type]
            name = Name(installed_name(told, flags, weight, ordering))
        else:
            name = Name(embedded_name(self._count))
            self._count += 1
            entries[program[0].key] = program[1]
        entries[b"FontName"] = made[b"BaseFont"] = name
        made[b"FontDescriptor"] = self.document.add(entries)
        return program[0].names if program else None

    def _program(self, source: reading.Source) -> tuple[_Program, Ref] | None:
        found = numbered.program_of(source)
        if found is None:
            return None
        key, stream = found
        if stream.objgen not in self._programs:
            wanted = self._wanted[stream.objgen]
            made = self._cleaned(key, self.decoder.plain(stream), wanted)
            self._programs[stream.objgen] = (made, self.document.add(made.stream))
        return self._programs[stream.objgen]

    def _cleaned(self, key: str, data: bytes, wanted: numbered.Wanted) -> _Program:
        """Return a program built anew; what it is, is decided from its bytes."""
        names = Names()
        if data.startswith((b"\0\1\0\0", b"true", b"ttcf", b"OTTO")):
            made = sfnt.cleaned(data, names, wanted)
            if made.startswith(b"OTTO"):
                kind = b"OpenType"
                return _Program(b"FontFile3", packed({b"Subtype": Name(kind)}, made), names)
            length: dict[bytes, Value] = {b"Length1": number(len(made))}
            return _Program(b"FontFile2", packed(length, made), names)
        if key == "FontFile" and not data.startswith(b"\1\0"):
            made, (clear, coded) = type1.cleaned(data, names)
            lengths: dict[bytes, Value] = {
                b"Length1": number(clear),
                b"Length2": number(coded),
                b"Length3": number(0),
            }
            return _Program(b"FontFile", packed(lengths, made), names)
        made = cff.cleaned(data, names, wanted.by_number)
        kind = b"CIDFontType0C" if cff.is_by_number(made) else b"Type1C"
        return _Program(b"FontFile3", packed({b"Subtype": Name(kind)}, made), names)


def listed(told: list[object]) -> dict[int, bytes]:
    """Return which codes ask for which letters, by a list of differences."""
    found: dict[int, bytes] = {}
    code = 0
    for each in told:
        letter = reading.name(each)
        if letter is None:
            code = reading.whole(each, 0, 255) or 0
            continue
        if code < 256:  # noqa: PLR2004 - a byte
            found[code] = letter
        code += 1
    return found


def simple_widths(
    source: reading.Source, kept: set[int], none: dict[bytes, Value]
) -> dict[bytes, Value]:
    """Return how wide the letters of some codes are; ``none`` where nothing is told of any."""
    first = reading.whole(reading.value_of(source, "FirstChar"), 0, 255) or 0
    told = reading.items(reading.value_of(source, "Widths"))[: 256 - first]
    codes = [code for code in range(first, first + len(told)) if code in kept]
    if not told:
        return none
    if not codes:
        # A font that tells no width at all is another one to a reader.
        codes = [min(set(range(256)) - kept)]
        told, first = [0], codes[0]
    wide: list[Value] = [
        (reading.real(told[code - first]) if code in kept else None) or number(0)
        for code in range(codes[0], codes[-1] + 1)
    ]
    return {b"FirstChar": number(codes[0]), b"LastChar": number(codes[-1]), b"Widths": wide}


def _installed(letter: bytes) -> bytes:
    """Return a letter's name in a font that is not embedded: one that every reader knows."""
    is_known = is_standard(letter) or character_of(letter) is not None
    return letter if is_known else b".notdef"


def _system(untrusted: object) -> dict[bytes, Value]:
    """Return which collection of characters a font's numbers belong to."""
    source = reading.dictionary(untrusted)
    ordering = reading.string(reading.value_of(source, "Ordering")) if source is not None else b""
    supplement = (
        reading.whole(reading.value_of(source, "Supplement"), 0, 20) if source is not None else 0
    )
    is_known = ordering in _ORDERINGS
    return {
        b"Registry": Text(b"Adobe"),
        b"Ordering": Text(ordering if is_known else b"Identity"),
        b"Supplement": number((supplement or 0) if is_known else 0),
    }
