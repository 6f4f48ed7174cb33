"""Which language a page is in: the one that was chosen on a page, or else the browser's.

Rule: what was chosen stands in the desk's own folder, and says nothing else; whoever begins anew
finds it there.  The address to go back to comes from a form: only a path of these pages is gone to.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import abort, g, redirect, request, url_for
from markupsafe import Markup

from desk import words as engine_words
from desk.cases import iso
from desk.config import write_private
from desk.pages.language import ENGLISH, LANGUAGES, Words, load
from desk.sentence import Counted, Label, Sentence, Several, Worded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from crypto.ids import Day
    from desk.config import DeskHome

_MOST_BYTES = 8
GATEWAY = "gateway"
_ENGLISH = Words()


@dataclass(slots=True)
class Choosing:
    """The pages' languages, and the one that was chosen, which outlives the program."""

    home: DeskHome
    languages: Mapping[str, Words] = field(default_factory=load)
    chosen: str = field(init=False)

    def __post_init__(self) -> None:
        self.chosen = ""
        with suppress(OSError, UnicodeDecodeError):
            with self.home.language.open(encoding="ascii") as file:
                told = file.read(_MOST_BYTES).strip()
            self.chosen = told if told in LANGUAGES else ""

    def begin(self) -> None:
        """Before a request: the words that its page is in."""
        g.words = self.languages[self.chosen or _wanted()]

    def choose(self) -> BaseResponse:
        """Keep a language, and go back to the page."""
        code = request.form.get("language", "")
        if code not in LANGUAGES:
            abort(400)
        write_private(self.home.language, code.encode())
        self.chosen = code
        return redirect(_inside(request.form.get("back", "")), 303)


def _wanted() -> str:
    """The first of the browser's languages that is one of ours, of any country; or English."""
    asked = (one.partition("-")[0].lower() for one, wish in request.accept_languages if wish > 0)
    return next((one for one in asked if one in LANGUAGES), ENGLISH.code)


def spoken() -> Words:
    """The words of the page that is being made."""
    found: Words = g.get("words", _ENGLISH)
    return found


def register(app: Flask, home: DeskHome) -> None:
    """Give the pages a language, and what templates say things with; the first of all hooks."""
    choosing = Choosing(home)
    app.before_request(choosing.begin)
    app.add_url_rule("/language", "language", choosing.choose, methods=["POST"])
    app.jinja_env.globals |= {
        "_": _said,
        "text": lambda sentence, **facts: spoken().text(sentence, **facts),
        "spoken": spoken,
        "languages": LANGUAGES,
        "here": _here,
        "when": when,
        "code": code_of,
        "key": lambda name: Markup("<kbd>{}</kbd>").format(name),
        "ltr": lambda text: Markup('<bdi dir="ltr">{}</bdi>').format(text),
        "entered": lambda: g.get("entered", False),
    }
    app.jinja_env.filters |= {
        "say": lambda said: spoken().say(said),
        "sealer": _sealer,
        "plainly": lambda said: spoken().plainly(said),
        "apart": lambda stranger: spoken().apart(stranger),
        "ours": ours,
        "label": label,
        "cell": _cell,
        "number": lambda number: spoken().number(number),
        "count": lambda number, one: spoken().counted(number, one),
        "size": lambda length: spoken().size(length),
    }


def _said(sentence: str, /, **facts: object) -> Markup:
    """A sentence of a template, in the page's language."""
    return spoken()(sentence, **facts)


def label(name: str) -> str:
    """An id as words: ours in the page's language, and a stranger's as the engine makes it."""
    return spoken().label(engine_words.label(name))


def language_name(code: str) -> Markup | str:
    """The name of the language that a report was written in."""
    name = engine_words.language(code)
    return spoken().say(name) if code in engine_words.LANGUAGES else name


def _sealer(untrusted: str) -> Markup:
    """Who sealed a report, which its manifest says."""
    if untrusted == GATEWAY:
        return spoken().say("the gateway")
    return Markup("<bdi>{}</bdi>").format(engine_words.cell(untrusted))


def heading(sign: str) -> Markup:
    """What an alarm is headed by: its sign, as words."""
    return spoken().say(str(sign).replace("-", " ").capitalize())


def when(day: Day | str) -> Markup:
    """A day, for eyes and for machines."""
    machine = day if isinstance(day, str) else iso(day)
    return Markup('<time datetime="{}">{}</time>').format(machine, spoken().day(day))


def code_of(text: str) -> Markup:
    """An id, a digest or a command: left to right, whatever stands around it."""
    return Markup('<code dir="ltr">{}</code>').format(engine_words.plain(text))


def ours(line: str) -> bool:
    """Whether a line came out of the engine as a sentence, and out of no stranger's keyboard."""
    return isinstance(line, (Counted, Label, Sentence, Several, Worded))


def _cell(text: str, most: int = engine_words.CELL) -> str:
    return text if hasattr(text, "__html__") else engine_words.cell(text, most)


def _here() -> str:
    """Where a change of language leads back to; a page that a form made is its case's."""
    if request.method == "GET" and request.url_rule is not None:
        return request.full_path if request.query_string else request.path
    ref = (request.view_args or {}).get("ref")
    return url_for("case", ref=ref) if ref else ""


def _inside(untrusted: str) -> str:
    """The address of one of our pages, or the list's."""
    root = request.script_root
    path = untrusted.removeprefix(root)
    is_path = path.startswith("/") and not path.startswith("//") and path.isascii()
    if not is_path or "\\" in path or not path.isprintable():
        return url_for("cases")
    return root + path
