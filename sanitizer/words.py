"""Plain text: what can be read of it stays, what cannot be seen goes.

Rule (Unicode 15, chapters 9, 12 and 23; UTS 51): the result is UTF-8 in normal form C with line
feeds alone at the end of lines. Characters without a shape are dropped, because a text can be
numbered with them, except where they change what is seen: a joiner between letters that would
join, one variation selector that turns a sign into an emoji, direction marks beside words from
right to left. Of a pile of marks on one letter the first thirty stay (UAX 15, section 13; to put
more in order takes the square of their number). Blanks of every width become the plain blank,
blanks at the end of a line go. Not touched: letters that look alike, kashida, the number of
blanks within a line. Files that are more than text (markup, mail, cards, keys, files inside the
text) are refused.
"""

import itertools
import re
import unicodedata

from sanitizer import words_check
from sanitizer.detect import Format, detect
from sanitizer.errors import Empty, Malformed, TooLarge, Unsupported
from sanitizer.limits import Limits
from sanitizer.pieces import Plan, read_exactly
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_MARKS = {"\u200e": "L", "\u200f": "R", "\u061c": "R"}
_OPENERS = {"\u202a": "\u202c", "\u202b": "\u202c"} | dict.fromkeys("\u2066\u2067\u2068", "\u2069")
_DEEPEST = 3
_ROUNDS = 6
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_ENDS = re.compile(r"\r\n|[\r\u0085\u2028\u2029]")
_BLANKS = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800]")
_SHAPELESS = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u061c\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U00013430-\U0001343f\U000e0000-\U000e0fff]"
)
# What the walk below would drop one by one, dropped quickly: what is never kept, what stands
# between letters that never join, and piles.
_IDLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u180f\u200b\u202d\u202e\u2060-\u2065\u206a-\u206f"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U00013430-\U0001343f\U000e0000-\U000e0060\U000e0080-\U000e0fff]"
    "|(?<=[\x00-\u05ff])[\u200c\u200d\ufe0e]{1,64}(?=[\x00-\u05ff])"
    "|[\u180b-\u180d\u200c-\u200f\u061c\u202a-\u202c\u2066-\u2069\ufe0e\ufe0f]{9,}"
)
_NOBODYS = re.compile(
    "[\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(1, 15))
    + "]"
)
_FLAG = re.compile(
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)"
    "\U000e007f"
)
_FLAG_LENGTH = 7
_EMOJI = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_SKIN = range(0x1F3FB, 0x1F400)
_KEYCAP = re.compile("[0-9#*]")
_RIGHT_JOINING = frozenset(
    "\u0622\u0623\u0624\u0625\u0627\u0629\u062f\u0630\u0631\u0632\u0648\u0671\u0672\u0673\u0675"
    "\u0676\u0677\u06c0\u06cd\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef"
) | frozenset(map(chr, [*range(0x688, 0x69A), *range(0x6C3, 0x6CC)]))
_NEVER_JOINING = frozenset("\u0621\u0674")
_JOINING = re.compile(
    "[\u0620-\u064a\u066e-\u066f\u0671-\u06d3\u06d5\u06ee\u06ef\u06fa-\u06fc\u06ff\u0710-\u074a"
    "\u074d-\u077f\u07ca-\u07ea\u0840-\u0858\u0860-\u086a\u0870-\u0887\u0889-\u088e\u08a0-\u08c9"
    "\u1820-\u1878\u1880-\u18aa\ua840-\ua872\U00010ac0-\U00010ae4\U00010d00-\U00010d23"
    "\U0001e900-\U0001e943]"
)
_MONGOLIAN = re.compile("[\u1820-\u1842]")
_VIRAMA = 9
_INDIC = re.compile("[\u0900-\u0dff\u1000-\u109f\u1780-\u17d3\u1b05-\u1b44\ua980-\ua9c0]")
_REFUSED = (
    (re.compile(r"\s*<[A-Za-z!?/]"), "markup, which carries more than its text"),
    (re.compile(r"\s*\{\\rtf"), "RTF"),
    (re.compile(r"\s*BEGIN:V(?:CARD|CALENDAR)", re.IGNORECASE), "a card or a calendar"),
    (re.compile(r"\s*-----BEGIN "), "a key, a certificate or a locked message"),
    (re.compile(r"From (?:\S+@\S+ |[0-9a-f]{40} |MAILER-DAEMON|- [A-Z])"), "mail with its headers"),
)
_HEADER = re.compile(r"([A-Za-z][A-Za-z-]{1,60}):")
_MAIL = frozenset(
    {
        "received", "return-path", "message-id", "mime-version", "dkim-signature", "delivered-to",
        "x-originating-ip", "content-transfer-encoding", "content-type",
    }
)  # fmt: skip
_DATA_URL = re.compile(r"data:[a-z]{1,20}/[a-z0-9.+-]{1,80};base64,", re.IGNORECASE)
_UUENCODED = re.compile(r"^begin(?:-base64)? [0-7]{3} ", re.MULTILINE)
_CODED = re.compile(r"[A-Za-z0-9+/_=-]+")
_LONGEST_WORD = 512
_MOST_MARKS = 30
_CODED_LINE = 60
_CODED_LINES = 6


