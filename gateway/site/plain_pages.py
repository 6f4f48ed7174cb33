"""The pages that ask nothing: languages, what a device remembers, leaving, style, errors."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flask import Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from gateway.errors import NoValidRoster
from gateway.intake import Busy
from gateway.patience import PatientSocket
from gateway.quiet import report_failure
from gateway.site.context import TITLE
from gateway.site.headers import LEAVING
from gateway.site.words import LANGUAGES

if TYPE_CHECKING:
    from gateway.site.context import Site
    from gateway.site.report_pages import ReportPages

SHOWN = frozenset({400, 403, 404, 405, 413, 415, 429, 500, 503})
_DRAIN_PIECE = 64 * 1024
_DRAIN_MOST = 16 * 1024 * 1024
_DRAIN_SECONDS = 10


class PlainPages:
    """Views and error pages; one object for the application."""

    def __init__(self, site: Site, report: ReportPages, style: bytes) -> None:
        self._site = site
        self._report = report
        self._style = style

    def index(self) -> Response:
        """Offer the languages, each in its own script."""
        return self._all_languages(0)

    def device(self, lang: str) -> Response:
        """Say what the browser and the phone still remember."""
        return self._site.page("device.html", lang)

    def style(self) -> Response:
        """Give the one stylesheet."""
        return Response(self._style, mimetype="text/css")

    def leave(self, lang: str) -> Response:
        """Go somewhere harmless, and ask the browser to forget.

        A POST carries the token of a receipt page and closes that receipt.  Its answer is a page
        and not a redirection: browsers hold redirections of a form to ``form-action 'self'``.
        """
        leave_url = self._site.config.leave_url
        if request.method == "POST":
            self._report.forget()
            answer = self._site.page("leave.html", lang, leave_url=leave_url)
            answer.headers["Refresh"] = f"0; url={leave_url}"
        else:
            answer = Response(redirect(leave_url, 303).get_data(), 303, mimetype="text/html")
            answer.headers["Location"] = leave_url
        answer.headers["Clear-Site-Data"] = LEAVING
        return answer

    def problem(self, error: Exception) -> Response:
        """Show any error as a page of ours, in the language of the address, or in all."""
        status, allow = 500, None
        if isinstance(error, HTTPException):
            status = error.code if error.code in SHOWN else 400
            allow = dict(error.get_headers()).get("Allow")
        elif isinstance(error, (NoValidRoster, Busy)):
            status = 503
        else:
            report_failure(error)
        if status == 413:  # noqa: PLR2004 the status this is about
            self._drain()
        lang = (request.view_args or {}).get("lang") or request.path.split("/")[1]
        if lang not in self._site.words:
            answer = self._all_languages(status)
        else:
            answer = self._in_language(lang, status)
        if allow is not None:
            answer.headers["Allow"] = allow
        return answer

    def _in_language(self, lang: str, status: int) -> Response:
        facts = {
            "size": self._site.words[lang].size(self._site.config.site.form_bytes),
            "police": self._site.help.police,
            "gendarmerie": self._site.help.gendarmerie,
        }
        return self._site.page(
            "said.html", lang, status=status, key=f"problem.{status}", facts=facts
        )

    def _all_languages(self, status: int) -> Response:
        body = render_template(
            "index.html",
            site=self._site,
            title=TITLE,
            languages=LANGUAGES,
            rehearsal=self._site.rehearsal(),
            help=self._site.help,
            status=status,
            form_bytes=self._site.config.site.form_bytes,
        )
        return Response(body, status=status or 200, mimetype="text/html")

    def _drain(self) -> None:
        """Read the rest of what is too large, within bounds; then its connection ends.

        A browser that is cut off in mid-upload shows no page at all.  What says that it is far too
        large is not waited for.
        """
        stream, clock = request.environ["wsgi.input"], self._site.clock
        connection = request.environ.get("gunicorn.socket")
        if isinstance(connection, PatientSocket):
            connection.close_after_answer()
            connection.finish_within(_DRAIN_SECONDS)
        left = _DRAIN_MOST if request.content_length is None else request.content_length
        end = clock.monotonic() + _DRAIN_SECONDS
        if left > _DRAIN_MOST:
            return
        # Whoever is gone, or sends what is no chunk, sees no page; there is nothing to say of it.
        with suppress(OSError):
            while clock.monotonic() < end and (piece := stream.read(min(left, _DRAIN_PIECE))):
                left -= len(piece)
