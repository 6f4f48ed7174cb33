"""Every page that the desk can show, each by its name, as an operator or a custodian meets it.

Rule: a page is here as the desk itself answered, through its own door; what is new in the desk's
addresses and not here fails a test (test_listed.py).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from flask import request, request_started, template_rendered

from crypto.ids import Day
from desk.alarms import Alarm, Sign
from desk.errors import Stopped
from desk.pages import language
from desk.proving import Proof, Proven
from desk.sentence import Sentence
from desk.sync import SyncReport
from desk.words import size
from tests.desk.looks import home, leaving
from tests.desk.looks.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from desk.desk import Desk
    from desk.pages.syncing import Syncing
    from desk.store import Envelope, Store
    from tests.desk.looks.office import Office

LANGUAGES = tuple(sorted(language.LANGUAGES, key=language.ENGLISH.code.__ne__))
"""The languages that the desk's pages speak; English first."""
PERIOD = "period=2026-11-13..2026-11-22"


class Shown(NamedTuple):
    """One page: below which root its desk is mounted, and the answer."""

    root: str
    answer: TestResponse


Pages = dict[str, Shown]


def _stopped(*_: object) -> None:
    raise Stopped("It was stopped.")


def _another(_: Store, one: Envelope) -> tuple[Envelope, ...]:
    """Another identity under the same id."""
    return (replace(one, header=replace(one.header, day=Day(one.header.day + 1))),)


def _damaged(desk: Desk, *_: object) -> Proven:
    case = desk.store.cases()[0]
    wrong = Alarm(Sign.FILE_DAMAGED, case.hex(), case.hex())
    return Proven(
        (Proof(case, "0000-0000", 3, 2, 4, 3, 1, 1, opens=True, not_opened=0, alarms=(wrong,)),), ()
    )


def _fails_by_itself(one: Syncing) -> str:
    one.minutes = 15
    one.by_itself()
    return ""


def _forgets(one: Syncing) -> str:
    one.failure = ""
    return ""