def clean(source: UntrustedSource, limits: Limits) -> Planned:
    """Return the text in plain UTF-8, and whether something invisible was in it.

    Raises a leaf of Refused.
    """
    if source.length > limits.text_bytes:
        raise TooLarge("a text longer than the limit")
    text = _decoded(read_exactly(source, 0, source.length))
    _refuse_more_than_text(text)
    visible = _visible(text)
    if not visible.strip():
        raise Empty("a text without a letter")
    plan = Plan(source, [visible.encode()])
    if detect(plan) is not Format.TEXT:
        raise Unsupported("a text that begins as another kind of file does")
    words_check.check(plan.open())
    kinds = {"hidden_text"} if visible.rstrip("\n") != _ENDS.sub("\n", text).rstrip("\n") else set()
    return Planned(plan, kinds, "text/plain", "txt")


def _decoded(untrusted: bytes) -> str:
    if untrusted.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise Unsupported("text in UTF-32")
    is_wide = untrusted.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = untrusted.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("the text breaks its own encoding") from None
    if _CONTROLS.search(text):
        raise Malformed("control characters in a text")
    return text


def _refuse_more_than_text(text: str) -> None:
    """Raise Unsupported for what is read as more than text, or holds another file."""
    head = _ENDS.sub("\n", text[:8192])
    head = _SHAPELESS.sub("", head)
    for pattern, name in _REFUSED:
        if pattern.match(head):
            raise Unsupported(name)
    if _has_mail_headers(head):
        raise Unsupported("mail with its headers")
    if _DATA_URL.search(text) or _UUENCODED.search(text):
        raise Unsupported("a file inside the text")
    coded = 0
    for line in text.splitlines():
        whole = _CODED.fullmatch(line.strip())
        coded = coded + 1 if whole and len(line) >= _CODED_LINE and not _is_rule(line) else 0
        if coded == _CODED_LINES or (
            len(line) >= _LONGEST_WORD
            and any(
                len(word) >= _LONGEST_WORD and not _is_rule(word) for word in _CODED.findall(line)
            )
        ):
            raise Unsupported("a file inside the text")


def _has_mail_headers(head: str) -> bool:
    """Tell whether a text begins with lines that only a mail program writes."""
    lines = itertools.takewhile(
        lambda line: _HEADER.match(line) or line.startswith((" ", "\t")), head.lstrip().split("\n")
    )
    found = [header[1].lower() for line in lines if (header := _HEADER.match(line))]
    return not _MAIL.isdisjoint(found)


def _is_rule(word: str) -> bool:
    """Tell whether a word is a drawn line: few different signs, many times."""
    return len(set(word)) <= 4  # noqa: PLR2004 - "----", "=-=-", "+---+"


def _visible(text: str) -> str:
    """Return the text without what cannot be seen; the same again when it is cleaned again."""
    text = _ENDS.sub("\n", text)
    ended = text.endswith("\n")
    for _ in range(_ROUNDS):
        before = text
        text = _NOBODYS.sub("\ufffd", _BLANKS.sub(" ", _IDLE.sub("", text)))
        if _SHAPELESS.search(text):
            text = "\n".join(
                _without_shapeless(line) if _SHAPELESS.search(line) else line
                for line in text.split("\n")
            )
        text = unicodedata.normalize("NFC", _without_piles(text))
        text = "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n")
        if text == before:
            return text + "\n" * ended
    raise Malformed("a text that does not settle")


def _without_piles(text: str) -> str:
    """Return the text with no more than a few marks on one letter."""
    marks = "".join(
        re.escape(sign)
        for sign in set(text)
        if sign > "\u02ff" and unicodedata.combining(unicodedata.normalize("NFD", sign)[0])
    )
    if not marks:
        return text
    return re.sub(f"([{marks}]{{{_MOST_MARKS}}})[{marks}]+", r"\1", text)


def _without_shapeless(line: str) -> str:
    """Return a line without the invisible characters that change nothing that is seen."""
    bidi = _bidi_kept(line)
    made: list[str] = []
    at = 0
    while at < len(line):
        sign = line[at]
        flag = _FLAG.match(line, at) if sign == "\U0001f3f4" else None
        if flag:
            made.extend(flag[0])
            at += _FLAG_LENGTH
            continue
        if not _SHAPELESS.match(sign) or at in bidi or _is_seen(made, sign, line, at):
            made.append(sign)
        at += 1
    return "".join(made)


