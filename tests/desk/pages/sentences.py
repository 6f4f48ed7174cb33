"""Every English sentence that a page of the desk can show, found in its sources.

Templates: `_("...")`, `text("...")` and what stands before `|count`.  Python: `Sentence("...")`,
messages of errors, and the dictionaries of words.
"""

from __future__ import annotations

import ast
import functools
import json
from pathlib import Path

from jinja2 import Environment, nodes

import desk
from desk import (
    acts,
    alarms,
    custody_words,
    evidence,
    form_ids,
    public_status,
    rulebook,
    rules,
    saved_views,
    similar_cases,
    telling,
    words,
)
from desk.pages import acting, app, custody, language, sight, transmission
from desk.room import words as room
from desk.sight import shown

ROOM = Path(desk.__file__).parent
TEMPLATES = ROOM / "pages" / "templates"
FORM = ROOM.parent / "gateway" / "forms" / "categories.json"
_PAGES_SAY = ("_", "text")
_ROOM = (
    room.TITLES, room.NOTES, room.COLUMNS, room.ROWS, room.PERIODS, room.WALL, room.PUBLIC_TITLES,
    room.PUBLIC_ROWS,
)  # fmt: skip

AT_THE_TERMINAL = {
    # Whose messages are printed by a command, or before there are pages.
    "command_group.py", "commands.py", "commands_of_custody.py", "commands_of_list.py",
    "commands_of_pages.py", "commands_of_room.py", "commands_of_sight.py",
    "commands_of_similar.py", "commands_of_transmission.py", "commands_of_wall.py",
    "commands_of_work.py", "config.py", "editor.py",
    "console.py", "desk.py", "export.py", "keyring.py", "passphrase.py",
    "program.py", "rules.py", "setup.py", "similar.py", "pages/door.py", "pages/serve.py",
    "transmission/cli.py", "transmission/receiving.py", "transmission/archive.py",
    "transmission/proof.py", "sight/export.py",
}  # fmt: skip


def of_templates() -> set[str]:
    """What the templates say."""
    found: set[str] = set()
    environment = Environment(autoescape=True)  # it is only read
    for path in TEMPLATES.glob("*.html"):
        tree = environment.parse(path.read_text("utf-8"))
        for call in tree.find_all(nodes.Call):
            named = isinstance(call.node, nodes.Name) and call.node.name in _PAGES_SAY
            if named and call.args:
                assert isinstance(call.args[0], nodes.Const), (path.name, call.lineno)
                found.add(call.args[0].value)
    return found


def counted() -> set[str]:
    """Of what there are one or several: `case`."""
    found = {"case", "day", "file", "alarm", "page", "picture"}
    environment = Environment(autoescape=True)
    for path in TEMPLATES.glob("*.html"):
        for one in environment.parse(path.read_text("utf-8")).find_all(nodes.Filter):
            if one.name == "count":
                assert isinstance(one.args[0], nodes.Const)
                found.add(one.args[0].value)
    return found


def of_modules() -> set[str]:
    """What the modules say: sentences everywhere, and the errors that can reach a page."""
    errors = {
        one.name
        for one in ast.parse((ROOM / "errors.py").read_text("utf-8")).body
        if isinstance(one, ast.ClassDef)
    } | {"PeriodMalformed"}
    found: set[str] = set()
    for path in ROOM.rglob("*.py"):
        name = str(path.relative_to(ROOM))
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            called = getattr(call.func, "id", getattr(call.func, "attr", ""))
            is_error = called in errors and name not in AT_THE_TERMINAL
            is_page = called == "say" and name.startswith("pages/")
            if is_error or is_page or called in ("Sentence", "step", "_plainly"):
                found |= set(_constants(call.args[0], f"{name}, line {call.lineno}"))
    return found - {""}


def _constants(said: ast.expr, where: str) -> list[str]:
    if isinstance(said, ast.Constant):
        return [said.value] if isinstance(said.value, str) else []
    if isinstance(said, ast.IfExp):
        return [*_constants(said.body, where), *_constants(said.orelse, where)]
    assert not isinstance(said, ast.JoinedStr), f"{where}: facts are glued into a sentence"
    # A name, or a dictionary's: `of_tables` has what it can be.
    return []


def of_tables() -> set[str]:
    """Words that stand in dictionaries."""
    return {
        *alarms.WORDS.values(),
        *(str(one).replace("-", " ").capitalize() for one in alarms.Sign),
        *(one.value for one in custody_words.Why),
        *public_status.PUBLIC.values(), *public_status.NEEDS_WORDS.values(),
        *saved_views.SORTS.values(), *(one.name for one in saved_views.OURS.values()),
        *words.REMOVED.values(), *filter(None, words.PROBLEMS.values()), words.WITHDRAWN,
        words.REHEARSAL, *words.LANGUAGES.values(),
        *acting.LINK_KINDS.values(), *acting.LINK_ANSWERS.values(),
        *(said for pair in app._PROBLEMS.values() for said in pair),
        *(said for table in _ROOM for said in table.values()),
        *telling._FACTS.values(), *telling._LINKS.values(), *telling._OF_PERSONS.values(),
        *telling._OF_CASES.values(), *similar_cases._TOLD.values(),
        *rulebook.NEEDS.values(), *rulebook.MOMENTS.values(), *rulebook.ONLY.values(),
        *rulebook.FACTS.values(),
        *rules.FACTS, "priority", "category", "operator", "link", "tag", "outcome",
        "The note", "The reason", "The second look",
        "kept", "late", "running", "overdue",
        "anonymous", "contact only", "by name",
        custody._SENT, custody._WAITS, *transmission._OUTCOMES.values(),
        *transmission._IN_CLEAR.values(),
        *sight._REDACTED.values(), *sight._QUARANTINED.values(),
        shown.NO_JAIL, shown.TOO_MUCH, shown.NO_KIND, shown.UNREADABLE, evidence._GONE,
        "{number} bytes", *(pattern for pattern, _ in language._UNITS),
        "That did not work", "Refused", "The request was not understood.",
    }  # fmt: skip


def labels() -> set[str]:
    """What the ids of the reporter's form read as, and those of the desk."""
    ids = {*words.LABELS, *acts.CATEGORIES, *form_ids.CHOICES}
    ids |= set(_ids(json.loads(FORM.read_text("utf-8"))))
    return {str(words.label(one)) for one in ids}


def _ids(part: object) -> list[str]:
    found: list[str] = []
    if isinstance(part, dict):
        if isinstance(part.get("id"), str):
            found.append(part["id"])
        if isinstance(part.get("options"), list):
            found += part["options"]
        elif isinstance(part.get("options"), dict):
            found += [value for values in part["options"].values() for value in values]
        found += [one for inner in part.values() for one in _ids(inner)]
    elif isinstance(part, list):
        found += [one for inner in part for one in _ids(inner)]
    return found


@functools.cache
def sentences() -> frozenset[str]:
    """All of them."""
    return frozenset(of_templates() | of_modules() | of_tables())
