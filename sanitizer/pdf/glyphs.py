"""Names of letters inside fonts, and names of fonts.

Rule: a letter's name stays only where it is a standard's (the Adobe Glyph List, the dingbats), or
the number of a character that the font itself knows by that number; any other is replaced by a
number of ours, in the font and wherever it is asked for by name: it could be a person's. The name
of an embedded font means nothing to a reader and is ours; that of a font that is not embedded
stays where it belongs to a family that is on every second computer, else its nearest relative.
"""

import re
from dataclasses import dataclass, field

from sanitizer.pdf.letter_names import NAMES as LETTERS
from sanitizer.pdf.letter_names_more import NAMES as MORE_LETTERS

_STANDARD = LETTERS | MORE_LETTERS | {b".notdef", b".null", b"nonmarkingreturn"}
_DINGBATS = frozenset(b"a%d" % number for number in range(1, 207))
_CHARACTER = re.compile(rb"(?:uni([0-9A-F]{4})|u(1?[0-9A-F]{5}|[0-9A-F]{4}))")
_FAMILIES = frozenset(
    {
        "helvetica", "times", "courier", "symbol", "zapfdingbats", "arial", "arialmt",
        "arialnarrow", "arialblack", "arialunicodems", "timesnewroman", "timesnewromanps",
        "timesnewromanpsmt", "couriernew", "couriernewps", "couriernewpsmt", "verdana", "georgia",
        "tahoma", "trebuchet", "trebuchetms", "calibri", "cambria", "candara", "consolas",
        "constantia", "corbel", "segoeui", "palatino", "palatinolinotype", "bookantiqua",
        "bookman", "garamond", "centurygothic", "impact", "comicsansms", "wingdings",
        "wingdings2", "wingdings3", "webdings", "dejavusans", "dejavuserif", "dejavusansmono",
        "liberationsans", "liberationserif", "liberationmono", "simsun", "nsimsun", "simhei",
        "kaiti", "fangsong", "microsoftyahei", "mingliu", "pmingliu", "msgothic", "mspgothic",
        "msmincho", "mspmincho", "meiryo", "batang", "dotum", "gulim", "malgungothic", "stsong",
        "stsonglight", "stsongstd", "mhei", "msung", "msungstd", "heiseimin", "heiseikakugo",
        "kozminpro", "kozminpr6n", "kozgopro", "hysmyeongjo", "hygothic", "adobesongstd",
        "adobemingstd", "adobemyungjostd", "traditionalarabic", "simplifiedarabic",
        "arabictypesetting", "sakkalmajalla", "notosans", "notoserif", "notonaskharabic", "amiri",
        "roboto", "opensans", "lato",
    }
)  # fmt: skip
# A font that every reader knows for each collection: another one would have none of its letters.
_COLLECTIONS = {
    b"GB1": b"STSong-Light",
    b"CNS1": b"MSung-Light",
    b"Japan1": b"HeiseiMin-W3",
    b"Japan2": b"HeiseiMin-W3",
    b"Korea1": b"HYSMyeongJo-Medium",
    b"KR": b"HYSMyeongJo-Medium",
}
_STYLE = re.compile(r"(bold|italic|oblique|regular|roman|light|medium|semibold|mt|ps)+")
_ORDINARY = re.compile(rb"[A-Za-z0-9]{1,32}(?:[-, ][A-Za-z0-9]{1,24}){0,4}")
_SUBSET = re.compile(rb"[A-Z]{6}\+")
_SIGNS = re.compile(rb"[^A-Za-z0-9]+")
_FIXED, _SERIF, _ITALIC, _FORCE_BOLD = 1, 2, 64, 1 << 18
_BOLD_WEIGHT = 600


def is_standard(name: bytes) -> bool:
    """Tell whether a letter's name is a standard's."""
    return name in _STANDARD or name in _DINGBATS


def character_of(name: bytes) -> int | None:
    """Return the character that a name like uni0041 stands for, or None."""
    found = _CHARACTER.fullmatch(name)
    return int(found[1] or found[2], 16) if found else None


@dataclass(slots=True)
class Names:
    """The names of one font's letters: new ones for those that are no standard's.

    ``characters`` are those by whose numbers a font can be asked: a name that says such a number
    finds its letter by it, and so stays.
    """

    characters: set[int] = field(default_factory=set)
    _new: dict[bytes, bytes] = field(default_factory=dict)

    def of(self, name: bytes) -> bytes:
        """Return the name that stands for ``name`` in the new file."""
        if is_standard(name) or character_of(name) in self.characters:
            return name
        if name not in self._new:
            self._new[name] = our_name(len(self._new))
        return self._new[name]


def our_name(number: int) -> bytes:
    """Return our name of a letter; readers take fewer signs before a number for a character's."""
    return b"xqz%d" % number


def embedded_name(count: int) -> bytes:
    """Return our name of the font of that number in the document."""
    letters = bytearray()
    for _ in range(6):
        count, digit = divmod(count, 26)
        letters.insert(0, ord("A") + digit)
    return bytes(letters) + b"+Font"


def installed_name(untrusted: bytes, flags: int, weight: float, ordering: bytes = b"") -> bytes:
    """Return the name by which a reader finds a font, or its nearest relative, on a computer.

    ``ordering`` is that of the collection of characters that its letters belong to.
    """
    name = _SUBSET.sub(b"", untrusted, count=1)
    told = _SIGNS.sub(b"", name).lower()
    if _ORDINARY.fullmatch(name):
        text = told.decode()
        for family in _FAMILIES:
            style = text.removeprefix(family)
            if text == family or (style != text and _STYLE.fullmatch(style)):
                return name
    if ordering in _COLLECTIONS:
        return _COLLECTIONS[ordering]
    bold = weight >= _BOLD_WEIGHT or flags & _FORCE_BOLD or b"bold" in told
    slanted = flags & _ITALIC or b"italic" in told or b"oblique" in told
    if flags & _FIXED or flags & _SERIF == 0:
        base, slant = (b"Courier" if flags & _FIXED else b"Helvetica"), b"Oblique"
        plain = b""
    else:
        base, slant, plain = b"Times", b"Italic", b"-Roman"
    ending = b"Bold" * bool(bold) + slant * bool(slanted)
    return base + (b"-" + ending if ending else plain)