def _is_seen(made: list[str], sign: str, line: str, at: int) -> bool:
    """Tell whether an invisible character changes how its neighbours look."""
    following = _next_shape(line, at + 1)
    if sign in {_ZWJ, _ZWNJ}:
        return _joiner_is_seen(made, sign, following, _next_letter(line, at + 1))
    before = made[-1] if made else ""
    if sign == "\ufe0f":
        return bool(
            (_EMOJI.match(before) and unicodedata.east_asian_width(before) != "W")
            or (_KEYCAP.match(before) and following == "\u20e3")
        )
    if sign == "\ufe0e":
        return bool(_EMOJI.match(before) and unicodedata.east_asian_width(before) == "W")
    return "\u180b" <= sign <= "\u180d" and bool(_MONGOLIAN.match(before))


def _joiner_is_seen(made: list[str], sign: str, following: str, right: str) -> bool:
    """Tell whether a joiner or a non-joiner after ``made`` bends a letter or an emoji.

    ``following`` is the next character that has a shape, ``right`` the next letter.
    """
    before, left = made[-1] if made else "", _last_letter(made)
    if before in {_ZWJ, _ZWNJ}:
        return False
    if before and unicodedata.combining(before) == _VIRAMA:
        return sign == _ZWJ or bool(_INDIC.match(following))
    if following and unicodedata.combining(following) == _VIRAMA:
        return bool(_INDIC.match(before))
    forward, back = _joins_forward(left), _joins_back(right)
    if sign == _ZWNJ:
        return forward and back
    # A joiner between two that join anyway is idle; at the edge of a word it bends one letter.
    if forward or back:
        return not (forward and back)
    is_pictured = max(left, right) >= "\U0001f000"
    return is_pictured and _is_emoji(made) and bool(_EMOJI.match(following))


def _is_emoji(made: list[str]) -> bool:
    signs = [s for s in made[-3:] if s != "\ufe0f" and ord(s) not in _SKIN]
    return bool(signs and _EMOJI.match(signs[-1]))


def _next_shape(line: str, at: int) -> str:
    for sign in line[at : at + 16]:
        if not _SHAPELESS.match(sign):
            return sign
    return ""


def _next_letter(line: str, at: int) -> str:
    for sign in line[at : at + 16]:
        if not _SHAPELESS.match(sign) and not unicodedata.combining(sign):
            return sign
    return ""


def _last_letter(made: list[str]) -> str:
    for sign in reversed(made[-16:]):
        if not _SHAPELESS.match(sign) and not unicodedata.combining(sign):
            return sign
    return ""


def _joins_forward(letter: str) -> bool:
    return _joins_back(letter) and letter not in _RIGHT_JOINING


def _joins_back(letter: str) -> bool:
    return bool(letter and _JOINING.match(letter)) and letter not in _NEVER_JOINING


def _direction(sign: str) -> str:
    kind = unicodedata.bidirectional(sign)
    return "R" if kind in {"R", "AL"} else kind if kind == "L" else ""


def _bidi_kept(line: str) -> set[int]:
    """Return where direction marks and pairs of embeddings stand that a reader would miss.

    A line without a right-to-left letter needs none. Overrides, which make letters appear in
    another order than they are written, never stay.
    """
    strong = [_direction(sign) if not _SHAPELESS.match(sign) else "" for sign in line]
    if "R" not in strong:
        return set()
    kept, opened = set[int](), list[tuple[int, str]]()
    for at, sign in enumerate(line):
        if sign in _OPENERS and len(opened) < _DEEPEST:
            opened.append((at, _OPENERS[sign]))
        elif opened and sign == opened[-1][1]:
            begin, _ = opened.pop()
            is_first = begin == 0 or line[begin - 1] not in _OPENERS
            if is_first and any(strong[begin + 1 : at][:1024]):
                kept |= {begin, at}
    shapes = [at for at, sign in enumerate(line) if not _SHAPELESS.match(sign)]
    kept |= _marks_kept(line, strong, shapes)
    return kept


def _marks_kept(line: str, strong: list[str], shapes: list[int]) -> set[int]:
    """Return where a mark stands between neutral signs and turns them; one mark in one place."""
    before, after = [""] * len(line), [""] * len(line)
    for at in range(1, len(line)):
        before[at] = strong[at - 1] or before[at - 1]
        after[-1 - at] = strong[-at] or after[-at]
    kept, number, last = set[int](), 0, -1
    for at, sign in enumerate(line):
        while number < len(shapes) and shapes[number] < at:
            number += 1
        # (1) one mark in one place (2) not between two letters (3) not beside nothing else than
        # a letter of its own direction (4) not among letters that all run its way
        if sign not in _MARKS or number == last:
            continue
        edge = _MARKS[sign]
        left = strong[shapes[number - 1]] if number else edge * (after[at] == edge)
        right = strong[shapes[number]] if number < len(shapes) else edge * (before[at] == edge)
        if not (left and right) and {before[at], after[at]} != {_MARKS[sign]}:
            kept.add(at)
            last = number
    return kept
