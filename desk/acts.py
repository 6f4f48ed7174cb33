"""What an operator can do to a case, and what each act says; the body of a signed entry.

Rule: an entry of a known type whose data is not of its shape does nothing, and is shouted about;
one of an unknown type, of a newer desk, is shown and does nothing.

```
type              data
status            state, and the facts that the state asks for (desk.rules)
priority          priority                         category     category
assignment        operator (a label of the roster, or "" for nobody)
note              text                             tag          tag, on
link              case, kind                       outcome      event, person, label, day, text, on
quarantine        file, sha256, custodian, text    second_look  text
identity_request  text, request (or none)          erasure      text
identity_opened   request, custodians, text
identity_refused  request, custodian, day (of the letter that says no), text
redaction         file or answer, part, boxes or spans, media_type, length, sha256; the entry's
                  envelope has one content part: the copy.  `answer` is the id of a field, or
                  `message:` and the id, in hex, of the envelope that a reporter's message came in
```
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crypto.strict_json import Json

STATUS, PRIORITY, CATEGORY, ASSIGNMENT = "status", "priority", "category", "assignment"
NOTE, TAG, LINK, OUTCOME = "note", "tag", "link", "outcome"
QUARANTINE, SECOND_LOOK = "quarantine", "second_look"
IDENTITY_REQUEST, ERASURE = "identity_request", "erasure"
IDENTITY_OPENED, IDENTITY_REFUSED = "identity_opened", "identity_refused"
REDACTION = "redaction"

DUPLICATE, RELATED, UNRELATED = "duplicate", "related", "unrelated"
"""What a link says: this case repeats that one; belongs with it; or was compared and does not."""
LINKS = (DUPLICATE, RELATED, UNRELATED)

CATEGORIES = (
    "fraud", "sextortion", "defamation", "threats", "harassment", "incitement", "terrorism", "csam",
    "hacking_other",
)  # fmt: skip
"""What a category can be confirmed as: the form's nine."""

TEXT_MOST = 20_000
WORD_MOST = 200
CUSTODIANS_MOST = 64
BOXES_MOST = 64
SPANS_MOST = 2_000
_NUMBER_MOST = 1 << 31


def _word(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value) <= WORD_MOST and value.isprintable()


def _word_or_none(value: Json) -> bool:
    return value == "" or _word(value)


def _text(value: Json) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= TEXT_MOST


def _text_or_none(value: Json) -> bool:
    return value == "" or _text(value)


def _labels(value: Json) -> bool:
    return (
        isinstance(value, list | tuple)
        and 0 < len(value) <= CUSTODIANS_MOST
        and all(_word(one) for one in value)
    )


def _number(value: Json) -> bool:
    return type(value) is int and 0 <= value < _NUMBER_MOST


def _rows(numbers: int, most: int) -> Callable[[Json], bool]:
    """At most so many rows of so many numbers: boxes (x, y, width, height), spans (from, to)."""
    return lambda value: (
        isinstance(value, list | tuple)
        and len(value) <= most
        and all(
            isinstance(row, list | tuple) and len(row) == numbers and all(map(_number, row))
            for row in value
        )
    )


def _flag(value: Json) -> bool:
    return isinstance(value, bool)


def _hex(digits: int) -> Callable[[Json], bool]:
    pattern = re.compile(rf"[0-9a-f]{{{digits}}}")
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _day(value: Json) -> bool:
    """An ISO date, as `2026-11-22`."""
    try:
        return isinstance(value, str) and dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _one_of(*known: str) -> Callable[[Json], bool]:
    return lambda value: value in known


_FACTS: dict[str, Callable[[Json], bool]] = {
    "service": _word, "basis": _word, "reason": _word, "instruction": _word, "court": _word,
    "ref": _word, "text": _text, "day": _day, "package": _hex(64),
}  # fmt: skip
"""What a state can ask for (desk.rules.FACTS)."""

_SHAPES: dict[str, dict[str, Callable[[Json], bool]]] = {
    PRIORITY: {"priority": _word},
    CATEGORY: {"category": _one_of(*CATEGORIES)},
    ASSIGNMENT: {"operator": _word_or_none},
    NOTE: {"text": _text},
    TAG: {"tag": _word, "on": _flag},
    LINK: {"case": _hex(32), "kind": _one_of(*LINKS)},
    OUTCOME: {
        "event": _word, "person": lambda value: value == "" or _hex(16)(value),
        "label": _word_or_none, "day": _day, "text": _text_or_none, "on": _flag,
    },
    QUARANTINE: {
        "file": _hex(32), "sha256": _hex(64), "custodian": _word, "text": _text_or_none,
    },
    SECOND_LOOK: {"text": _text},
    IDENTITY_REQUEST: {"text": _text, "request": _hex(64)},
    IDENTITY_OPENED: {"request": _hex(64), "custodians": _labels, "text": _text},
    IDENTITY_REFUSED: {"request": _hex(64), "custodian": _word, "day": _day, "text": _text},
    ERASURE: {"text": _text},
    REDACTION: {
        "file": lambda value: value == "" or _hex(32)(value), "answer": _word_or_none,
        "part": _number, "boxes": _rows(4, BOXES_MOST), "spans": _rows(2, SPANS_MOST),
        "media_type": _one_of("image/png", "text/plain"), "length": _number, "sha256": _hex(64),
    },
}  # fmt: skip
_MAY_LACK = {IDENTITY_REQUEST: {"request"}}
"""What an act of a type need not say: a request may be made by word of mouth."""
TYPES = (STATUS, *_SHAPES)


def is_shaped(kind: str, data: Mapping[str, Json]) -> bool:
    """Whether an act of a known type says what such an act says, and nothing else."""
    if kind == STATUS:
        return _word(data.get("state")) and all(
            name in _FACTS and _FACTS[name](value)
            for name, value in data.items()
            if name != "state"
        )
    shape = _SHAPES[kind]
    if not shape.keys() - _MAY_LACK.get(kind, set()) <= data.keys() <= shape.keys():
        return False
    return all(shape[name](value) for name, value in data.items())


def wrong_facts(data: Mapping[str, Json]) -> tuple[str, ...]:
    """Which of a state's facts are not of their shape."""
    return tuple(name for name, value in data.items() if name in _FACTS and not _FACTS[name](value))


_MESSAGE = re.compile(r"message:([0-9a-f]{32})")


def message(envelope: str) -> str:
    """How a redaction names a reporter's message, by its envelope's id in hex."""
    return f"message:{envelope}"


def message_of(answer: str) -> str:
    """The envelope's id, in hex, of the message that a redaction names; empty for an answer."""
    found = _MESSAGE.fullmatch(answer)
    return found[1] if found else ""


def register(kind: str, data: Mapping[str, Json]) -> str:
    """What an act sets: a later act of the same name takes its place.  Empty: it only adds."""
    if kind in (STATUS, PRIORITY, CATEGORY, ASSIGNMENT):
        return kind
    if kind == TAG:
        return f"{TAG}:{data['tag']}"
    if kind == LINK:
        return f"{LINK}:{data['case']}"
    if kind == OUTCOME:
        return f"{OUTCOME}:{data['event']}:{data['person']}"
    return ""
