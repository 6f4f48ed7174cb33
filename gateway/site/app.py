"""The reporters' site as one WSGI application, made from parts that are handed in.

No script, no cookie, no session, nothing from elsewhere.  Routes are listed here, once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from gateway.clock import SystemClock
from gateway.intake import Intake
from gateway.quiet import QuietFlask
from gateway.site.answers import AnswerReader
from gateway.site.context import Site
from gateway.site.headers import guard_post, with_strict_headers
from gateway.site.help import HelpLines
from gateway.site.plain_pages import PlainPages
from gateway.site.report_pages import ReportPages
from gateway.site.schema import FormSchema
from gateway.site.thread_pages import ThreadPages
from gateway.site.words import LANGUAGES, load_words, require_words
from gateway.upload import MULTIPART, TEXT_BYTES, URLENCODED, UploadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

    from crypto.ids import Deployment
    from gateway.clock import Clock
    from gateway.config import GatewayConfig
    from gateway.roster_watch import CurrentRoster
    from gateway.secrets import GatewaySecrets
    from vault.vault import Vault

FORMS = Path(__file__).parent.parent / "forms"
HERE = Path(__file__).parent
# Only these two take files; everywhere else a body is a few fields.
_WITH_FILES = frozenset({"send", "message"})
_FORM_TYPES = frozenset({MULTIPART, URLENCODED})


def create_site(  # noqa: PLR0913 each is a part of a deployment
    *,
    config: GatewayConfig,
    secrets: GatewaySecrets,
    deployment: Deployment,
    vault: Vault,
    rosters: CurrentRoster,
    clock: Clock | None = None,
) -> Flask:
    """Return the site's application.  Raises FormRefused when the form's data does not fit."""
    clock = clock or SystemClock()
    schema = FormSchema.from_json((FORMS / "categories.json").read_bytes())
    words = load_words(HERE / "translations")
    require_words(schema, words)
    intake = Intake(
        vault, rosters, secrets, clock, deployment=deployment, stretchers=config.stretchers
    )
    site = Site(
        config=config,
        vault=vault,
        rosters=rosters,
        intake=intake,
        clock=clock,
        schema=schema,
        readers={form.id: AnswerReader(form) for form in schema.categories},
        words=words,
        help=HelpLines.from_json((FORMS / "help.json").read_bytes()),
    )
    app = _bare_application(config)
    # Whoever runs this application in a process of its own lets a thread close them.
    app.extensions["amana.windows"] = intake.windows
    report = ReportPages(site)
    plain = PlainPages(site, report, (HERE / "static" / "site.css").read_bytes())
    _add_routes(app, report, ThreadPages(site), plain)
    app.register_error_handler(Exception, plain.problem)
    return app


def _bare_application(config: GatewayConfig) -> Flask:
    app = QuietFlask("gateway.site", template_folder="templates", static_folder=None)
    app.request_class = type(
        "SiteRequest",
        (UploadRequest,),
        {"spool_folder": config.spool, "file_bytes": config.site.file_bytes},
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.auto_reload = False
    app.before_request(lambda: _bound_body(config))
    app.after_request(with_strict_headers)
    app.teardown_request(_close_spools)
    return app


def _bound_body(config: GatewayConfig) -> None:
    """Say how much may come before a byte of it is read, and from whom."""
    if request.method != "POST":
        return
    guard_post(request)
    if request.mimetype not in _FORM_TYPES:
        raise UnsupportedMediaType
    with_files = request.endpoint in _WITH_FILES and request.mimetype == MULTIPART
    request.max_content_length = config.site.form_bytes if with_files else TEXT_BYTES


def _close_spools(_: BaseException | None) -> None:
    cast("UploadRequest", request).close_spools()


def _add_routes(app: Flask, report: ReportPages, thread: ThreadPages, plain: PlainPages) -> None:
    """Every address of the site: neutral words, and nothing about anybody in them."""
    prefix = f"/<any({','.join(one.code for one in LANGUAGES)}):lang>"
    routes: tuple[tuple[str, str, str, Callable[..., Response]], ...] = (
        ("GET", "/", "index", plain.index),
        ("GET", "/style.css", "style", plain.style),
        ("GET", f"{prefix}/", "start", report.start),
        ("POST", f"{prefix}/write", "write", report.write),
        ("POST", f"{prefix}/send", "send", report.send),
        ("POST", f"{prefix}/confirm", "confirm", report.confirm),
        ("GET", f"{prefix}/thread", "thread", thread.ask),
        ("POST", f"{prefix}/thread", "open", thread.open),
        ("POST", f"{prefix}/message", "message", thread.message),
        ("GET", f"{prefix}/device", "device", plain.device),
        ("GET", f"{prefix}/leave", "leave", plain.leave),
        ("POST", f"{prefix}/leave", "leave_receipt", plain.leave),
    )
    for method, rule, endpoint, view in routes:
        app.add_url_rule(rule, endpoint, view, methods=[method], provide_automatic_options=False)
