"""What the pages say in Arabic, French and English, from gettext catalogues read once at start.

Rule: a sentence is looked up by its English, whole; what is filled into it is escaped, made plain
and isolated, and never translated: it may be a stranger's.  What the engine says (desk.sentence)
is said here again; an English sentence that no catalogue has is shown as English.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from crypto.ids import Day, date_of
from desk import words
from desk.sentence import Counted, Label, Sentence, Several, Sized, Worded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Fill = Callable[[str, object], Markup]

FOLDER = Path(__file__).with_name("translations")
LABEL = "label"
"""The context of what ids read as: no sentence is looked up there, and no id elsewhere."""
PLACE = re.compile(r"\{([a-z_0-9]+)(?::,)?\}")
_COMMAND = re.compile(r"`([^`]+)`")
_LATIN = re.compile(r"([A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)")
_ISO = re.compile(r"\d{4}-\d\d-\d\d")
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_DAY = "d MMM y"
_KILO = 1000
_UNITS = (("{number} GB", _KILO**3), ("{number} MB", _KILO**2), ("{number} KB", _KILO))
_FIRST_STRONG, _POP = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the pages: its name, its direction, whose days and numbers it has.

    `forms` are its plurals, in its catalogue's order; `joins` how it writes what English writes
    between things.
    """

    code: str
    name: str
    direction: str
    locale: str
    forms: tuple[str, ...] = ("one", "other")
    joins: Mapping[str, str] = field(default_factory=dict)


