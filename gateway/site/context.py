"""What all pages share: the parts of the deployment that a page may touch, and how one is shown."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Response, render_template, request
from markupsafe import Markup

from crypto.ids import Day, date_of
from gateway.errors import NoValidRoster
from gateway.site.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crypto.roster import Roster
    from gateway.clock import Clock
    from gateway.config import GatewayConfig
    from gateway.intake import Intake
    from gateway.roster_watch import CurrentRoster
    from gateway.site.answers import AnswerReader
    from gateway.site.help import HelpLines
    from gateway.site.institution import Institution
    from gateway.site.schema import FormSchema
    from gateway.site.stays import Stays
    from gateway.site.words import Words
    from gateway.turns import Turns
    from gateway.watermark import Watermark
    from vault.vault import Vault

# The same word on every page of every language: a history shows it, a shoulder sees it.
TITLE = "Information"
WRITING = frozenset({"write.html", "talk.html", "name.html", "thread.html", "turn.html"})
_REFUSED = 400
_LONG_LETTERS = 64 * 1024
UNKEPT = Markup('<input type="password" value="1" autocomplete="off" hidden disabled>')
"""Stands in every form that posts.

Chromium writes what a form has sent into its session files, on the disk, to open its windows again;
but not of a form that holds a password.  This one has no name and is never sent.  Claim C-UNKEPT.
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The reporters' site of one deployment.  Safe to share between threads."""

    config: GatewayConfig
    vault: Vault
    rosters: CurrentRoster
    intake: Intake
    clock: Clock
    schema: FormSchema
    readers: Mapping[str, AnswerReader] = field(repr=False)
    words: Mapping[str, Words] = field(repr=False)
    help: HelpLines
    institution: Institution
    turns: Turns
    watermark: Watermark
    stays: Stays
    _long_page: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def roster(self) -> Roster:
        """Return the roster in force.  Raises NoValidRoster."""
        return self.rosters.get()

    def rehearsal(self) -> bool:
        """Whether the page must say that this is a rehearsal; without a roster nothing is known."""
        try:
            return self.rosters.get().rehearsal
        except NoValidRoster:
            return False

    def answer_by(self) -> str | None:
        """Give the day by which the institution means to answer, where it says so."""
        days = self.institution.answer_days
        return None if days is None else date_of(Day(self.clock.today() + days)).isoformat()

    def page(self, name: str, lang: str, *, status: int = 200, **facts: object) -> Response:
        """Show one page of ``templates/`` in one language."""
        with self._turn():
            return self._page(name, lang, status, facts)

    def _turn(self) -> AbstractContextManager[object]:
        """One long page is made at a time: meanwhile it takes many times its own length."""
        typed = request.form.items(multi=True) if "form" in vars(request) else ()
        is_long = sum(len(said) for _, said in typed) > _LONG_LETTERS
        return self._long_page if is_long else nullcontext()

    def _page(self, name: str, lang: str, status: int, facts: Mapping[str, object]) -> Response:
        words, goes_on = self.words[lang], self.stays.goes_on()
        body = render_template(
            name,
            t=words,
            lang=lang,
            direction=words.language.direction,
            languages=LANGUAGES,
            title=TITLE,
            rehearsal=self.rehearsal(),
            help=self.help,
            site=self,
            stay=self.stays.hidden(),
            goes_on=goes_on,
            # Whoever looks at another page must find again what they wrote.
            writing=goes_on and (name in WRITING or status >= _REFUSED),
            apart=self.stays.is_apart(),
            **facts,
        )
        return Response(body, status=status, mimetype="text/html")
