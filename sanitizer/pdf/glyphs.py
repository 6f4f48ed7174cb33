"""Names of letters inside fonts, and names of fonts.

Rule: a name that only a program reads may stay if it looks like the names of letters that
everybody uses; any other is replaced, in the font and wherever it is asked for by name. The name
of an embedded font means nothing to a reader and is ours; that of a font that is not embedded
stays where it belongs to a family that is on every second computer, else its nearest relative.
"""

import re
from dataclasses import dataclass, field

_COMMON = re.compile(rb"\.notdef|\.null|[A-Za-z]{1,20}[0-9]{0,5}(?:\.[a-z]{1,6}[0-9]{0,2})?")
_LIGATURE = re.compile(rb"[A-Za-z]{1,8}(?:_[A-Za-z]{1,8}){1,3}")
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
_STYLE = re.compile(r"(bold|italic|oblique|regular|roman|light|medium|semibold|mt|ps)+")
_ORDINARY = re.compile(rb"[A-Za-z0-9]{1,32}(?:[-, ][A-Za-z0-9]{1,24}){0,4}")
_SUBSET = re.compile(rb"[A-Z]{6}\+")
_SIGNS = re.compile(rb"[^A-Za-z0-9]+")
_FIXED, _SERIF, _ITALIC, _FORCE_BOLD = 1, 2, 64, 1 << 18
_BOLD_WEIGHT = 600


def is_common(name: bytes) -> bool:
    """Tell whether a letter's name is like those that everybody uses."""
    return bool(_COMMON.fullmatch(name) or _LIGATURE.fullmatch(name))


@dataclass(slots=True)
class Names:
    """The names of one font's letters: new ones for those that are not common."""

    _new: dict[bytes, bytes] = field(default_factory=dict)

    def of(self, name: bytes) -> bytes:
        """Return the name that stands for ``name`` in the new file."""
        if is_common(name):
            return name
        if name not in self._new:
            # Two letters and a number: no language's letter is called that.
            self._new[name] = b"xq%d" % len(self._new)
        return self._new[name]


def embedded_name(count: int) -> bytes:
    """Return our name of the font of that number in the document."""
    letters = bytearray()
    for _ in range(6):
        count, digit = divmod(count, 26)
        letters.insert(0, ord("A") + digit)
    return bytes(letters) + b"+Font"


def installed_name(untrusted: bytes, flags: int, weight: float) -> bytes:
    """Return the name by which a reader finds a font, or its nearest relative, on a computer."""
    name = _SUBSET.sub(b"", untrusted, count=1)
    told = _SIGNS.sub(b"", name).lower()
    if _ORDINARY.fullmatch(name):
        text = told.decode()
        for family in _FAMILIES:
            style = text.removeprefix(family)
            if text == family or (style != text and _STYLE.fullmatch(style)):
                return name
    bold = weight >= _BOLD_WEIGHT or flags & _FORCE_BOLD or b"bold" in told
    slanted = flags & _ITALIC or b"italic" in told or b"oblique" in told
    if flags & _FIXED or flags & _SERIF == 0:
        base, slant = (b"Courier" if flags & _FIXED else b"Helvetica"), b"Oblique"
        plain = b""
    else:
        base, slant, plain = b"Times", b"Italic", b"-Roman"
    ending = b"Bold" * bool(bold) + slant * bool(slanted)
    return base + (b"-" + ending if ending else plain)
