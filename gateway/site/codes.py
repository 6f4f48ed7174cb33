"""What to say about a code that cannot be right, and how it comes back into its field.

Claim C-TYPED: 28 digits are not typed twice.  What is shown was typed in this very request, and a
code that could open something never comes here.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from crypto.receipt import CODE_DIGITS
from gateway.site.values import FieldError

if TYPE_CHECKING:
    from crypto.errors import CodeMalformed

_GROUP_DIGITS = 4
# Nobody types more than this into the field; it is also where the reader of codes stops.
_TYPED_MOST = 256


def code_mistake(untrusted: str, bad: CodeMalformed) -> tuple[FieldError, str]:
    """Return the error of a refused code, and what its field holds now, digits in fours."""
    typed = untrusted[:_TYPED_MOST]
    if len(untrusted) > _TYPED_MOST:
        return FieldError("code", "code.character"), typed
    digits = _digits(typed)
    count = len(digits)
    if not count and str(bad) == "length":
        return FieldError("code", "code.empty"), ""
    if str(bad) != "length":
        return FieldError("code", f"code.{bad}"), _grouped(digits) if str(bad) == "check" else typed
    if count < CODE_DIGITS:
        facts: dict[str, object] = {"count": count, "missing": CODE_DIGITS - count}
        return FieldError("code", "code.missing", facts), _grouped(digits)
    facts = {"count": count, "extra": count - CODE_DIGITS}
    return FieldError("code", "code.extra", facts), _grouped(digits)


def _digits(text: str) -> str:
    values = (unicodedata.decimal(character, None) for character in text)
    return "".join(str(value) for value in values if value is not None)


def _grouped(digits: str) -> str:
    starts = range(0, len(digits), _GROUP_DIGITS)
    return " ".join(digits[start : start + _GROUP_DIGITS] for start in starts)
