"""The pages that ask nothing: languages, what a device remembers, the promise, leaving, errors."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flask import Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, TooManyRequests

from gateway.errors import Busy, NoValidRoster
from gateway.patience import PatientSocket
from gateway.quiet import report_failure
from gateway.site.context import TITLE
from gateway.site.headers import LEAVING
from gateway.site.promise import CANNOT, PROMISE
from gateway.site.words import LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.site.context import Site
    from gateway.site.report_pages import ReportPages

_PASSING = frozenset({400, 429, 500, 503})
SHOWN = frozenset({400, 403, 404, 405, 413, 415, 429, 500, 503})
_DRAIN_PIECE = 64 * 1024
_DRAIN_MOST = 16 * 1024 * 1024
_DRAIN_SECONDS = 10


def _may_be_sent_again(status: int) -> bool:
    """Whether the browser holds a form that the same request may still bring home."""
    return request.method == "POST" and status in _PASSING


class PlainPages:
    """Views and error pages; one object for the application."""

    def __init__(self, site: Site, report: ReportPages, static: Path) -> None:
        self._site = site
        self._report = report
        self._style = (static / "site.css").read_bytes()
        self._letters = (static / "letters" / "letters.css").read_bytes()
        self._face = (static / "letters" / "tifinagh.woff2").read_bytes()
        self._exit_script = (static / "exit.js").read_bytes()
        self._turn_script = (static / "turn.js").read_bytes()

    def index(self) -> Response:
        """Offer the languages, each in its own script."""
        return self._all_languages(0)

    def device(self, lang: str) -> Response:
        """Say what the browser and the phone still remember."""
        config = self._site.config
        return self._site.page("device.html", lang, leave_url=config.leave_url, onion=config.onion)

    def about(self, lang: str) -> Response:
        """Show each sentence of the promise with its proof, and what no proof can show."""
        return self._site.page("about.html", lang, promise=PROMISE, cannot=CANNOT)

    def data(self, lang: str) -> Response:
        """Show the data-protection notice."""
        return self._site.page("data.html", lang)

    def style(self) -> Response:
        """Give the one stylesheet."""
        return Response(self._style, mimetype="text/css")

    def letters(self) -> Response:
        """Give what the pages of a language with rare letters add to the style."""
        return Response(self._letters, mimetype="text/css")

    def face(self) -> Response:
        """Give those letters; never cached, since a copy on the device would tell the language."""
        return Response(self._face, mimetype="font/woff2")

    def exit_script(self) -> Response:
        """Give the script that leaves faster, where a browser runs one."""
        return Response(self._exit_script, mimetype="text/javascript")

    def turn_script(self) -> Response:
        """Give the script with which a page that waits for its turn goes on by itself."""
        return Response(self._turn_script, mimetype="text/javascript")

    def leave(self, lang: str) -> Response:
        """Show an empty page, ask the browser to forget, and go on.  Claim C-LEAVE.

        A POST carries the stay, which is over from here on, and the token of a receipt or of a
        form, whose receipt is closed.  In two steps, because a browser can only forget a page that
        it has put away: with this answer the page that is being left goes into its memory for
        Back, with the next one out of it.
        """
        if request.method == "POST":
            for forget in (self._site.stays.leave, self._report.forget):
                try:
                    forget()
                except Exception as error:  # noqa: BLE001 # whatever it is: nobody is kept here
                    report_failure(error)
        body = render_template(
            "leave.html",
            t=self._site.words[lang],
            lang=lang,
            direction=self._site.words[lang].language.direction,
            title=TITLE,
        )
        answer = Response(body, mimetype="text/html")
        answer.headers["Refresh"] = f"0; url={url_for('left', lang=lang)}"
        answer.headers["Clear-Site-Data"] = LEAVING
        return answer

    def left(self, lang: str) -> Response:  # noqa: ARG002 every page has its language
        """Go somewhere harmless; what the browser still holds of this site is forgotten here."""
        leave_url = self._site.config.leave_url
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
        if isinstance(error, TooManyRequests) and error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    def _in_language(self, lang: str, status: int) -> Response:
        facts = {
            "size": self._site.words[lang].size(self._site.config.site.form_bytes),
            "police": self._site.help.police,
            "gendarmerie": self._site.help.gendarmerie,
        }
        return self._site.page(
            "said.html",
            lang,
            status=status,
            key=f"problem.{status}",
            facts=facts,
            again=_may_be_sent_again(status),
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
            again=_may_be_sent_again(status),
            form_bytes=self._site.config.site.form_bytes,
            stay=self._site.stays.hidden(),
            goes_on=self._site.stays.goes_on(),
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
