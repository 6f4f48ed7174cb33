"""The desk's pages: the list, a case, its files, an answer, a state.

Rule: every answer carries the strict headers and is stored nowhere; nothing is loaded
from elsewhere; no script is needed, and only the list has one, for its keys.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response, abort, g, make_response, redirect, render_template, request, url_for
from markupsafe import escape
from werkzeug.exceptions import Unauthorized

from desk import telling, words
from desk.cases import Cases
from desk.damage import unusable
from desk.errors import (
    AmbiguousCase,
    CaseMoved,
    DeskError,
    EvidenceUnsound,
    NoSuchCase,
    NoSuchEvidence,
    NotAnswerable,
    NothingToSay,
    NothingToSee,
    RedactionRefused,
    StateUnknown,
)
from desk.evidence import open_evidence
from desk.outbox import TEXT_MOST, answer
from desk.pages import (
    acting,
    background,
    bulletin,
    choosing,
    clear,
    custody,
    home,
    listing,
    proving,
    room,
    rulebook,
    services,
    similar,
    transmission,
)
from desk.pages import sight as sight_pages
from desk.pages.background import Background
from desk.pages.choosing import spoken
from desk.pages.door import Bind, OneTimeLink, Sessions, is_local, is_own_form
from desk.pages.markup import UNKEPT, isolated
from desk.pages.media import download
from desk.pages.notices import Notices
from desk.pages.quiet import QuietFlask
from desk.pages.seen import require_seen
from desk.pages.syncing import Syncing
from desk.public_status import PUBLIC, public_words
from desk.ready_answers import begin
from desk.sentence import Sentence, reason
from desk.summary import all_alarms
from desk.verify import Entry, Reply

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Response as BaseResponse

    from desk.cases import Case
    from desk.desk import Desk
    from desk.news import Bell

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: a browser would then hide the Origin that the forms are checked by.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "X-Frame-Options": "DENY",
}
FORM_BYTES = 256 * 1024


@dataclass(slots=True)
class _Pages:
    """What the routes share: the desk, the lock on it, and what is to be said next."""

    desk: Desk
    bind: Bind
    link: OneTimeLink
    background: Background
    syncing: Syncing
    sessions: Sessions = field(default_factory=Sessions)
    notices: Notices = field(default_factory=Notices)
    sight: sight_pages.Sight = field(init=False)
    listing: listing.Listing = field(init=False)
    similar: similar.SimilarPart = field(init=False)

    def say(self, notice: str) -> None:
        """Say it on the page that follows."""
        self.notices.say(notice)

    def take_notice(self) -> str:
        """What this page is to say, once."""
        return self.notices.take()

    # --- the door

    def guard(self) -> None:
        """Before every request: the right address, the right browser, our own forms."""
        if not is_local(self.bind, request.headers):
            abort(403)
        if request.endpoint in ("enter", "static"):
            return
        if not self.sessions.knows(request.cookies.get(self.sessions.cookie)):
            abort(401)
        g.entered = True
        if request.method == "POST" and not is_own_form(self.bind, request.headers):
            abort(403)
        if request.endpoint != "lock":
            # What another program of this desk accepted meanwhile counts here too.
            self.desk.trust.renew()

    def shut(self, response: Response) -> Response:
        """After every request: what was begun before Lock does not go out after it."""
        cookie = request.cookies.get(self.sessions.cookie)
        if not g.get("entered") or request.endpoint == "lock" or self.sessions.knows(cookie):
            return response
        response.close()
        g.entered = False
        return make_response(_http_error(Unauthorized()))

    def enter(self, token: str) -> BaseResponse:
        """Exchange the link for a cookie, once."""
        # A preview that asks with HEAD must not use the link up.
        if request.method != "GET" or not self.link.spend(token):
            abort(401)
        if self.syncing.minutes:
            # Not before: a worker that is started anew lets nobody in, and is to ask nobody.
            self.background.beside(self.syncing.keep_on)
        response = redirect(url_for("cases"), 303)
        response.set_cookie(
            self.sessions.cookie,
            self.sessions.begin(),
            httponly=True,
            samesite="Strict",
            path=url_for("cases"),
        )
        return response

    def lock(self) -> tuple[str, int, dict[str, str]]:
        """Forget every browser; the pages stay shut until `serve` is started anew."""
        self.sessions.end_all()
        self.background.end()
        self.sight.drawn.end()
        self.similar.cases.forget()
        self.listing.end()
        return render_template("locked.html"), 200, {"Clear-Site-Data": '"cache", "cookies"'}

    # --- pages

    def sync(self) -> BaseResponse:
        """Fetch and send, then show the list."""
        self.say(self.syncing.press())
        return redirect(url_for("cases"), 303)

    def case(self, ref: str) -> str:
        """One case."""
        return self._show(Cases(self.desk).find(ref))

    def _show(
        self, case: Case, typed: str = "", problem: str = "", status: str = "",
        refused: tuple[str, str] = ("", ""),
    ) -> str:  # fmt: skip
        return render_template(
            "case.html",
            case=case,
            refused_kind=refused[0],
            refused_why=refused[1],
            given=request.form,
            **self.sight.offered(case),
            fields=list(words.answers(case.fields)),
            others=[(one, list(words.answers(one.manifest.fields))) for one in case.origin.others],
            alarms=all_alarms(self.desk, case),
            rules=self.desk.rules,
            contradictions=telling.contradictions(case, self.desk.rules),
            **acting.offered(self.desk, case),
            **custody.offered(self.desk, case),
            public=PUBLIC,
            status=status,
            withdrawn=words.WITHDRAWN,
            # The operator's own words come back to the letter.
            typed=escape(typed),
            problem=problem,
            most=TEXT_MOST,
            is_reply=lambda one: isinstance(one, Reply),
            is_entry=lambda one: isinstance(one, Entry),
            notice=self.take_notice(),
        )

    def file(self, ref: str, file_id: str) -> Response:
        """One file of a case as it is, decrypted in memory, to be kept and not to be shown."""
        case = Cases(self.desk).find(ref)
        return download(open_evidence(self.desk, case, file_id), request.headers.get("Range"))

    def answer(self, ref: str) -> BaseResponse | tuple[str, int]:
        """Send an answer; what was typed comes back if it cannot be sent."""
        case = Cases(self.desk).find(ref)
        typed, public = request.form.get("text", ""), request.form.get("status", "")
        if "begin" in request.form:
            return self._begun(case, typed, public)
        try:
            require_seen(case, unsaid=True)
            sent = answer(self.desk, case, typed, public)
        except DeskError as error:
            ours = isinstance(error, (NothingToSay, NotAnswerable, StateUnknown, CaseMoved))
            return self._show(case, typed, reason(error), public), 422 if ours else 502
        self.say(
            Sentence(
                "The answer was sent."
                if sent
                else "The server has not taken it yet: the answer is kept here, and goes out with "
                "the next sync."
            )
        )
        return redirect(url_for("case", ref=case.id.hex()), 303)

    def _begun(self, case: Case, typed: str, public: str) -> tuple[str, int]:
        """The page with a ready answer in the field, below what was typed; nothing is sent."""
        try:
            ready = begin(self.desk.rules, case, request.form.get("ready", ""), typed)
        except NothingToSay as error:
            return self._show(case, typed, reason(error), public), 422
        self.say(Sentence("The ready answer stands in the field. Nothing was sent yet."))
        return self._show(case, ready.text, status=public or ready.status), 200

    def refused(self, case: Case, kind: str, why: str) -> tuple[str, int]:
        """The case's page, with the reason why an act of one kind was refused."""
        return self._show(case, refused=(kind, why)), 422

    def act(self, ref: str, kind: str) -> BaseResponse | tuple[str, int]:
        """Append an entry; what was typed comes back if the rules do not allow it."""
        case = Cases(self.desk).find(ref)
        try:
            require_seen(case, unsaid=True)
            sent = acting.do(self.desk, case, kind, request.form)
        except DeskError as error:
            return self._show(case, refused=(kind, reason(error))), 422
        self.say(
            Sentence("Signed and sent." if sent else "Signed here; it goes out at the next sync.")
        )
        return redirect(url_for("case", ref=case.id.hex()), 303)