ENGLISH = Language("en", "English", "ltr", "en_GB")
LANGUAGES: dict[str, Language] = {
    "ar": Language(
        "ar", "العربية", "rtl", "ar_MA", ("zero", "one", "two", "few", "many", "other"),
        {", ": "، ", "; ": "؛ ", " and ": " و"},
    ),
    "fr": Language("fr", "Français", "ltr", "fr", joins={"; ": "\u00a0; ", " and ": " et "}),
    "en": ENGLISH,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A language's sentences by their English; what ids read as; plurals by the English one."""

    sentences: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    plurals: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Words:
    """One language: `words("Page {number} of {last}", number=2, last=7)`."""

    def __init__(self, language: Language = ENGLISH, catalogue: Catalogue | None = None) -> None:
        self.language = language
        self._said = catalogue or Catalogue()
        self._plural_form: Callable[[int], str] = Locale.parse(language.locale).plural_form

    # --- our own sentences

    def __call__(self, sentence: str, /, **facts: object) -> Markup:
        """A sentence with its facts, as HTML."""
        return self._filled(sentence, facts, self._isolated)

    def text(self, sentence: str, /, **facts: object) -> Markup:
        """The same without a tag, for an attribute, a title, an option, a drawing."""
        return self._filled(sentence, facts, self._apart)

    def counted(self, number: int, one: str) -> Markup:
        """A number of things: `2 cases`."""
        patterns = self._said.plurals.get(f"{{number}} {one}")
        if patterns is None:
            return self("{number} " + (one if number == 1 else f"{one}s"), number=number)
        forms, form = self.language.forms, self._plural_form(number)
        pattern = patterns[forms.index(form if form in forms else "other")]
        return escape(PLACE.sub(self.number(number), pattern))

    def _filled(self, sentence: str, facts: Mapping[str, object], fill: _Fill) -> Markup:
        ours = self._said.sentences.get(sentence)
        if ours is None and self.language is not ENGLISH:
            # Nobody has translated it: English is better than nothing, and is marked as such.
            return Markup('<bdi lang="en" dir="ltr">{}</bdi>').format(
                Words()._filled(sentence, facts, fill)  # noqa: SLF001  # the same class
            )
        said = ours or sentence
        if fill != self._isolated:
            return self._joined(said, facts, fill, escape)
        # Between backticks stands what is typed at a terminal, facts included: one run.
        return Markup("").join(
            Markup('<code dir="ltr">{}</code>').format(self._joined(piece, facts, _plainly, escape))
            if index % 2
            else self._joined(piece, facts, fill, self._latin)
            for index, piece in enumerate(_COMMAND.split(said))
        )

    def _joined(
        self, said: str, facts: Mapping[str, object], fill: _Fill, write: Callable[[str], Markup]
    ) -> Markup:
        if not facts:
            return write(said)
        return Markup("").join(
            write(piece) if index % 2 == 0 else fill(piece, facts[piece])
            for index, piece in enumerate(PLACE.split(said))
        )

    def _latin(self, ours: str) -> Markup:
        if not self.is_rtl:
            return escape(ours)
        return Markup("").join(
            Markup('<bdi dir="ltr">{}</bdi>').format(piece) if index % 2 else escape(piece)
            for index, piece in enumerate(_LATIN.split(ours))
        )

    # --- what is filled in

    def _isolated(self, name: str, fact: object) -> Markup:
        ours = self._ours(name, fact)
        return ours if ours is not None else _bdi(str(fact))

    def _apart(self, name: str, fact: object) -> Markup:
        ours = self._ours(name, fact)
        if ours is None:
            return self.apart(str(fact))
        return escape(ours.striptags()) if "<" in ours else ours

    def apart(self, stranger: str) -> Markup:
        """Somebody's words where no tag can isolate them: in a title, a description, an option."""
        plain = words.plain(stranger)
        return escape(f"{_FIRST_STRONG}{plain}{_POP}" if self.is_rtl else plain)

    def _ours(self, name: str, fact: object) -> Markup | None:
        """A fact that is ours to say: a number, a day, words of the engine; or None."""
        if hasattr(fact, "__html__"):
            return escape(fact)
        if isinstance(fact, (Sentence, Worded, Several, Counted, Label, Sized)):
            return self.say(fact)
        if isinstance(fact, (int, float, Decimal)):
            return escape(self.number(fact))
        if name in ("day", "since") and isinstance(fact, str) and _ISO.fullmatch(fact):
            return escape(self.day(fact))
        return None

    # --- what the engine said

    def say(self, said: str) -> Markup:  # noqa: PLR0911  # one for each kind
        """What the engine said, or a constant of its, in this language."""
        match said:
            case Worded():
                return escape(said.words.get(self.language.code, said.words["en"]))
            case Sentence():
                return self(said.pattern, **said.facts)
            case Sized():
                return self.size(said.length)
            case Counted():
                return self.counted(said.number, said.one)
            case Label():
                return self._label(said)
            case Several():
                return self._several(said)
        if not said or hasattr(said, "__html__"):
            return escape(said)
        return self(words.plain(said))

    def plainly(self, said: str) -> Markup:
        """The same without a tag."""
        return escape(self.say(said).striptags())

    def label(self, label: Label) -> str:
        """An id's words as markup where they are ours, else as the text that the engine makes."""
        known = self._said.labels.get(label)
        return str(label) if known is None else escape(known)

    def _label(self, label: Label) -> Markup:
        known = self._said.labels.get(label)
        return _bdi(words.cell(label)) if known is None else self._latin(known)

    def _several(self, several: Several) -> Markup:
        join = self.language.joins.get(several.separator, several.separator)
        items = [self._isolated("", one) for one in several.items]
        if several.capital and items:
            items[0] = Markup(items[0][:1].upper() + items[0][1:])  # noqa: S704  # escaped already
        return escape(join).join(items)

    @property
    def is_rtl(self) -> bool:
        """Whether its pages run from the right."""
        return self.language.direction == "rtl"

    @property
    def comma(self) -> str:
        """What stands between two things."""
        return self.language.joins.get(", ", ", ")

    # --- days and numbers

    def day(self, day: int | str) -> str:
        """A day such as `2026-11-22` as people of this language write it."""
        try:
            date = dt.date.fromisoformat(day) if isinstance(day, str) else date_of(Day(day))
        except (OverflowError, ValueError):
            # A forger wrote one beyond the calendar.
            return str(day)
        return format_date(date, _DAY, locale=self.language.locale)

    def moment(self, stamp: str) -> Markup:
        """A minute such as `2026-11-22 09:40`, as the desk notes it."""
        day, _, minute = stamp.partition(" ")
        return escape(f"{self.day(day)} {minute}".strip())

    def days(self, written: str) -> str:
        """A day, or a month such as `2026-11`; whatever else stands as it is."""
        if _ISO.fullmatch(written):
            return self.day(written)
        if not _MONTH.fullmatch(written):
            return written
        return format_date(
            dt.date.fromisoformat(f"{written}-01"), "MMM y", locale=self.language.locale
        )

    def number(self, number: float | Decimal) -> str:
        """A number with this language's separators."""
        return format_decimal(number, locale=self.language.locale)

    def percent(self, share: Decimal) -> Markup:
        """`58.1 %`, always with its decimal, on one line, and its sign on its right."""
        said = f"{format_decimal(share, '#,##0.0', locale=self.language.locale)}\u00a0%"
        return Markup('<bdi dir="ltr">{}</bdi>').format(said) if self.is_rtl else escape(said)

    def size(self, length: int) -> Markup:
        """A length in bytes as a person reads it."""
        for pattern, unit in _UNITS:
            # What would round up to the next unit is said in it.
            if length >= unit * 0.99995 or pattern == _UNITS[-1][0]:
                break
        if length < _KILO:
            return self("{number} bytes", number=length)
        tenths = format_decimal(length / unit, "#,##0.0", locale=self.language.locale)
        return self(pattern, number=escape(tenths))


def load(folder: Path = FOLDER) -> dict[str, Words]:
    """The pages' languages; English is in the sentences themselves."""
    return {
        code: Words(one, read(folder, code) if one is not ENGLISH else None)
        for code, one in LANGUAGES.items()
    }


def read(folder: Path, code: str) -> Catalogue:
    """Read `<folder>/<code>.po`; what is fuzzy or empty is left out."""
    return _parsed((folder / f"{code}.po").read_bytes(), code)


@functools.lru_cache(maxsize=8)
def _parsed(catalogue: bytes, code: str) -> Catalogue:
    found = Catalogue()
    for one in read_po(io.BytesIO(catalogue), locale=code, charset="utf-8"):
        if not one.id or one.fuzzy or not one.string:
            continue
        if isinstance(one.id, str):
            found_in = found.labels if one.context == LABEL else found.sentences
            found_in[one.id] = str(one.string)
        elif all(one.string):
            found.plurals[one.id[0]] = tuple(one.string)
    return found


def _plainly(_name: str, fact: object) -> Markup:
    return escape(words.plain(str(fact)))


def _bdi(stranger: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(words.plain(stranger))
