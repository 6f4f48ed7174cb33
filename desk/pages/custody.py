"""The pages of custody: an operator asks and opens on the case's page; a custodian answers.

Rule: what was opened stands in one answer of one POST, which no browser keeps (no-store), and
nowhere else; a letter that is uploaded is sealed, small, and held in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flask import Response, abort, redirect, render_template, request, url_for
from markupsafe import escape

from crypto.custody_letters import REASON_MOST
from crypto.letter import TEXT_MOST
from desk import custodian, custody, words
from desk.cases import Cases
from desk.custody_letters import blocks
from desk.custody_waiting import waiting_requests
from desk.custody_words import CONTESTED, Why, digest_of, refused
from desk.errors import DeskError
from desk.identity import CLOSED, DIFFER, named, open_identities, opens_alone
from desk.pages.seen import require_seen
from desk.sentence import reason

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.datastructures import FileStorage
    from werkzeug.wrappers import Response as BaseResponse

    from desk.cases import Case
    from desk.custodian import Asking
    from desk.desk import Desk
    from desk.identity import OpenedIdentity

KIND = "identity_request"
"""Under which the case's page shows a refusal."""
_SENT = "Signed and sent. Carry the request to the custodians: it is below, under Identity."
_WAITS = (
    "Signed here; it goes out at the next sync. Carry the request to the custodians: it is below, "
    "under Identity."
)


class Pages(Protocol):
    """What the rest of the pages lends to these."""

    @property
    def desk(self) -> Desk:
        """The unlocked desk."""
        ...

    def say(self, notice: str) -> None:
        """Say it on the page that follows."""
        ...

    def refused(self, case: Case, kind: str, why: str) -> tuple[str, int]:
        """The case's page, with the reason why something was refused."""
        ...


def offered(desk: Desk, case: Case) -> dict[str, object]:
    """What the case's page needs for its part about the identity."""
    can_ask = bool(case.later_identities) or not case.is_anonymous
    return {
        "identity_requests": custody.pending(desk, case),
        "identity_can_be_asked": can_ask and not desk.is_custodian,
        "custodian_desk": desk.is_custodian,
        "opens_alone": opens_alone(desk),
        "identities_named": [] if desk.is_custodian else named(case),
        "reason_most": REASON_MOST,
        # What was typed comes back into the form that was refused, and into no other.
        "letters_typed": escape(letters_typed()),
        "letters_for": (request.view_args or {}).get("request_id", ""),
    }


def register(app: Flask, pages: Pages) -> None:
    """Add the routes."""
    own = _Custody(pages)
    app.add_url_rule("/case/<ref>/identity/ask", "custody_ask", own.ask, methods=["POST"])
    app.add_url_rule("/case/<ref>/identity/<request_id>/letter", "custody_letter", own.letter)
    app.add_url_rule(
        "/case/<ref>/identity/<request_id>/open", "custody_open", own.open, methods=["POST"]
    )
    app.add_url_rule("/case/<ref>/identity/alone", "identity_alone", own.alone, methods=["POST"])
    app.add_url_rule("/custody", "custody", own.desk_page)
    app.add_url_rule("/custody/read", "custody_read", own.read, methods=["POST"])
    app.add_url_rule("/custody/answer", "custody_answer", own.answer, methods=["POST"])