def create_pages(  # noqa: PLR0913  # what a run of the pages has
    desk: Desk, bind: Bind, link: OneTimeLink, bell: Bell | None = None,
    beside: Background | None = None, *, sync_minutes: int = 0,
) -> Flask:  # fmt: skip
    """Build the pages of one unlocked desk, to be entered through one link.

    `beside` runs what takes minutes; whoever gave it ends it with the program.  Where
    `sync_minutes` is not 0, the pages sync by themselves from when a browser was let in.
    """
    app = QuietFlask("desk.pages", root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = FORM_BYTES
    beside = beside or Background()
    syncing = Syncing(desk, bell, beside.over, sync_minutes)
    pages = _Pages(desk, bind, link, beside, syncing)
    choosing.register(app, desk.home)
    app.before_request(pages.guard)
    app.after_request(_strict)
    app.after_request(pages.notices.keep)
    app.after_request(pages.shut)
    app.add_url_rule("/link/<token>", "enter", pages.enter)
    pages.listing = listing.register(app, pages, HEADERS["Content-Security-Policy"])
    app.add_url_rule("/sync", "sync", pages.sync, methods=["POST"])
    app.add_url_rule("/lock", "lock", pages.lock, methods=["POST"])
    app.add_url_rule("/case/<ref>", "case", pages.case)
    app.add_url_rule("/case/<ref>/file/<file_id>", "file", pages.file)
    app.add_url_rule("/case/<ref>/answer", "answer", pages.answer, methods=["POST"])
    app.add_url_rule("/case/<ref>/act/<kind>", "act", pages.act, methods=["POST"])
    custody.register(app, pages)
    home.register(app, pages)
    rulebook.register(app, desk)
    services.register(app, pages)
    background.register(app, pages)
    proving.register(app, pages)
    pages.similar = similar.register(app, pages)
    pages.sight = sight_pages.register(app, pages)
    room.register(app, desk)
    bulletin.register(app, desk)
    clear.register(app, desk)
    transmission.register(app, pages)
    app.register_error_handler(DeskError, _desk_error)
    app.register_error_handler(sqlite3.Error, _database_error)
    for status in (400, 401, 403, 404, 405, 413, 500):
        app.register_error_handler(status, _http_error)
    _speak(app, desk)
    app.context_processor(lambda: {"rehearsal": desk.trust.rehearsal, "practice": words.REHEARSAL})
    return app


def _speak(app: Flask, desk: Desk) -> None:
    """Give the templates their words, and see to it that nothing goes out unfiltered."""
    app.jinja_env.filters |= {
        "language": choosing.language_name,
        "defanged": words.defanged,
        "isolated": isolated,
        "plain": words.plain,
        "act": lambda body: spoken().say(telling.act(body.type, body.data, desk.rules)),
        "noted": lambda body: telling.text(body.type, body.data),
        "state": lambda name: spoken().say(desk.rules.state(name)),
        "sign": choosing.heading,
        "typed": escape,
        "public": lambda name: spoken().say(public_words(name)),
        "told": lambda one: spoken().say(words.told(one)),
        "said": lambda body, number: spoken().say(words.said(body, number)),
        "writer": lambda one, case: spoken().say(words.writer(case, one)),
    }
    # Whatever a template inserts went through the filter that a terminal's text goes through: a
    # name that somebody else wrote is not left to the care with which a page is written.
    app.jinja_env.globals["unkept"] = UNKEPT
    app.jinja_env.finalize = _plain
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _plain(value: object) -> object:
    return (
        words.plain(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
    )


def _strict(response: Response) -> Response:
    own_policy = response.headers.get("Content-Security-Policy")
    for name, value in HEADERS.items():
        response.headers[name] = value
    if own_policy:
        response.headers["Content-Security-Policy"] = own_policy
    return response


def _desk_error(error: DeskError) -> tuple[str, int]:
    missing = isinstance(error, (NoSuchCase, NoSuchEvidence, AmbiguousCase))
    ours = isinstance(error, (EvidenceUnsound, NothingToSee, RedactionRefused))
    status = 404 if missing else 422 if ours else 500
    return render_template("problem.html", title="That did not work", why=reason(error)), status


def _database_error(error: sqlite3.Error) -> tuple[str, int]:
    return render_template("problem.html", title="That did not work", why=unusable(error)), 500


_ONE_TIME = (
    "The link that amana-desk serve prints works once, in one browser. Stop it with Ctrl-C, start "
    "it anew and open the new link."
)
_PROBLEMS = {
    401: ("This page is locked", _ONE_TIME),
    403: ("Refused", "This request did not come from the desk's own pages."),
    404: ("Nothing here", "There is no such page."),
    405: ("Refused", "This address does not take that."),
    413: ("Too much text", "An answer may not be that long."),
    500: ("Something failed", "The desk's pages met an error. Nothing was sent."),
}


def _http_error(error: HTTPException) -> tuple[str, int]:
    status = error.code or 500
    title, text = _PROBLEMS.get(status, ("Refused", "The request was not understood."))
    return render_template("problem.html", title=title, why=text), status
