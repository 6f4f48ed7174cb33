"""The data-protection notice, in the institution's words.  Source: gateway/forms/institution.json.

Who answers for the data, what it is for and whom to turn to is nobody's to say but the
institution's: the file comes empty.  As long as a language of it is, its pages say so, and so does
`amana-gateway check`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import FormRefused
from gateway.site.lined_json import LinedObject, read_lined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "institution.json"
# In the order of the page; each has a heading in the catalogues, ``notice.<part>_heading``.
PARTS = ("controller", "purposes", "recipients", "choice", "kept", "rights", "authority")
_TEXT_MOST = 2000
_DAYS_MOST = 90


@dataclass(frozen=True, slots=True)
class Institution:
    """What an institution filled in.

    ``answer_days``: within how many days it means to answer, None while it promises nothing.
    ``notices``: language to part to text, for the languages that are filled in.
    """

    answer_days: int | None
    notices: Mapping[str, Mapping[str, str]]

    @classmethod
    def from_json(cls, untrusted: bytes) -> Institution:
        """Read the file.  Raises FormRefused naming the line."""
        found = read_lined(untrusted, NAME)
        if not isinstance(found, LinedObject):
            raise FormRefused(f"{NAME}: must be an object")
        _require_keys(found, {"answer_days", "notice"})
        days = found["answer_days"]
        if days is not None and not (type(days) is int and 1 <= days <= _DAYS_MOST):
            raise _refused(found, "answer_days", f"null, or a number from 1 to {_DAYS_MOST}")
        notice = found["notice"]
        if not isinstance(notice, LinedObject):
            raise _refused(found, "notice", "an object")
        return cls(days, {lang: parts for lang in notice if (parts := _parts(notice, lang))})

    def unfilled(self, languages: Iterable[str]) -> tuple[str, ...]:
        """Those of some languages in which nobody has filled in the notice."""
        return tuple(lang for lang in languages if lang not in self.notices)


def _parts(notice: LinedObject, lang: str) -> dict[str, str]:
    """One language's parts: all of them, or none."""
    parts = notice[lang]
    if not isinstance(parts, LinedObject):
        raise _refused(notice, lang, "an object")
    _require_keys(parts, set(PARTS))
    for name, text in parts.items():
        if not isinstance(text, str) or len(text) > _TEXT_MOST:
            raise _refused(parts, name, f"a text of at most {_TEXT_MOST} characters")
    filled = {name: parts[name].strip() for name in PARTS}
    empty = [name for name in PARTS if not filled[name]]
    if len(empty) == len(PARTS):
        return {}
    if empty:
        raise _refused(parts, empty[0], "filled in, as the others of this language are")
    return filled


def _require_keys(found: LinedObject, wanted: set[str]) -> None:
    for key in found:
        if key not in wanted:
            raise FormRefused(f"{NAME}, line {found.lines[key]}: nothing is called {key!r} here")
    for key in sorted(wanted - set(found)):
        raise FormRefused(f"{NAME}, line {found.line}: {key!r} is missing")


def _refused(found: LinedObject, key: str, wanted: str) -> FormRefused:
    return FormRefused(f"{NAME}, line {found.lines[key]}: {key!r} must be {wanted}")