@dataclass(frozen=True, slots=True)
class _Custody:
    pages: Pages

    # --- the operator

    def ask(self, ref: str) -> BaseResponse | tuple[str, int]:
        """Write a request; its letter is then to be had on the case's page."""
        case = Cases(self.pages.desk).find(ref)
        try:
            require_seen(case)
            asked = custody.ask(self.pages.desk, case, request.form.get("text", ""))
        except DeskError as error:
            return self.pages.refused(case, KIND, reason(error))
        self.pages.say(_SENT if asked.sent else _WAITS)
        return redirect(url_for("case", ref=case.id.hex()), 303)

    def letter(self, ref: str, request_id: str) -> Response:
        """A request's letter, to be carried; it is sealed."""
        case = Cases(self.pages.desk).find(ref)
        for one in custody.pending(self.pages.desk, case):
            if one.id == request_id and one.text:
                return _download(one.text, f"amana-request-{one.id[:8]}.txt")
        return abort(404)

    def open(self, ref: str, request_id: str) -> str | tuple[str, int]:
        """Open with the answers that were uploaded or pasted; shown in this answer alone."""
        desk = self.pages.desk
        case = Cases(desk).find(ref)
        try:
            require_seen(case)
            opened = custody.open_identity(desk, case, request_named(request_id), letters())
        except DeskError as error:
            # Read again: a refusal among the answers is in the journal now.
            return self.pages.refused(Cases(desk).find(ref), KIND, reason(error))
        shown = [(one, _rows(one), "") for one in opened.identities]
        return render_template("identity.html", case=case, opened=opened, shown=shown)

    # --- the custodian

    def alone(self, ref: str) -> str | tuple[str, int]:
        """Open where one custodian is enough, what a request names or all; shown here alone."""
        desk = self.pages.desk
        case = Cases(desk).find(ref)
        try:
            require_seen(case)
            found = open_identities(desk, case.id, _one_letter() if _are_letters() else "")
        except DeskError as error:
            return self.pages.refused(case, KIND, reason(error))
        shown = [(one, _rows(one), digest) for one, digest in found.identities]
        return render_template(
            "identity.html", case=case, opened=None, shown=shown, alone=found, differ=DIFFER,
            closed=CLOSED,
        )  # fmt: skip

    def desk_page(self) -> str:
        """Where a custodian brings a request, and an operator finds those that wait."""
        return self._page()

    def read(self) -> str | tuple[str, int]:
        """What a request asks, and who."""
        try:
            text = _one_letter()
            return self._page(asking=custodian.read(self.pages.desk, text), text=text)
        except DeskError as error:
            return self._page(problem=reason(error)), 422

    def answer(self) -> Response | tuple[str, int]:
        """A yes or a no, as a file to carry back."""
        text = request.form.get("letter", "")
        asking = None
        try:
            asking = custodian.read(self.pages.desk, text)
            if request.form.get("answer") == "yes":
                compared = request.form.get("compared") == "yes"
                said = custodian.agree(self.pages.desk, asking, compared=compared)
            else:
                said = custodian.refuse(self.pages.desk, asking, request.form.get("text", ""))
        except DeskError as error:
            return self._page(asking=asking, text=text, problem=reason(error)), 422
        return _download(said, f"amana-answer-{asking.id.hex()[:8]}.txt")

    def _page(self, asking: Asking | None = None, text: str = "", problem: str = "") -> str:
        desk = self.pages.desk
        return render_template(
            "custodian.html",
            asking=asking,
            contested=CONTESTED,
            digest_of=digest_of,
            letter=escape(text),
            problem=problem,
            reason_most=REASON_MOST,
            typed=escape(request.form.get("text", "")),
            answered=custodian.answered(desk) if desk.is_custodian else (),
            waiting=() if desk.is_custodian else waiting_requests(desk),
            custodian_desk=desk.is_custodian,
        )


def _rows(one: OpenedIdentity) -> list[tuple[str, tuple[str, ...]]]:
    """What an identity says, line by line."""
    return [*words.flat(one.manifest.identity), *words.flat(one.manifest.safe_contact)]


def letters_typed() -> str:
    """What was pasted, and what was uploaded: no browser fills a field for files again."""
    texts = [request.form.get("pasted", "")]
    for upload in _uploads():
        upload.stream.seek(0)
        raw = upload.stream.read(TEXT_MOST)
        texts.append(raw.decode() if raw.isascii() else "")
    return "\n".join(filter(None, texts))


def letters() -> list[str]:
    """Every letter that was uploaded or pasted into the form; raises CustodyRefused."""
    texts = [request.form.get("pasted", "")]
    for upload in _uploads():
        upload.stream.seek(0)
        try:
            texts.append(upload.stream.read(TEXT_MOST + 1).decode("ascii"))
        except UnicodeDecodeError:
            raise refused(Why.NOT_A_LETTER) from None
    return [letter for text in texts for letter in blocks(text)]


def _are_letters() -> bool:
    """Whether anything was uploaded or pasted, letter or not."""
    return bool(letters_typed().strip() or any(one.filename for one in _uploads()))


def _uploads() -> list[FileStorage]:
    return request.files.getlist("answers")


def _one_letter() -> str:
    found = letters()
    if len(found) != 1:
        raise refused(Why.NOT_A_LETTER)
    return found[0]


def request_named(untrusted: str) -> bytes:
    """A request's id, from a form or an address; raises CustodyRefused."""
    try:
        return bytes.fromhex(untrusted)
    except ValueError:
        raise refused(Why.NO_REQUEST) from None


def _download(text: str, name: str) -> Response:
    response = Response(text, mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
