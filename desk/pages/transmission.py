"""The page from which a case is handed over.

Rule: the page asks desk.transmission and decides nothing.  What it makes is sealed to the service
before it touches the disk; a folder in clear is for the command line alone.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Protocol

from flask import Response, abort, redirect, render_template, request, url_for

from desk import acts
from desk.cases import Cases, iso
from desk.errors import ActRefused, DeskError, TransmissionRefused
from desk.locks import alone
from desk.sentence import Worded, reason
from desk.transmission import services, words
from desk.transmission.items import files_of
from desk.transmission.transmit import (
    Competence,
    Order,
    competence,
    reasons_against,
    transmit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.cases import Case
    from desk.desk import Desk

_READ_BYTES = 1024 * 1024
_OTHER_SECONDS = 10.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OUTCOMES = {
    True: "Signed, sealed and transmitted. The package waits below, for the service alone.",
    False: "Signed and sealed. The entry goes out at the next sync; the package waits below.",
}


class Pages(Protocol):
    """What this page needs of the others."""

    desk: Desk
    notice: str

    def take_notice(self) -> str:
        """The notice to show once."""
        ...


class _Transmitting:
    """The three routes: the page, its form, and the sealed file once more."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def page(self, ref: str) -> str:
        """What would go where, or why not."""
        case = Cases(self._desk).find(ref)
        with alone(self._desk.home.handing, 0) as is_mine:
            if is_mine:
                self._settle(case)
        return self._show(case)

    def send(self, ref: str) -> BaseResponse | tuple[str, int]:
        """Hand it over; the sealed file waits in the desk's folder, to be downloaded."""
        case = Cases(self._desk).find(ref)
        given = Competence(request.form.get("service", ""), request.form.get("basis", ""))
        try:
            chosen = competence(case, given.service, given.basis)
            with alone(self._desk.home.handing, _OTHER_SECONDS) as is_mine:
                if not is_mine:
                    raise TransmissionRefused(
                        "Another window of this desk is handing a case over. Nothing was written."
                    )
                self._settle(case)
                done = transmit(self._desk, case, Order(self._unnamed(case), chosen))
                done.path.rename(self._path(done.sha256))
        except DeskError as error:
            return self._show(case, reason(error), given), 422
        self._pages.notice = _OUTCOMES[done.sent]
        return redirect(url_for("transmission", ref=case.id.hex()), 303)

    def _unnamed(self, case: Case) -> Path:
        """Where a package is written, before its digest names it."""
        folder = self._desk.home.packages
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{case.id.hex()}.amana"

    def _settle(self, case: Case) -> None:
        """Give the package of a program that ended in between its name; or let it go."""
        left = self._unnamed(case)
        if left.exists():
            with left.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest in self._named(case):
                left.rename(self._path(digest))
            else:
                left.unlink()

    def package(self, ref: str, digest: str) -> Response:
        """A sealed file that this desk made."""
        case = Cases(self._desk).find(ref)
        if digest not in self._waiting(case):
            abort(404)
        path = self._path(digest)
        response = Response(_chunks(path), mimetype="application/octet-stream")
        response.headers["Content-Length"] = str(path.stat().st_size)
        response.headers["Content-Disposition"] = f'attachment; filename="{case.ref}.amana"'
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    def _path(self, digest: str) -> Path:
        return self._desk.home.packages / f"{digest}.amana"

    def _waiting(self, case: Case) -> list[str]:
        """The packages that the case's journal names and this desk has."""
        return [one for one in self._named(case) if self._path(one).exists()]

    def _named(self, case: Case) -> list[str]:
        named = (str(one.body.data.get("package", "")) for one in case.work.of(acts.STATUS))
        return [one for one in named if _SHA256.fullmatch(one)]

    def _show(self, case: Case, problem: str = "", given: Competence | None = None) -> str:
        chosen, why = self._asked(case)
        key, lacking = "", ""
        try:
            # The key first: a file that is lacking says nothing about it.
            keys = {one.id: one.fingerprint for one in services.known(self._desk)}
            key = keys.get(chosen.service, "") if chosen else ""
            going, left = files_of(self._desk, case)
        except DeskError as error:
            going, left, lacking = (), (), reason(error)
        return render_template(
            "transmission.html",
            case=case,
            chosen=chosen,
            given=given or Competence("", ""),
            rules=self._desk.rules,
            why=why,
            key=key,
            going=going,
            left=[(Worded(words.LEFT_OUT[one.why]), one.pointer) for one in left],
            lacking=lacking,
            problem=problem,
            waiting=self._waiting(case),
            past=[
                (iso(one.node.day), one.signer.name, str(one.body.data["package"]))
                for one in case.work.of(acts.STATUS)
                if "package" in one.body.data
            ],
            notice=self._pages.take_notice(),
        )

    def _asked(self, case: Case) -> tuple[Competence | None, list[str]]:
        """Who is competent, where somebody said so; and what stands against it."""
        try:
            chosen = competence(case)
        except ActRefused:
            # Anybody does, to ask what else stands against it.
            one = next(iter(self._desk.rules.services.values()))
            against = reasons_against(self._desk, case, Competence(one.id, one.bases[0]))
            return None, [why.words for why in against]
        return chosen, [why.words for why in reasons_against(self._desk, case, chosen)]


def register(app: Flask, pages: Pages) -> None:
    """Add the routes."""
    ours = _Transmitting(pages)
    app.add_url_rule("/case/<ref>/transmission", "transmission", ours.page)
    app.add_url_rule("/case/<ref>/transmission/send", "transmit", ours.send, methods=["POST"])
    app.add_url_rule("/case/<ref>/transmission/<digest>", "package", ours.package)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            yield chunk
