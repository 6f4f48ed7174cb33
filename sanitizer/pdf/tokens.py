"""A content stream, cut into operators and what stands before them (ISO 32000-1, 7.8.2).

Rule: comments and blanks vanish, every number, name and string gets our one spelling. Broken
pieces are read as viewers read them, or dropped; nothing is passed on that was not understood.
"""

import re
from collections.abc import Iterator

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pdf.model import Name, Number, Text, Value, number

_TOKEN = re.compile(
    rb"[\0\t\n\f\r ]*"
    rb"(?:([+-]?[0-9]+(?:\.[0-9]*)?(?=[\0\t\n\f\r ()<>\[\]{}/%]|$)"
    rb"|[+-]?\.[0-9]+(?=[\0\t\n\f\r ()<>\[\]{}/%]|$))"
    rb"|(/[^\0\t\n\f\r ()<>\[\]{}/%]*)"
    rb"|(<<|>>|[\[\]{})>])"
    rb"|(\()"
    rb"|<([^<>]*)>?"
    rb"|([^\0\t\n\f\r ()<>\[\]{}/%]+)"
    rb"|(%)[^\r\n]*)"
)
_NUMBER, _NAME, _MARK, _STRING, _HEX, _WORD, _COMMENT = range(1, 8)
_PLAIN = re.compile(rb"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{0,7}[1-9])?")
_ODD_NUMBER = re.compile(rb"[+-]*[0-9]*\.?[0-9]*")
_ESCAPED = re.compile(rb"#([0-9a-fA-F]{2})")
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_IN_STRING = re.compile(rb"[()\\]")
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|[\r\n])|(.?))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_KEYWORDS: dict[bytes, bool | None] = {b"true": True, b"false": False, b"null": None}
_MOST_OPERANDS = 100_000
_DEEPEST = 8
_LONGEST_NUMBER = 64
_CACHED = 50_000

Operation = tuple[bytes, list[Value]]


class Tokens:
    """One walk through one content stream; ``at`` is where the next token is looked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self._numbers: dict[bytes, Number] = {}

    def operations(self) -> Iterator[Operation]:
        """Yield operators with their operands; operands before no operator are lost.

        The caller may set ``at`` while an operator is in its hands (inline images do).
        """
        operands: list[Value] = []
        open_: list[tuple[bytes, list[Value]]] = []
        while True:
            found = _TOKEN.match(self.data, self.at)
            if found is None:
                return
            self.at = found.end()
            kind = found.lastindex
            if kind == _COMMENT:
                continue
            if kind == _WORD and found[_WORD] not in _KEYWORDS and not _is_odd_number(found[_WORD]):
                if not open_:
                    yield found[_WORD], operands
                operands, open_ = [], []
                continue
            if kind == _MARK:
                operands = _marked(found[_MARK], operands, open_)
            else:
                operands.append(self._value(found, kind or 0))
            if len(operands) > _MOST_OPERANDS:
                raise TooComplex("too many operands")

    def _value(self, found: re.Match[bytes], kind: int) -> Value:
        token = found[kind]
        if kind == _NUMBER:
            return self._number(token)
        if kind == _NAME:
            return Name(_ESCAPED.sub(lambda sign: bytes([int(sign[1], 16)]), token[1:]))
        if kind == _HEX:
            digits = _NOT_HEX.sub(b"", token)
            return Text(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()))
        if kind == _STRING:
            return self._string()
        if token in _KEYWORDS:
            return _KEYWORDS[token]
        return self._number(_ODD_NUMBER.match(token)[0])  # type: ignore[index]

    def _number(self, token: bytes) -> Number:
        known = self._numbers.get(token)
        if known is not None:
            return known
        if _PLAIN.fullmatch(token) and token != b"-0":
            made = Number(token)
        else:
            sign = b"-" if token.startswith(b"-") else b""
            digits = token.lstrip(b"+-")
            if len(digits) > _LONGEST_NUMBER:
                raise Malformed("a number without an end")
            made = number(sign + b"0" + digits)
        if len(self._numbers) < _CACHED:
            self._numbers[token] = made
        return made

    def _string(self) -> Text:
        """Read a literal string whose parenthesis is behind us."""
        start, depth, at = self.at, 1, self.at
        while depth:
            found = _IN_STRING.search(self.data, at)
            if found is None:
                at = len(self.data) + 1
                break
            at = found.end() + (found[0] == b"\\")
            depth += {b"(": 1, b")": -1}.get(found[0], 0)
        raw = self.data[start : at - 1]
        self.at = min(at, len(self.data))
        # A line's end within a string is a line feed, however it was written.
        raw = _ESCAPE.sub(_unescaped, re.sub(rb"(?<!\\)\r\n?", b"\n", raw))
        return Text(raw)


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return bytes([int(found[1], 8) & 0xFF])
    if found[2] is not None:
        return b""
    return _LETTERS.get(found[3], found[3])


def _is_odd_number(word: bytes) -> bool:
    """Tell whether viewers take a word for a number: ``--5``, ``1.2.3``, ``12-34``, ``.``."""
    return word[0] in b"+-.0123456789"


def _marked(
    mark: bytes, operands: list[Value], open_: list[tuple[bytes, list[Value]]]
) -> list[Value]:
    """Open or close an array or a dictionary; return the list that now takes values."""
    if mark in {b"[", b"<<"}:
        if len(open_) >= _DEEPEST:
            raise TooComplex("operands nested too deeply")
        open_.append((mark, operands))
        return []
    if mark not in {b"]", b">>"} or not open_ or open_[-1][0] != {b"]": b"[", b">>": b"<<"}[mark]:
        return operands
    opened, outer = open_.pop()
    if opened == b"[":
        outer.append(operands)
    else:
        pairs = zip(operands[::2], operands[1::2], strict=False)
        outer.append({key: each for key, each in pairs if isinstance(key, Name)})
    return outer
