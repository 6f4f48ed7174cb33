"""Re-read a finished PDF and refuse it unless all of it is pages and what they show.

Rule: shares no code with the writer and knows no qpdf. From the root on, every value must be of
the kind that its place asks for; every key must be on the list of its dictionary; an object that
is not reached that way is a survivor. Streams are judged by what they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from sanitizer.errors import MetadataSurvived
from sanitizer.pdf import check_fonts, check_shown, check_streams
from sanitizer.pdf.check_outlines import Asked
from sanitizer.pdf.check_shown import Seen
from sanitizer.pdf.check_tables import DEVICES, PREDEFINED, TABLES
from sanitizer.pdf.check_values import Held, Name, Ref, objects

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = {
    "Font": re.compile(r"F\d+"),
    "XObject": re.compile(r"X\d+"),
    "ExtGState": re.compile(r"G\d+"),
    "ColorSpace": re.compile(r"C\d+|DefaultGray|DefaultRGB|DefaultCMYK"),
    "Pattern": re.compile(r"P\d+"),
    "Shading": re.compile(r"S\d+"),
}
_MOST_STEPS = 5_000_000


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds a PDF of our narrow grammar."""
    found, root = objects(file.read())
    _Walk(found).run(root)


class _Walk:
    """One walk over all objects, from the root, by a list of what is still to be judged."""

    def __init__(self, found: dict[int, Held]) -> None:
        self._objects = found
        self._seen: set[tuple[int, str]] = set()
        self._waiting: list[tuple[object, str]] = []
        self._shown: dict[int, Seen] = {}
        self._methods: dict[str, Callable[[object, bytes | None], None]] = {
            "int": self._int, "number": self._number, "bool": self._bool, "parent": self._parent,
            "page": self._page, "font": self._font,
            "external": self._external, "space": self._space, "pattern": self._pattern,
            "shading": self._shading, "dash": self._dash, "sized": self._sized,
            "softmask": self._soft_mask, "function": self._function,
            "functions": self._functions, "colourkey": self._colour_key, "globals": self._globals,
            "gamma": self._gamma, "encoding": self._encoding, "text": self._text,
            "codes": self._codes, "widths": self._widths, "glyphmap": self._glyph_map,
            "letters": self._letters, "names": self._letter_names, "program": self._program,
            "adobe": self._adobe, "ordering": self._ordering,
        }  # fmt: skip

    def run(self, root: int) -> None:
        """Judge everything that is reached, and then that everything was."""
        self._waiting.append((Ref(root), "catalog"))
        steps = 0
        while self._waiting:
            steps += 1
            if steps > _MOST_STEPS:
                raise MetadataSurvived("the result has no end")
            value, rule = self._waiting.pop()
            if isinstance(value, Ref) and rule != "parent":
                if (value.number, rule) in self._seen:
                    continue
                self._seen.add((value.number, rule))
                held = self._objects.get(value.number)
                if held is None or isinstance(held.value, Ref):
                    raise MetadataSurvived("the result names an object that it has not")
                self._judge(held.value, rule, held.data)
            else:
                self._judge(value, rule, None)
        if {number for number, _ in self._seen} != set(self._objects):
            raise MetadataSurvived("an object of the result belongs to no page")
        self._judge_fonts()

    def _judge_fonts(self) -> None:
        """Judge what each font says by all that is shown of it, and then the programs."""
        asked = Asked()
        for number, rule in self._seen:
            if rule == "font":
                font, seen = _table(self._objects[number].value), self._shown.get(number, Seen())
                check_shown.judge(font, seen, self._resolved, check_streams.inflated)
                asked.font(font, seen, self._resolved, check_streams.inflated)
        for number, rule in self._seen:
            if rule == "program":
                asked.judge(number, check_streams.inflated(self._objects[number].data))

    def _judge(self, value: object, rule: str, data: bytes | None) -> None:
        if rule.startswith("/"):
            _require(isinstance(value, Name) and re.fullmatch(rule[1:], value) is not None)
        elif rule.startswith("["):
            self._waiting += [(each, rule[1:-1]) for each in _array(value)]
        elif rule.startswith("{"):
            self._waiting += [(each, rule[1:-1]) for each in _table(value).values()]
        elif rule in self._methods:
            self._methods[rule](value, data)
        else:
            self._keys(value, rule, data)

    def _keys(self, value: object, rule: str, data: bytes | None = None) -> None:
        # A stream that is taken for a dictionary would hide what it holds.
        _require(("Length" in _table(value)) == (data is not None))
        for key, each in _table(value).items():
            _require(key in TABLES[rule])
            self._waiting.append((each, TABLES[rule][key]))

    def _resolved(self, value: object) -> Held:
        held = self._objects.get(value.number) if isinstance(value, Ref) else Held(value, None)
        if held is None:
            raise MetadataSurvived("the result names an object that it has not")
        return held

    # --- simple values --------------------------------------------------------------------------

    def _int(self, value: object, _data: bytes | None) -> None:
        _require(type(value) is int)

    def _number(self, value: object, _data: bytes | None) -> None:
        _require(type(value) in {int, float})

    def _bool(self, value: object, _data: bytes | None) -> None:
        _require(isinstance(value, bool))

    def _parent(self, value: object, _data: bytes | None) -> None:
        _require(_table(self._resolved(value).value).get("Type") == "Pages")

    def _adobe(self, value: object, _data: bytes | None) -> None:
        _require(value == b"Adobe")

    def _ordering(self, value: object, _data: bytes | None) -> None:
        _require(value in check_fonts.ORDERINGS)

    def _gamma(self, value: object, _data: bytes | None) -> None:
        self._waiting.append((value, "[number]" if isinstance(value, list) else "number"))

    def _dash(self, value: object, _data: bytes | None) -> None:
        lengths, phase = _pair(value)
        self._waiting += [(lengths, "[number]"), (phase, "number")]

    def _sized(self, value: object, _data: bytes | None) -> None:
        font, size = _pair(value)
        self._waiting += [(font, "font"), (size, "number")]

    def _widths(self, value: object, _data: bytes | None) -> None:
        for each in _array(value):
            self._waiting.append((each, "[number]" if isinstance(each, list) else "number"))

    # --- resources and what they name -----------------------------------------------------------

    def _page(self, value: object, _data: bytes | None) -> None:
        self._keys(value, "page")
        table = _table(value)
        held = self._resolved(table.get("Contents"))
        self._waiting.append((table.get("Contents"), "bare"))
        self._draws(table, check_streams.inflated(held.data))

    def _draws(self, holder: dict[str, object], *contents: bytes) -> None:
        """Judge drawing, and that its holder has the resources that it names and no others."""
        resources = _table(holder.get("Resources"))
        fonts = {**_table(resources.get("Font", {}))}
        states = {}
        for name, each in _table(resources.get("ExtGState", {})).items():
            font = _table(self._resolved(each).value).get("Font")
            if font is not None:
                states[name] = _pair(font)[0]
        used = check_streams.Used(states=frozenset(states))
        for each in contents:
            check_streams.content(each, used)
        for kind in resources | used.names:
            pattern = _NAMES.get(kind)
            named = _table(resources.get(kind, {}))
            _require(pattern is not None and all(map(pattern.fullmatch, named)))
            asked = {name for name in named if not name.startswith("Default")}
            _require(asked == used.names.get(kind, set()))
        fonts |= states
        for name, seen in used.seen.items():
            ref = fonts.get(name)
            if not isinstance(ref, Ref):
                raise MetadataSurvived("the result shows letters of no font")
            self._shown.setdefault(ref.number, Seen()).join(seen)
            # Letters that are drawings are seen in every mode.
            is_drawn = _table(self._resolved(ref).value).get("Subtype") == "Type3"
            _require(name not in used.unseen or is_drawn)

    def _external(self, value: object, data: bytes | None) -> None:
        subtype = _table(value).get("Subtype")
        if subtype == "Form":
            self._keys(value, "form", data)
            self._draws(_table(value), check_streams.inflated(data))
        else:
            self._keys(value, "image", data)
            table = _table(value)
            count = self._components(table.get("ColorSpace"), 0)
            check_streams.image(table, data, count)
            space = self._resolved(table.get("ColorSpace")).value
            if isinstance(space, list) and space[0] == "Indexed":
                check_streams.palette(table, data, space)

    def _components(self, value: object, depth: int) -> int:
        """Return how many numbers make a colour; one where there is no space (a mask)."""
        value = self._resolved(value).value
        _require(depth < 8)  # noqa: PLR2004 - spaces within spaces
        if isinstance(value, list) and value:
            kind = value[0]
            if kind == "ICCBased":
                count = _table(self._resolved(value[1]).value).get("N")
                return count if isinstance(count, int) else 0
            if kind == "DeviceN":
                return len(_array(value[1]))
            return 3 if kind in {"CalRGB", "Lab"} else 1
        return {"DeviceRGB": 3, "DeviceCMYK": 4}.get(str(value), 1)

    def _colour_key(self, value: object, data: bytes | None) -> None:
        if isinstance(value, list):
            self._waiting.append((value, "[number]"))
        else:
            self._external(value, data)

    def _globals(self, value: object, data: bytes | None) -> None:
        self._keys(value, "bare", data)
        check_streams.jbig2(check_streams.inflated(data))

    def _pattern(self, value: object, data: bytes | None) -> None:
        if data is None:
            self._keys(value, "shaded")
        else:
            self._keys(value, "tiling", data)
            self._draws(_table(value), check_streams.inflated(data))

    def _shading(self, value: object, data: bytes | None) -> None:
        self._keys(value, "smooth", data)
        if data is not None:
            check_streams.inflated(data)

    def _soft_mask(self, value: object, _data: bytes | None) -> None:
        self._waiting.append((value, "/None" if isinstance(value, Name) else "mask"))

    def _functions(self, value: object, data: bytes | None) -> None:
        if isinstance(value, list):
            self._waiting.append((value, "[function]"))
        else:
            self._function(value, data)

    def _function(self, value: object, data: bytes | None) -> None:
        self._keys(value, "mapping", data)
        if data is not None:
            check_streams.function(_table(value), data)

    def _space(self, value: object, _data: bytes | None) -> None:
        if not isinstance(value, list):
            self._waiting.append((value, f"/{DEVICES}"))
            return
        kind, *rest = value or [None]
        if kind in {"CalGray", "CalRGB", "Lab"}:
            self._waiting += [(each, "calibrated") for each in rest]
        elif kind == "ICCBased":
            for each in rest:
                held = self._resolved(each)
                self._waiting.append((each, "profile"))
                check_streams.profile(check_streams.inflated(held.data))
        elif kind == "Indexed" and len(rest) == 3:  # noqa: PLR2004 - base, last index, table
            self._waiting += [(rest[0], "space"), (rest[1], "int")]
            count = self._components(rest[0], 0)
            _require(isinstance(rest[2], bytes) and isinstance(rest[1], int))
            _require(len(rest[2]) == count * (rest[1] + 1))
        elif kind == "Pattern":
            self._waiting += [(each, "space") for each in rest]
        else:
            _require(kind in {"Separation", "DeviceN"} and len(rest) == 3)  # noqa: PLR2004
            inks = rest[0] if kind == "DeviceN" else [rest[0]]
            self._waiting += [(each, "/" + check_streams.INK) for each in _array(inks)]
            self._waiting += [(rest[1], "space"), (rest[2], "function")]

    # --- fonts ----------------------------------------------------------------------------------

    def _font(self, value: object, _data: bytes | None) -> None:
        subtype = str(_table(value).get("Subtype"))
        self._keys(value, {"Type0": "composite", "Type3": "drawn"}.get(subtype, "simple"))
        if subtype == "Type3":
            letters = _table(_table(value).get("CharProcs"))
            held = [self._resolved(each).data for each in letters.values()]
            self._draws(_table(value), *map(check_streams.inflated, held))

    def _encoding(self, value: object, _data: bytes | None) -> None:
        rule = TABLES["differences"]["BaseEncoding"] if isinstance(value, Name) else "differences"
        self._waiting.append((value, rule))

    def _letter_names(self, value: object, _data: bytes | None) -> None:
        for each in _array(value):
            # Which names may stand here depends on the font: see check_shown.
            _require(isinstance(each, Name) or type(each) is int)

    def _letters(self, value: object, _data: bytes | None) -> None:
        for name, each in _table(value).items():
            _require(check_shown.is_letter(name.encode()))
            self._waiting.append((each, "bare"))

    def _text(self, value: object, data: bytes | None) -> None:
        if isinstance(value, Name):
            _require(value == "Identity-H")
        else:
            self._keys(value, "bare", data)
            check_fonts.mapping(check_streams.inflated(data))

    def _codes(self, value: object, data: bytes | None) -> None:
        if isinstance(value, Name):
            _require(re.fullmatch(PREDEFINED, value) is not None)
        else:
            self._keys(value, "cmap", data)
            check_fonts.mapping(check_streams.inflated(data))

    def _glyph_map(self, value: object, data: bytes | None) -> None:
        if isinstance(value, Name):
            _require(value == "Identity")
        else:
            self._keys(value, "bare", data)
            size = len(check_streams.inflated(data))
            _require(size % 2 == 0 and size <= 1 << 17)

    def _program(self, value: object, data: bytes | None) -> None:
        self._keys(value, "file", data)
        check_fonts.program(_table(value), check_streams.inflated(data))


def _require(fits: bool) -> None:  # noqa: FBT001 - the one thing that it asks
    if not fits:
        raise MetadataSurvived("the result holds something that no page shows")


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MetadataSurvived("the result holds another thing than it should")
    return value


def _array(value: object) -> list[object]:
    if not isinstance(value, list):
        raise MetadataSurvived("the result holds another thing than it should")
    return value


def _pair(value: object) -> tuple[object, object]:
    found = _array(value)
    _require(len(found) == 2)  # noqa: PLR2004 - two things
    return found[0], found[1]
