"""The second way of a file: in pieces, by a script, for networks that break.  Claim C-RESUME.

(1a) begin: room is made, the page gets a ticket  (1b) piece after piece, each hashed, in order
(1c) whole: the file goes the way of a form's files, (2)…(5), and the page gets a new token, with
which its form is sent as ever  (1d) drop: nothing of it is left.
Every answer is a few bytes of JSON.  Whatever fails here, the form itself still takes files.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from flask import Response, request

from crypto.errors import CannotOpen, TokenInvalid
from gateway.errors import Busy, NoValidRoster
from gateway.pieces import PIECE_MOST, Enough, Full, Gone, Misplaced, Misshapen, Taken, Upload
from gateway.site import files
from gateway.site.removed import sentence
from gateway.site.sending import as_text, refusal_facts
from gateway.site.tickets import TICKET_MOST, Ticket
from gateway.site.tokens import FormToken, ThreadToken, TokenExpired, files_in, files_out
from gateway.site.waiting import source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crypto.receipt import ReceiptKeys
    from gateway.handed import StagedFile
    from gateway.pieces import PieceShelf
    from gateway.site.context import Site

OCTETS = "application/octet-stream"
BODY_MOST = TICKET_MOST + 1 + PIECE_MOST
"""A piece's body: the ticket, a line's end, the bytes."""
_OFFSET = re.compile(r"[0-9]{1,15}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DONE, _WAIT, _BAD, _ELSEWHERE, _GONE, _REFUSED, _CLOSED = 200, 202, 400, 409, 410, 422, 503
_ENOUGH = 429


class PiecePages:
    """The views of uploads in pieces; one object for the application."""

    def __init__(self, site: Site, shelf: PieceShelf, script: bytes) -> None:
        self._site = site
        self._shelf = shelf
        self._script = script
        # Nothing in it is secret, so that compressing it tells nothing.
        self._packed = gzip.compress(script, mtime=0)

    def script(self) -> Response:
        """Give the script, packed where the browser can unpack it."""
        if not request.accept_encodings.quality("gzip"):
            return Response(self._script, mimetype="text/javascript")
        answer = Response(self._packed, mimetype="text/javascript")
        answer.headers["Content-Encoding"] = "gzip"
        return answer

    def begin(self, lang: str) -> Response:
        """(1a) Make room for a file of ``length`` bytes."""
        return self._guarded(lang, self._begin)

    def piece(self, lang: str) -> Response:
        """(1b) Take one piece.  The body is the ticket, a line's end, and the bytes."""
        return self._guarded(lang, self._piece)

    def whole(self, lang: str) -> Response:
        """(1c) Clean, seal and stage what has come; the same answer as often as it is asked for."""
        return self._guarded(lang, self._whole)

    def drop(self, lang: str) -> Response:
        """(1d) Leave nothing of an upload: given up, or its answer has come."""
        return self._guarded(lang, self._drop)

    def _guarded(self, lang: str, act: Callable[[str], dict[str, object]]) -> Response:
        """Answer with what was done, or with what kept it from being done."""
        facts: dict[str, object] = {}
        status = _DONE
        try:
            facts = act(lang)
        except _Refusal as refusal:
            status, facts = _REFUSED, self._why(lang, refusal.key)
        except Misplaced as elsewhere:
            status, facts = _ELSEWHERE, {"offset": elsewhere.offset}
        except Misshapen:
            status = _BAD
        except (Gone, TokenInvalid):
            status = _GONE
        except Taken:
            status = _WAIT
        except Full:
            status, facts = _CLOSED, self._why(lang, "send.full")
        except Enough:
            # The page waits and tries again: others are not to be kept out.
            status, facts = _ENOUGH, self._why(lang, "send.full")
        except NoValidRoster:
            status, facts = _CLOSED, self._why(lang, "send.closed")
        except Busy:
            # No words: the page tries again by itself.
            status = _CLOSED
        return Response(json.dumps(facts), status=status, mimetype="application/json")

    def _begin(self, _: str) -> dict[str, object]:
        length = request.form.get("length", "")
        if not _OFFSET.fullmatch(length):
            raise Misshapen
        self._site.roster()
        token = self._token()
        self._require_welcome(token, int(length))
        self._require_files_in(self._keys(token))
        # Room for it here, and for its clean copy.
        self._require_room(2 * int(length))
        if not self._site.turns.uploads.take(source()):
            raise Enough
        try:
            upload = self._shelf.begin(int(length), token.case)
        except (Enough, Full, Taken):
            self._site.turns.uploads.give_back(source())
            raise
        ticket = Ticket(
            upload=upload,
            case=token.case,
            issued=self._site.clock.now(),
            thread=isinstance(token, ThreadToken),
        )
        return {"ticket": ticket.seal(self._site.intake.token_key)}

    def _piece(self, _: str) -> dict[str, object]:
        sealed, newline, piece = request.get_data(cache=False).partition(b"\n")
        offset = request.headers.get("Upload-Offset", "")
        digest = request.headers.get("Piece-Digest", "")
        if not (newline and _OFFSET.fullmatch(offset) and _DIGEST.fullmatch(digest)):
            raise Misshapen
        if hashlib.sha256(piece).hexdigest() != digest:
            # Spoilt on the way, nobody knows how: the page sends it again.
            raise _Refusal
        ticket = self._ticket(sealed.decode("ascii", "replace"))
        if not ticket.thread and self._site.vault.case(ticket.case) is not None:
            # The report was sent without it, and may have said that no file may be.
            self._shelf.drop(ticket.upload)
            raise Gone
        return {"offset": self._shelf.append(ticket.upload, int(offset), piece)}

    def _whole(self, lang: str) -> dict[str, object]:
        ticket = self._ticket(request.form.get("ticket", ""))
        token = self._token()
        if ticket.case != token.case:
            raise Gone
        if ticket.thread != isinstance(token, ThreadToken):
            self._shelf.drop(ticket.upload)
            raise Gone
        keys = self._keys(token)
        try:
            self._require_welcome(token, ticket.upload.length)
            self._require_files_in(keys)
        except _Refusal:
            # Where no file may be, or one too many, none is left.
            self._shelf.drop(ticket.upload)
            raise
        try:
            kept = self._kept(ticket.upload, token)
        except files.NotKept as refusal:
            raise _Refusal(f"refused.{refusal.reason}") from None
        try:
            # Once more: cleaning takes its time, and the report may have been sent meanwhile.
            self._require_welcome(token, ticket.upload.length)
            self._require_files_in(keys)
        except _Refusal:
            self._shelf.drop(ticket.upload)
            self._site.intake.drop(kept)
            raise
        return self._arrived(lang, token, kept)

    def _drop(self, _: str) -> dict[str, object]:
        upload = self._ticket(request.form.get("ticket", "")).upload
        if self._shelf.drop(upload):
            self._site.turns.uploads.give_back(source())
        return {}

    def _kept(self, upload: Upload, token: FormToken | ThreadToken) -> tuple[StagedFile, ...]:
        """What became of the file: from its note, or by doing it.  Raises NotKept, Gone, Taken."""
        note = self._shelf.note(upload)
        if note is None:
            try:
                note = self._do(upload, token)
            except Gone:
                # Another request may just have finished it.
                note = self._shelf.note(upload)
                if note is None:
                    raise
        told = json.loads(note)
        if "refused" in told:
            raise files.NotKept(told["refused"])
        return files_in(told["kept"])

    def _do(self, upload: Upload, token: FormToken | ThreadToken) -> bytes:
        told: dict[str, Any]
        kept: list[StagedFile] = []
        self._require_room(upload.length)
        with self._shelf.whole(upload) as source:
            try:
                kept = files.receive_whole(
                    source,
                    self._site.intake,
                    token.case,
                    token.files,
                    file_bytes=self._site.config.site.file_bytes,
                    with_original=isinstance(token, FormToken) and "originals" in request.form,
                )
                told = {"kept": files_out(kept)}
            except files.NotKept as refusal:
                told = {"refused": refusal.reason}
            except CannotOpen:
                # Somebody was at the spool: this is not what was sent.
                self._shelf.drop(upload)
                raise Gone from None
            note = json.dumps(told).encode()
            try:
                self._shelf.settle(upload, note)
            except Full:
                # The file is safe; only whoever loses this very answer has to send it again.
                self._shelf.drop(upload)
            except Gone:
                # Given up while it was cleaned.
                self._site.intake.drop(kept)
                raise
        return note

    def _arrived(
        self, lang: str, token: FormToken | ThreadToken, kept: Sequence[StagedFile]
    ) -> dict[str, object]:
        known = {one.id for one in token.files}
        after = token.with_files((*token.files, *(one for one in kept if one.id not in known)))
        (copy,) = files.copies(kept)
        words = self._site.words[lang]
        gone = sentence(words, [copy])
        return {
            "token": after.seal(self._site.intake.token_key),
            "id": copy.id.hex(),
            "name": copy.name,
            "size": words.size(copy.length),
            "removed": "" if gone is None else as_text(gone),
            "original": len(kept) > 1,
        }

    def _token(self) -> FormToken | ThreadToken:
        """The token of the page that sends, of either kind.  Raises _Refusal."""
        key, untrusted = self._site.intake.token_key, request.form.get("token", "")
        now, seconds = self._site.clock.now(), self._site.config.times.form_seconds
        try:
            try:
                return FormToken.open(key, untrusted, now=now, seconds=seconds)
            except TokenInvalid:
                return ThreadToken.open(key, untrusted, now=now, seconds=seconds)
        except (TokenInvalid, TokenExpired):
            raise _Refusal("send.old_form") from None

    def _ticket(self, untrusted: str) -> Ticket:
        """Raises TokenInvalid."""
        return Ticket.open(
            self._site.intake.token_key,
            untrusted,
            now=self._site.clock.now(),
            seconds=self._site.config.times.form_seconds,
        )

    def _require_welcome(self, token: FormToken | ThreadToken, length: int) -> None:
        """Raise _Refusal where this page may have no file, no more of them, or none so large."""
        limits = self._site.config.site
        if isinstance(token, FormToken):
            form = self._site.schema.category(token.category)
            if form is None or self._site.vault.case(token.case) is not None:
                raise _Refusal("send.old_form")
            # What the person has said by now; the form's own sending asks once more.
            said = {name: request.form.getlist(name) for name in request.form}
            if not form.files_allowed(said):
                raise _Refusal("send.not_here")
        if len(files.copies(token.files)) >= limits.files:
            raise _Refusal("refused.too_many")
        if not length:
            raise _Refusal("refused.empty")
        if length > limits.file_bytes:
            raise _Refusal("refused.too_large")

    def _require_room(self, more: int) -> None:
        """Raise Full where so many bytes would fill the disk: what has come can wait."""
        if not self._site.watermark.has_room(more):
            raise Full

    def _keys(self, token: FormToken | ThreadToken) -> ReceiptKeys | None:
        """What opens what a conversation's report said; None for a form.  Raises Busy."""
        if isinstance(token, FormToken):
            return None
        return self._site.intake.keys_of(token.code, self._site.turns.admit(source(), None))

    def _require_files_in(self, keys: ReceiptKeys | None) -> None:
        """Raise _Refusal where a conversation's report said that no file may be.

        Asked at a file's beginning, before it is cleaned, and before the page is told of it: what
        began before the report was sent must not come past what the report says.
        """
        if keys is not None and self._site.intake.state_of(keys).no_files:
            raise _Refusal("send.not_here")

    def _why(self, lang: str, key: str) -> dict[str, object]:
        if not key:
            return {}
        words, limits = self._site.words[lang], self._site.config.site
        facts = refusal_facts(words, file_bytes=limits.file_bytes, files_most=limits.files)
        return {"words": as_text(words(key, **facts))}


class _Refusal(Exception):
    """Why not, as a key of the words; without one, the page may try again."""

    def __init__(self, key: str = "") -> None:
        super().__init__()
        self.key = key
