"""The page from which a case is handed over.

Rule: the page asks desk.transmission and decides nothing.  What it makes is sealed to the service
before it touches the disk; a folder in clear is written only where a tick and a path both say so.
An identity goes along only with the custodians' letters, which are sealed and held in memory.  What
is handed over is what was shown: of a case that moved since, to another service, on another basis
or to another key, nothing is.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from flask import Response, abort, redirect, render_template, request, url_for
from markupsafe import escape

from crypto.ids import Kid
from crypto.package import NOBODY
from desk import acts, custody
from desk.cases import Cases, iso
from desk.errors import ActRefused, DeskError, TransmissionRefused
from desk.locks import alone
from desk.order import known_to
from desk.pages.custody import letters, letters_typed, request_named
from desk.pages.places import place
from desk.pages.seen import require_seen
from desk.sentence import Sentence, Worded, reason
from desk.transmission import services, waiting, words
from desk.transmission.items import files_of
from desk.transmission.possible import (
    Competence,
    Order,
    competence,
    reasons_against,
    require_possible,
)
from desk.transmission.transmit import transmit
from desk.verify import Entry, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.cases import Case
    from desk.custody import Agreed
    from desk.desk import Desk
    from desk.transmission.services import KnownService
    from desk.verify import FollowUp

_READ_BYTES = 1024 * 1024
_OTHER_SECONDS = 10.0
_OUTCOMES = {
    True: "Signed, sealed and transmitted. The package waits below, for the service alone.",
    False: "Signed and sealed. The entry goes out at the next sync; the package waits below.",
}
_IN_CLEAR = {
    True: "Signed, and written in clear into {path}. Whoever opens it reads everything: print it, "
    "and destroy it.",
    False: "Signed, and written in clear into {path}. Whoever opens it reads everything: print it, "
    "and destroy it. The entry goes out at the next sync.",
}
_NO_SERVICE = Sentence("this desk's rules name no service that a case could be handed to")
_ANNEX = Sentence("The identity went along, in an annex of its own; the journal says so.")


class Pages(Protocol):
    """What this page needs of the others."""

    desk: Desk

    def say(self, notice: str) -> None:
        """Say it on the page that follows."""
        ...

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
            require_seen(case)
            chosen = competence(case, given.service, given.basis)
            with alone(self._desk.home.handing, _OTHER_SECONDS) as is_mine:
                if not is_mine:
                    raise TransmissionRefused(
                        "Another window of this desk is handing a case over. Nothing was written."
                    )
                self._settle(case)
                folder = _folder()
                order = Order(
                    folder or self._unnamed(case),
                    chosen,
                    in_clear=folder is not None,
                    key=_key_shown(chosen.service),
                )
                # Before the answers are looked at, whose refusals go into the journal.
                require_possible(self._desk, case, order)
                order = replace(order, agreed=self._agreed(case))
                done = transmit(self._desk, case, order)
                if not order.in_clear:
                    done.path.rename(waiting.path_of(self._desk, done.sha256))
        except DeskError as error:
            # Read again: the journal may have a custodian's refusal now.
            return self._show(Cases(self._desk).find(ref), reason(error), given), 422
        said = _OUTCOMES[done.sent]
        if order.in_clear:
            said = Sentence(_IN_CLEAR[done.sent], path=str(done.path))
        if order.agreed:
            said = Sentence(
                "{done} {complaint}",
                done=Sentence(said) if not order.in_clear else said,
                complaint=_ANNEX,
            )
        self._pages.say(said)
        return redirect(url_for("transmission", ref=case.id.hex()), 303)

    def _agreed(self, case: Case) -> Agreed | None:
        """What the custodians agreed to, where their answers were given."""
        answers = letters()
        if not answers:
            return None
        asked = request_named(request.form.get("request", ""))
        return custody.agreed_to(self._desk, case, asked, answers)

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
            # As the journal is now: whoever left it may have written there since it was read.
            now = Cases(self._desk).find(case.id.hex())
            if digest in waiting.named_by(self._desk, now):
                left.rename(waiting.path_of(self._desk, digest))
            else:
                left.unlink()

    def package(self, ref: str, digest: str) -> Response:
        """A sealed file that this desk made; raises FileQuarantined."""
        case = Cases(self._desk).find(ref)
        found = waiting.waiting(self._desk, case).get(digest)
        if found is None:
            abort(404)
        if found.refusal is not None:
            raise found.refusal
        path = found.path
        response = Response(_chunks(path), mimetype="application/octet-stream")
        response.headers["Content-Length"] = str(path.stat().st_size)
        response.headers["Content-Disposition"] = f'attachment; filename="{case.ref}.amana"'
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    def _show(self, case: Case, problem: str = "", given: Competence | None = None) -> str:
        chosen, why = self._asked(case)
        keys: list[KnownService] = []
        lacking = ""
        try:
            # The keys first: a file that is lacking says nothing about them.
            known = list(services.known(self._desk))
            keys = [one for one in known if not chosen or one.id == chosen.service]
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
            keys=keys,
            since=_since(case),
            is_entry=lambda one: isinstance(one, Entry),
            is_reply=lambda one: isinstance(one, Reply),
            going=going,
            left=[(Worded(words.LEFT_OUT[one.why]), one.pointer) for one in left],
            lacking=lacking,
            problem=problem,
            requests=[one for one in custody.pending(self._desk, case) if one.mine],
            # The operator's own words come back to the letter, and the letters that were uploaded.
            pasted=escape(letters_typed()),
            asked=request.form.get("request", ""),
            folder=escape(request.form.get("folder", "")),
            in_clear="in_clear" in request.form,
            waiting={
                digest: reason(one.refusal) if one.refusal else ""
                for digest, one in waiting.waiting(self._desk, case).items()
            },
            past=[
                (iso(one.node.day), one.signer.name, str(one.body.data["package"]))
                for one in case.work.of(acts.STATUS)
                if "package" in one.body.data
            ],
            notice=self._pages.take_notice(),
        )

    def _asked(self, case: Case) -> tuple[Competence | None, list[str]]:
        """Who is competent, where somebody said so; and what stands against it."""
        if not self._desk.rules.services:
            return None, [_NO_SERVICE]
        try:
            chosen = competence(case)
        except ActRefused:
            # Anybody does, to ask what else stands against it.
            one = next(iter(self._desk.rules.services.values()))
            against = reasons_against(self._desk, case, Competence(one.id, one.bases[0]))
            return None, [why.words for why in against]
        return chosen, [why.words for why in reasons_against(self._desk, case, chosen)]


def _key_shown(service: str) -> Kid:
    """The id of the key that the page showed as a service's; nobody's where it showed none."""
    try:
        return Kid(bytes.fromhex(request.form.get(f"key-{service}", "")))
    except ValueError:
        return NOBODY


def _since(case: Case) -> list[FollowUp | Reply | Entry]:
    """What one of those who set the case's state had not read, in order."""
    states = [one.node.hash for one in case.work.front]
    nodes = {one.node.hash: one.node for one in case.timeline}
    read = [known_to([one], nodes) for one in states]
    known = set.intersection(*read) if read else set()
    return [one for one in case.timeline if one.node.hash not in {*known, *states}]


def _folder() -> Path | None:
    """The folder in clear that the form asks for, or None; a path alone does not ask."""
    is_ticked, typed = "in_clear" in request.form, request.form.get("folder", "").strip()
    if typed and not is_ticked:
        raise TransmissionRefused(
            "A folder is named, and not ticked that it is to lie there in clear. Nothing was "
            "written."
        )
    return place(typed) if is_ticked else None


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
