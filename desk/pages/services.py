"""The services that can be competent: their keys, and how one is brought in.

Rule: a key is bound by a second press, after its fingerprint was shown to be compared with what the
service reads aloud; that press bears the very key, and the one whose place it takes, as they were
shown.  The page asks desk.transmission.services and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flask import redirect, render_template, request, url_for
from markupsafe import escape

from crypto.package import service_fingerprint, service_to_text
from desk.errors import ServiceKeyRefused
from desk.sentence import Sentence, reason
from desk.transmission import services

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from crypto.keys import ServicePublicKey
    from desk.desk import Desk
    from desk.transmission.services import KnownService

_FILE_MOST = 4096


class Shared(Protocol):
    """What this needs of the pages: the desk, and one notice to show next."""

    desk: Desk

    def say(self, notice: str) -> None:
        """Say it on the page that follows."""
        ...

    def take_notice(self) -> str:
        """The notice, which is then gone."""
        ...


@dataclass(frozen=True, slots=True)
class Offered:
    """A key that somebody brought, for the service that they say it is of."""

    service: KnownService
    key: ServicePublicKey

    @property
    def text(self) -> str:
        """The key, as its file has it."""
        return service_to_text(self.key).strip()

    @property
    def fingerprint(self) -> str:
        """What is compared with what they read aloud."""
        return service_fingerprint(self.key)


@dataclass(frozen=True, slots=True)
class _Services:
    """The page and its two forms."""

    pages: Shared

    def page(self) -> str:
        """The services, and the fingerprint of each one's key."""
        return self._page()

    def read(self) -> str | tuple[str, int]:
        """Show the fingerprint of a key that was brought; nothing is written."""
        name = request.form.get("service", "")
        try:
            return self._page(self._offered(name, _given()))
        except ServiceKeyRefused as refused:
            return self._page(refused_for=name, problem=reason(refused)), 422

    def bind(self) -> BaseResponse | tuple[str, int]:
        """Bind the key that was shown and compared."""
        name = request.form.get("service", "")
        try:
            offered = self._offered(name, request.form.get("key", ""))
            shown = request.form.get("instead_of", "")
            services.bind(self.pages.desk, name, offered.key, instead_of=shown)
        except ServiceKeyRefused as refused:
            return self._page(refused_for=name, problem=reason(refused)), 422
        self.pages.say(
            Sentence(
                "What goes to {service} is sealed to this key from now on.",
                service=offered.service.words,
            )
        )
        return redirect(url_for("services", _anchor=f"service-{name}"), 303)

    def _offered(self, service: str, untrusted: str) -> Offered:
        known, key = services.found(self.pages.desk, service), services.parse_key(untrusted)
        services.require_free(self.pages.desk, service, key)
        return Offered(known, key)

    def _page(
        self, offered: Offered | None = None, refused_for: str = "", problem: str = ""
    ) -> str:
        desk = self.pages.desk
        return render_template(
            "services.html",
            services=list(services.listed(desk)),
            rules=desk.rules,
            offered=offered,
            refused_for=refused_for,
            problem=problem,
            typed=escape(request.form.get("pasted", "")),
            notice=self.pages.take_notice(),
        )


def _given() -> str:
    """What was uploaded, or else pasted."""
    upload = request.files.get("file")
    held = upload.stream.read(_FILE_MOST) if upload else b""
    return held.decode("ascii", "replace") if held else request.form.get("pasted", "")


def register(app: Flask, pages: Shared) -> None:
    """Add the routes."""
    ours = _Services(pages)
    app.add_url_rule("/services", "services", ours.page)
    app.add_url_rule("/services/read", "service_key", ours.read, methods=["POST"])
    app.add_url_rule("/services/bind", "bind_service", ours.bind, methods=["POST"])
