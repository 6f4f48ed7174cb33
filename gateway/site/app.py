"""The reporters' site as one WSGI application, made from parts that are handed in.

No cookie, no session, nothing from elsewhere, nothing that needs a script.  Routes are listed here,
once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import request
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests, UnsupportedMediaType

from gateway.clock import SystemClock
from gateway.intake import Intake
from gateway.pieces import PieceShelf
from gateway.places import Places
from gateway.quiet import QuietFlask
from gateway.site.answers import AnswerReader
from gateway.site.context import UNKEPT, Site
from gateway.site.forms import load_forms
from gateway.site.headers import guard_post, onion_location, relative_redirect, with_strict_headers
from gateway.site.packed import packed
from gateway.site.piece_pages import BODY_MOST, OCTETS, PiecePages
from gateway.site.plain_pages import PlainPages
from gateway.site.report_pages import ReportPages
from gateway.site.stays import FORM_TYPES, Stays, listen
from gateway.site.thread_pages import ThreadPages
from gateway.site.waiting import asking_must_wait, may_ask_now, source
from gateway.site.words import LANGUAGES
from gateway.turns import Turns
from gateway.upload import MULTIPART, TEXT_BYTES, UploadRequest
from gateway.watermark import Watermark

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from crypto.ids import Deployment
    from gateway.clock import Clock
    from gateway.config import GatewayConfig
    from gateway.roster_watch import CurrentRoster
    from gateway.secrets import GatewaySecrets
    from vault.vault import Vault

HERE = Path(__file__).parent
# Whoever wants to leave is never told to wait.
_WAY_OUT = frozenset({"leave", "leave_receipt", "left"})
# Parts of a page that was given: without them it is shown as text, and does not go on by itself.
_PARTS = frozenset({"style", "letters", "face", "exit_script", "turn_script", "send_script"})
# Where something written comes; what is read can be asked for again.
_WRITTEN = frozenset({"write", "send", "confirm", "open", "message"})
_RETRY_SECONDS = 60
# Only these two take files; everywhere else a body is a few fields.
_WITH_FILES = frozenset({"send", "message"})
_PREFIX = f"/<any({','.join(one.code for one in LANGUAGES)}):lang>"
# Where a report begins; a conversation that has begun goes on.
_BEGINNINGS = frozenset({"start", "write"})
_GONE = 410


def create_site(  # noqa: PLR0913 each is a part of a deployment
    *,
    config: GatewayConfig,
    secrets: GatewaySecrets,
    deployment: Deployment,
    vault: Vault,
    rosters: CurrentRoster,
    clock: Clock | None = None,
    places: Places | None = None,
) -> Flask:
    """Return the site's application; ``places`` are what it shares with other workers.

    Raises FormRefused when the form's data does not fit.
    """
    clock = clock or SystemClock()
    places = places or Places(config.stretchers)
    forms = load_forms(config.forms)
    intake = Intake(
        vault,
        rosters,
        secrets,
        clock,
        deployment=deployment,
        stretchers=config.stretchers,
        # Each who waits holds a thread: newcomers a quarter of them, those in turn another.
        waiting=max(1, config.threads // 4),
    )
    site = Site(
        config=config,
        vault=vault,
        rosters=rosters,
        intake=intake,
        clock=clock,
        schema=forms.schema,
        readers={form.id: AnswerReader(form) for form in forms.schema.categories},
        words=forms.words,
        help=forms.help,
        institution=forms.institution,
        watermark=Watermark.of(config, clock.monotonic),
        turns=Turns(places, intake.gate, clock),
        stays=Stays(vault, intake.token_key, clock.today),
    )
    app = _bare_application(config, site.watermark)
    app.before_request(lambda: _bound_asking(site))
    app.before_request(lambda: _close_door(site.watermark))
    app.before_request(lambda: _answer_left(site))
    # Whoever runs this application in a process of its own lets a thread close them.
    app.extensions["amana.windows"] = intake.windows
    app.extensions["amana.gate"] = intake.gate
    report = ReportPages(site)
    plain = PlainPages(site, report, HERE / "static")
    shelf = PieceShelf(config.spool, config.pieces, key=places.key)
    app.extensions["amana.pieces"] = shelf
    pieces = PiecePages(site, shelf, (HERE / "static" / "send.js").read_bytes())
    _add_routes(app, report, ThreadPages(site), plain)
    _add_pieces(app, pieces)
    app.register_error_handler(Exception, plain.problem)
    return app


def _bare_application(config: GatewayConfig, watermark: Watermark) -> Flask:
    app = QuietFlask("gateway.site", template_folder="templates", static_folder=None)
    app.request_class = type(
        "SiteRequest",
        (UploadRequest,),
        {
            "spool_folder": config.spool,
            "file_bytes": config.site.file_bytes,
            "has_room": staticmethod(watermark.has_room),
        },
    )
    app.jinja_env.globals["unkept"] = UNKEPT
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.auto_reload = False
    app.before_request(listen)
    app.before_request(lambda: _bound_body(config))
    # Done last, after all that reads or changes a page.
    app.after_request(packed)
    if config.onion is not None:
        app.after_request(onion_location(config.onion))
    app.after_request(relative_redirect)
    app.after_request(with_strict_headers)
    app.teardown_request(_close_spools)
    return app


def _bound_asking(site: Site) -> Response | None:
    """Let whoever asks for too much wait, where they can be told apart.  Claim C-TURN.

    What they wrote goes on as long as little was brought from there, else into a page that keeps
    it.  Raises TooManyRequests where there is nothing to keep, or it is too long to be read.
    """
    if request.endpoint in _WAY_OUT or site.turns.may_ask(source()) or request.endpoint in _PARTS:
        return None
    if request.endpoint in _WRITTEN:
        if site.turns.may_bring(source()) or may_ask_now(site):
            return None
        # A form of a stay that was left is answered as such, and by nothing that it held.
        answer = asking_must_wait(site)
        if answer is not None:
            return None if site.stays.is_over() else answer
    raise TooManyRequests(retry_after=_RETRY_SECONDS)


def _close_door(watermark: Watermark) -> None:
    """Let nothing be begun that might find no room in the end.  Raises ServiceUnavailable."""
    if request.endpoint in _BEGINNINGS and not watermark.is_open():
        raise ServiceUnavailable


def _answer_left(site: Site) -> Response | None:
    """Show nothing to a form of a stay that was left: a browser sent it again.  Claim C-LEAVE."""
    if request.mimetype not in FORM_TYPES or request.endpoint in {None, *_WAY_OUT}:
        return None
    lang = (request.view_args or {}).get("lang")
    if not site.stays.is_over() or lang is None:
        return None
    return site.page("said.html", lang, status=_GONE, key="problem.410", facts={})


def _bound_body(config: GatewayConfig) -> None:
    """Say how much may come before a byte of it is read, and from whom."""
    if request.method != "POST":
        return
    guard_post(request)
    if request.endpoint == "piece":
        if request.mimetype != OCTETS:
            raise UnsupportedMediaType
        request.max_content_length = BODY_MOST
        return
    if request.mimetype not in FORM_TYPES:
        raise UnsupportedMediaType
    with_files = request.endpoint in _WITH_FILES and request.mimetype == MULTIPART
    request.max_content_length = config.site.form_bytes if with_files else TEXT_BYTES


def _close_spools(_: BaseException | None) -> None:
    cast("UploadRequest", request).close_spools()


def _add_pieces(app: Flask, pieces: PiecePages) -> None:
    """The second way of a file, for a script: nothing about a file is in an address."""
    routes: tuple[tuple[str, str, str, Callable[..., Response]], ...] = (
        ("GET", "/send.js", "send_script", pieces.script),
        ("POST", f"{_PREFIX}/begin", "begin", pieces.begin),
        ("POST", f"{_PREFIX}/piece", "piece", pieces.piece),
        ("POST", f"{_PREFIX}/whole", "whole", pieces.whole),
        ("POST", f"{_PREFIX}/drop", "drop_piece", pieces.drop),
    )
    for method, rule, endpoint, view in routes:
        app.add_url_rule(rule, endpoint, view, methods=[method], provide_automatic_options=False)


def _add_routes(app: Flask, report: ReportPages, thread: ThreadPages, plain: PlainPages) -> None:
    """Every address of the site: neutral words, and nothing about anybody in them."""
    prefix = _PREFIX
    routes: tuple[tuple[str, str, str, Callable[..., Response]], ...] = (
        ("GET", "/", "index", plain.index),
        ("GET", "/style.css", "style", plain.style),
        ("GET", "/letters.css", "letters", plain.letters),
        ("GET", "/letters.woff2", "face", plain.face),
        ("GET", "/exit.js", "exit_script", plain.exit_script),
        ("GET", "/turn.js", "turn_script", plain.turn_script),
        ("GET", f"{prefix}/", "start", report.start),
        ("POST", f"{prefix}/write", "write", report.write),
        ("POST", f"{prefix}/send", "send", report.send),
        ("POST", f"{prefix}/confirm", "confirm", report.confirm),
        ("GET", f"{prefix}/thread", "thread", thread.ask),
        ("POST", f"{prefix}/thread", "open", thread.open),
        ("POST", f"{prefix}/message", "message", thread.message),
        # From a page that answers a form: its ways on carry the stay that the form belongs to.
        ("POST", "/", "index", plain.index),
        ("POST", f"{prefix}/", "start", report.start),
        ("POST", f"{prefix}/device", "device", plain.device),
        ("POST", f"{prefix}/about", "about", plain.about),
        ("POST", f"{prefix}/data", "data", plain.data),
        ("GET", f"{prefix}/device", "device", plain.device),
        ("GET", f"{prefix}/about", "about", plain.about),
        ("GET", f"{prefix}/data", "data", plain.data),
        ("GET", f"{prefix}/leave", "leave", plain.leave),
        ("POST", f"{prefix}/leave", "leave_receipt", plain.leave),
        ("GET", f"{prefix}/left", "left", plain.left),
    )
    for method, rule, endpoint, view in routes:
        app.add_url_rule(rule, endpoint, view, methods=[method], provide_automatic_options=False)