@dataclass(slots=True)
class Walk:
    """The browsers of one office, and what was asked of the apps and drawn by them."""

    office: Office
    main: Browser = field(init=False)
    keeper: Browser = field(init=False)
    bare: Browser = field(init=False)
    solo: Browser = field(init=False)
    asked: set[tuple[str, str]] = field(default_factory=set)
    templates: set[str] = field(default_factory=set)
    loaded: dict[tuple[str, str, str], TestResponse] = field(default_factory=dict)
    """What pages load, by root, path and range: the same picture is drawn for many of them."""

    def __post_init__(self) -> None:
        with self.watched():
            self.main = Browser.enter(self.office.desk, "/desk")
            self.keeper = Browser.enter(self.office.keeper, "/keeper")
            self.bare = Browser.enter(self.office.bare, "/bare")
            self.solo = Browser.enter(self.office.solo, "/solo")

    def browser(self, root: str) -> Browser:
        """The one of a root; whoever is shut out loads nothing but what anybody may."""
        return {one.root: one for one in (self.keeper, self.bare, self.solo)}.get(root, self.main)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note which routes answer, and which templates are drawn."""

        def began(_: object, **__: object) -> None:
            self.asked.add((request.method, request.endpoint or ""))

        def drawn(_: object, template: Any, **__: object) -> None:
            self.templates.add(template.name)

        with request_started.connected_to(began), template_rendered.connected_to(drawn):
            yield

    def every_page(self, code: str) -> Pages:
        """All pages, in one language."""
        with self.watched():
            for one in (self.main, self.keeper, self.bare, self.solo):
                one.speak(code)
            return {
                **self._lists(),
                **self._cases(),
                **self._files(),
                **self._proofs(),
                **self._custody(),
                **self._room(),
                **self._home(code),
                **self._problems(code),
            }

    # --- the list

    def _lists(self) -> Pages:
        with mock.patch("desk.pages.listing.PAGE", 5):
            found = self._short_lists()
        return {"list": Shown(self.main.root, self.main.get("/")), **found}

    def _short_lists(self) -> Pages:
        main, bare = self.main, self.bare
        found = {"list, second page": main.get("/?page=2")}
        for view in ("urgent", "alarms"):
            found[f"list, {view}"] = main.get(f"/?show={view}")
        found["list, own view"] = self._own_view()
        found["list, found"] = main.post("/search", show="all", q="karim virement", sort="newest")
        found["list, nothing found"] = main.post("/search", show="all", q="nobody wrote this")
        found["list, search refused"] = main.post("/search", show="all", q="due:never")
        found["list, search forgotten"] = main.get("/?s=0000000000000000")
        found["list, view saved"] = main.post("/views", show="urgent", name="Quick ones")
        found["list, view not saved"] = main.post("/views", show="all", name=" ")
        found["list, view forgotten"] = self._forgotten()
        main.post("/keys")
        found["list, keys off"] = main.get("/")
        main.post("/keys")
        with mock.patch("desk.pages.syncing.sync_and_tell", self._look_meanwhile(found)):
            found["list, synced"] = main.post("/sync")
        self.office.server.answers["/v1/roster"] = (503, b"")
        found["list, not synced"] = main.post("/sync")
        with mock.patch("desk.pages.syncing.Syncing.press", _fails_by_itself):
            found["list, not synced by itself"] = main.post("/sync")
        with mock.patch("desk.pages.syncing.Syncing.press", _forgets):
            main.post("/sync")
        del self.office.server.answers["/v1/roster"]
        found["list, empty"] = bare.get("/")
        found["list, a custodian's"] = self.keeper.get("/")
        roots = {"list, empty": bare.root, "list, a custodian's": self.keeper.root}
        return {name: Shown(roots.get(name, main.root), one) for name, one in found.items()}

    def _own_view(self) -> TestResponse:
        listed = self.main.get("/").text
        own = re.findall(r'href="[^"]*/\?show=([0-9a-f]{16})"', listed)
        return self.main.get(f"/?show={own[0]}")

    def _forgotten(self) -> TestResponse:
        listed = self.main.get("/").text
        own = re.findall(r'href="[^"]*/\?show=([0-9a-f]{16})"', listed)
        return self.main.post("/views/forget", show=own[-1])

    def _look_meanwhile(self, found: dict[str, TestResponse]) -> Any:
        """A sync, during which somebody looks at the list."""

        def sync(*given: object, **_: object) -> tuple[SyncReport, str]:
            doing: Any = given[1]
            doing.step("Reading the index")
            doing.expect(3_400_000)
            doing.advance(1_200_000)
            found["list, syncing"] = self.main.get("/")
            return SyncReport(), ""

        return sync

    # --- a case

    def _cases(self) -> Pages:
        main, cases = self.main, self.office.cases
        light, files = cases["alike"], cases["handed over"]
        found = {f"case, {name}": main.get(cases[name].path) for name in _CASES}
        with mock.patch("desk.similar_cases.BATCH", -1):
            found["case, not compared"] = main.get(light.path)
        found["case, compared"] = main.ended(f"{light.path}/similar", what="compare")
        with mock.patch("desk.similar_cases.SimilarCases.has_new_pictures", return_value=True):
            found["case, new pictures"] = main.get(light.path)
        with mock.patch("desk.similar_cases.SimilarCases.look", return_value=2):
            found["case, pictures compared"] = main.ended(f"{light.path}/similar", what="pictures")
        with main.busy():
            found["case, comparing"] = main.get(light.path)
            found["case, compare refused"] = main.post(f"{light.path}/similar", what="pictures")
        with mock.patch("desk.sight.memory.BREAK_EVERY", 1):
            main.get(f"{files.file_path(0)}/picture-0.png")
            found["case, time for a break"] = main.get(files.path)
        found["case, noted"] = main.post(f"{light.path}/act/note", text="A note.")
        found["case, answered"] = main.post(f"{light.path}/answer", text="We look.")
        ready = {"begin": "yes", "ready": "blackmail", "text": "Bonjour."}
        found["case, ready answer"] = main.post(f"{light.path}/answer", **ready)
        found["case, no such ready answer"] = main.post(f"{light.path}/answer", begin="yes")
        found["case, answer refused"] = main.post(f"{light.path}/answer", status="question")
        for kind, form in _REFUSED.items():
            at = cases["ready"] if kind == "status" else light
            found[f"case, {kind} refused"] = main.post(f"{at.path}/act/{kind}", **form)
        found["case, a custodian's"] = self.keeper.get(light.path)
        roots = {"case, a custodian's": self.keeper.root}
        return {name: Shown(roots.get(name, main.root), one) for name, one in found.items()}

    # --- what takes minutes

    def _proofs(self) -> Pages:
        main, bare = self.main, self.bare
        light = self.office.cases["alike"].reporter.case.hex()
        found = {"verify": main.get("/verify")}
        step = Sentence(
            "Proving the cases ({start} of {all}): file {number} of {files}, {size}",
            start=1234, all=10_000, number=12, files=30, size=size(1_700_000_000),
        )  # fmt: skip
        with main.busy():
            found["work, begun"] = main.get("/work")
        with main.busy(step):
            found["work"] = main.get("/work")
            found["verify refused, busy"] = main.post("/verify")
            found["work, stopping"] = main.post("/work/stop")
        found["verify, done"] = main.ended("/verify")
        found["verify, one case"] = main.ended("/verify", case=light)
        with mock.patch("desk.pages.proving.prove", _stopped):
            found["verify, stopped"] = main.ended("/verify")
        with mock.patch("desk.pages.proving.prove", _damaged):
            found["verify, damaged"] = main.ended("/verify")
        theirs = {"verify, nothing": bare.ended("/verify")}
        return {
            **{name: Shown(main.root, answer) for name, answer in found.items()},
            **{name: Shown(bare.root, answer) for name, answer in theirs.items()},
        }

    # --- a file

    def _files(self) -> Pages:
        main, one = self.main, self.office.cases["whole"]
        photo, film, sound, pdf, text, _, broken, odd = map(one.file_path, range(8))
        words = f"{one.path}/answers/description/redact"
        chosen = {"word": [str(number) for number in range(3, 40, 3)], "phrase": "banque"}
        found = {
            "look, a picture": main.get(f"{photo}/look/0"),
            "look, a film": main.get(f"{film}/look/0"),
            "look, a sound": main.get(f"{sound}/look/0"),
            "look, a document": main.get(f"{pdf}/look/1"),
            "look, a text": main.get(f"{text}/look/0"),
            "look, hostile": main.get(f"{self.office.cases['hostile'].file_path(0)}/look/0"),
            "look, broken": main.get(f"{broken}/look/0"),
            "look, no kind": main.get(f"{odd}/look/0"),
            "look, closed": main.get(f"{one.file_path(9)}/look/0"),
            "redact": main.get(f"{photo}/redact/0"),
            "redact, a corner": main.post(
                f"{photo}/redact/0", **{"boxes": "", "corner": "", "at.x": "80", "at.y": "60"}
            ),
            "redact, boxes": main.post(
                f"{photo}/redact/0", boxes="150,112,300,340;700,500,200,90", corner=""
            ),
            "redact, refused": main.post(f"{photo}/redact/0", boxes="", corner="", add="1"),
            "redact, a document": main.get(f"{pdf}/redact/1"),
            "redact words": main.get(words),
            "redact words, chosen": main.post(words, look="1", **chosen),
            "redact words, refused": main.post(words, sign="1"),
            "quarantine refused": main.post(
                main.shown(f"{self.office.cases['handed over'].file_path(0)}/quarantine"),
                custodian="nobody",
            ),
        }
        return {name: Shown(main.root, answer) for name, answer in found.items()}

    # --- custody

    def _custody(self) -> Pages:
        main, keeper, office = self.main, self.keeper, self.office
        bare, named = office.cases["without an answer"], office.cases["whole"]

        def ask() -> str:
            return main.shown(f"{bare.path}/identity/ask")

        asked = main.post(ask(), text="To warn them.\nThey are in danger.")
        letters = re.findall(r'href="/desk(/[^"]+/letter)"', asked.text)
        letter = main.get(letters[-1]).text
        yes = office.answers(letter)
        opening = letters[-1].replace("/letter", "/open")
        mine = {
            "identity, asked": asked,
            "identity, not asked": main.post(ask(), text=" "),
            "identity, too few": main.post(main.shown(opening), pasted=yes[0]),
            "identity, open": main.post(main.shown(opening), pasted="\n".join(yes)),
        }
        reason = {"letter": letter, "answer": "no"}
        (asked_first,) = re.findall(r'href="/desk(/[^"]+/letter)"', main.get(named.path).text)
        no = keeper.post(
            "/custody/answer", letter=main.get(asked_first).text, answer="no", text="Not so."
        )
        mine["identity, refused by a custodian"] = main.post(
            main.shown(asked_first.replace("/letter", "/open")), pasted=no.text
        )
        theirs = {
            "custody, asked": keeper.post("/custody/read", pasted=letter),
            "custody, no without a reason": keeper.post("/custody/answer", **reason, text=" "),
            "custody, no letter": keeper.post("/custody/read", pasted="hello"),
        }
        keeper.post("/custody/answer", **reason, text="Not without a judge.\nAsk again.")
        theirs["custody"] = keeper.get("/custody")
        with mock.patch("desk.custodian.others_of", _another):
            theirs |= {
                "custody, two under one id": keeper.post("/custody/read", pasted=letter),
                "custody, not compared": keeper.post(
                    "/custody/answer", letter=letter, answer="yes"
                ),
            }
        return {
            **{name: Shown(main.root, answer) for name, answer in mine.items()},
            **{name: Shown(keeper.root, answer) for name, answer in theirs.items()},
            "custody, an operator's": Shown(main.root, main.get("/custody")),
        }

    # --- the command room

    def _room(self) -> Pages:
        main, bare = self.main, self.bare
        mine = {
            "room": main.get(f"/room?{PERIOD}"),
            "room, wall": main.get(f"/room/wall?{PERIOD}"),
        }
        theirs = {
            "room, a period refused": bare.get("/room?period=never"),
            "room, empty": bare.get("/room?period=today"),
            "room, empty wall": bare.get("/room/wall?period=today"),
        }
        return {
            **{name: Shown(main.root, answer) for name, answer in mine.items()},
            **{name: Shown(bare.root, answer) for name, answer in theirs.items()},
        }

    # --- the desk itself, and what leaves it

    def _home(self, code: str) -> Pages:
        found = {**home.home_pages(self, code), **leaving.leaving_pages(self, code)}
        return {name: Shown(one.root, answer) for name, (one, answer) in found.items()}

    # --- what is shown to whoever may not, or where something failed

    def _problems(self, code: str) -> Pages:
        desk, root = self.office.desk, "/shut"
        shut = Browser.enter(desk, root, fails=True)
        shut.speak(code)
        found = {f"problem {status}": shut.get(f"/fail/{status}") for status in _STATUSES}
        found["problem, no such case"] = shut.get("/case/ffffffff")
        found["problem, locked"] = shut.post("/lock")
        found["problem, after Lock"] = shut.get("/")
        return {name: Shown(root, answer) for name, answer in found.items()}


FACES = (
    "list", "list, empty", "list, search refused", "case, whole", "case, hostile",
    "case, unreadable", "case, outcome refused", "look, a document", "look, a text",
    "look, a sound", "redact, boxes", "redact words, chosen", "identity, asked",
    "identity, open", "work", "verify, done", "custody, asked", "room", "room, wall",
    "problem 404", "problem, locked",
    *home.FACES, *leaving.FACES,
)  # fmt: skip
"""One page of each kind, for the judges that take longer."""
_STATUSES = (400, 401, 403, 404, 405, 413, 500)
_CASES = (
    "received", "assessment", "imminent", "info_requested", "ready", "transmitted", "returned",
    "prosecutor_informed", "instructed", "closed", "withdrawn", "duplicate", "unreadable",
    "hostile", "whole", "alike", "two reports",
)  # fmt: skip
"""Cases whose page offers something else than the others'."""
_REFUSED: dict[str, dict[str, str]] = {
    "status": {"state": "closed", "reason": "outcome"},
    "outcome": {"event": "identified", "day": "soon", "label": "the <cousin>"},
    "link": {"case": "ffff", "kind": "related"},
    "note": {"text": " "},
    "second_look": {"text": " "},
    "erasure": {"text": " "},
    "priority": {"priority": "P9"},
    "assignment": {"operator": "nobody"},
    "category": {"category": "none"},
    "tag": {"tag": "none"},
}
"""Acts that are refused, by kind: each says why at its own form."""
