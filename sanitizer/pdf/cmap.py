"""Maps from codes to characters, written anew (ISO 32000-1, 9.7.5 and 9.10.3).

Rule: a map is a program too; read are the tables in it, written are the tables alone, inside a
frame that is the same for all. Only a code that is shown stands for a text, and for a few
characters at most, as a ligature does, so that no sentence fits beside a letter.
"""

from collections.abc import Iterator

from sanitizer.errors import TooComplex
from sanitizer.pdf.model import Name, Number, Text, Value
from sanitizer.pdf.shown import Shown
from sanitizer.pdf.tokens import Tokens

_MOST_LINES = 200_000
_LONGEST_CODE = 4
_MOST_TEXT = 8
_BLOCK = 100
_BOTH_WAYS = (
    "Identity GB-EUC GBpc-EUC GBK-EUC GBKp-EUC GBK2K UniGB-UCS2 UniGB-UTF16 B5pc HKscs-B5 ETen-B5"
    " ETenms-B5 CNS-EUC UniCNS-UCS2 UniCNS-UTF16 83pv-RKSJ 90ms-RKSJ 90msp-RKSJ 90pv-RKSJ Add-RKSJ"
    " EUC Ext-RKSJ UniJIS-UCS2 UniJIS-UCS2-HW UniJIS-UTF16 UniJIS2004-UTF16 KSC-EUC KSCms-UHC"
    " KSCms-UHC-HW KSCpc-EUC UniKS-UCS2 UniKS-UTF16"
)
_PREDEFINED = {b"H", b"V"} | {
    f"{name}-{way}".encode() for name in _BOTH_WAYS.split() for way in "HV"
}
_HEAD = (
    b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
    b"/CMapName /F def\n/CMapType %d def\n"
)
_TAIL = b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
_TABLES = (
    b"codespacerange", b"notdefchar", b"notdefrange", b"cidchar", b"cidrange", b"bfchar",
)  # fmt: skip


def is_predefined(name: bytes) -> bool:
    """Tell whether a name is that of a map which every reader knows (Table 118)."""
    return name in _PREDEFINED


def to_unicode(untrusted: bytes, shown: Shown) -> bytes:
    """Return a map that says which text each letter that is shown stands for; empty if none."""
    texts: dict[bytes, bytes] = {}
    lines = 0
    for operator, operands in Tokens(untrusted).operations():
        width = {b"endbfchar": 2, b"endbfrange": 3}.get(operator, 0)
        for at in range(0, len(operands) - width + 1, width) if width else ():
            lines += 1
            if lines > _MOST_LINES:
                raise TooComplex("a map with too many lines")
            *codes, value = operands[at : at + width]
            if all(map(_code, codes)):
                _put_texts(texts, Text(codes[0]), Text(codes[-1]), value, shown)  # type: ignore[arg-type]
    if not texts:
        return b""
    order = sorted(texts, key=lambda code: (len(code), code))
    spaces = [b"<%s> <%s>" % (b"00" * size, b"ff" * size) for size in sorted({*map(len, order)})]
    return _written(
        {
            **{key: [] for key in _TABLES},
            b"codespacerange": spaces,
            b"bfchar": [_hex(Text(code)) + b" " + _hex(Text(texts[code])) for code in order],
        },
        2,
        {b"codespacerange", b"bfchar"},
        vertical=False,
    )


def _put_texts(
    texts: dict[bytes, bytes], low: bytes, high: bytes, value: Value, shown: Shown
) -> None:
    """Take down what the codes from ``low`` to ``high`` stand for, of those that are shown."""
    if len(low) != len(high):
        return
    first = int.from_bytes(low, "big")
    for code in shown.within(low, high):
        step = int.from_bytes(code, "big") - first
        if isinstance(value, list):
            text = value[step] if step < len(value) else None
        else:
            text = _counted_up(value, step)
        if isinstance(text, Text) and 0 < len(text) <= _MOST_TEXT:
            texts[code] = text


def _counted_up(value: Value, step: int) -> Value:
    """Return a text whose last character is so many further on."""
    if not isinstance(value, Text) or not step:
        return value
    last = int.from_bytes(value[-2:], "big") + step & 0xFFFF
    return Text(value[:-2] + last.to_bytes(min(2, len(value)), "big")) if len(value) > 1 else None


def to_glyphs(untrusted: bytes, *, vertical: bool) -> bytes:
    """Return a map that says which letter a code shows."""
    kept = {b"codespacerange", b"notdefchar", b"notdefrange", b"cidchar", b"cidrange"}
    return _written(_tables(untrusted), 1, kept, vertical=vertical)


def used_map(untrusted: bytes) -> bytes:
    """Return the name of the map on which this one builds, or nothing."""
    for operator, operands in Tokens(untrusted).operations():
        if operator == b"usecmap" and operands and isinstance(operands[-1], Name):
            return operands[-1]
    return b""


def _tables(untrusted: bytes) -> dict[bytes, list[bytes]]:
    made: dict[bytes, list[bytes]] = {key: [] for key in _TABLES}
    lines = 0
    for operator, operands in Tokens(untrusted).operations():
        kind = operator.removeprefix(b"end")
        if kind == operator or kind not in made:
            continue
        width = 2 if kind.endswith(b"char") or kind == b"codespacerange" else 3
        for line in _lines(kind, operands, width):
            lines += 1
            if lines > _MOST_LINES:
                raise TooComplex("a map with too many lines")
            made[kind].append(line)
    return made


def _lines(kind: bytes, operands: list[Value], width: int) -> Iterator[bytes]:
    for at in range(0, len(operands) - width + 1, width):
        *told, value = operands[at : at + width]
        codes = [_code(each) for each in told]
        target = _target(kind, value)
        if all(codes) and target:
            yield b" ".join([*codes, target])


def _target(kind: bytes, value: Value) -> bytes:
    """Return what codes stand for; nothing for what is no target."""
    if kind == b"codespacerange":
        return _code(value)
    return bytes(value) if isinstance(value, Number) and value.isdigit() else b""


def _code(value: Value) -> bytes:
    if not isinstance(value, Text) or not 0 < len(value) <= _LONGEST_CODE:
        return b""
    return _hex(value)


def _hex(value: Text) -> bytes:
    return b"<" + value.hex().encode() + b">"


def _written(
    tables: dict[bytes, list[bytes]], kind: int, kept: set[bytes], *, vertical: bool
) -> bytes:
    made = [_HEAD % kind]
    if vertical:
        made.append(b"/WMode 1 def\n")
    if not tables[b"codespacerange"]:
        tables = {**tables, b"codespacerange": [b"<0000> <ffff>"]}
    for name in _TABLES:
        lines = tables[name] if name in kept else []
        for at in range(0, len(lines), _BLOCK):
            block = lines[at : at + _BLOCK]
            made.append(b"%d begin%s\n" % (len(block), name))
            made.append(b"\n".join(block) + b"\nend%s\n" % name)
    return b"".join([*made, _TAIL])
