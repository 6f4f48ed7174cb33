"""The desks' door: sealed envelopes out to those who prove who they are, entries and replies in.

It needs no secret and writes nothing about who asked.  Every answer carries the strict headers,
and every refusal is ``{"error": code}``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, jsonify, request
from werkzeug.exceptions import HTTPException

from crypto.ids import Day, EnvelopeId
from gateway.clock import SystemClock
from gateway.errors import NoValidRoster
from gateway.headers import STRICT
from gateway.quiet import QuietFlask, report_failure
from gateway.sync.arrivals import read_arrival
from gateway.sync.proof import Proof
from gateway.sync.refusals import SyncRefused, malformed, unknown
from gateway.sync.views import may_see, outside_for
from vault.errors import (
    EnvelopeConflict,
    EnvelopeMismatch,
    ShelfUnavailable,
    UnknownCase,
    UnknownPart,
)

if TYPE_CHECKING:
    from flask import Flask

    from gateway.clock import Clock
    from gateway.config import GatewayConfig
    from gateway.roster_watch import CurrentRoster
    from vault.outside import BlobRef
    from vault.vault import Vault

_ID = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_EPOCH = re.compile(r"[1-9][0-9]{0,8}")
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_CODES = {
    HTTPStatus.NOT_FOUND: "unknown",
    HTTPStatus.METHOD_NOT_ALLOWED: "method",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-large",
}
_ANSWERS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    ShelfUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    NoValidRoster: (HTTPStatus.SERVICE_UNAVAILABLE, "roster"),
    UnknownPart: (HTTPStatus.NOT_FOUND, "unknown"),
    UnknownCase: (HTTPStatus.NOT_FOUND, "unknown"),
    EnvelopeMismatch: (HTTPStatus.BAD_REQUEST, "mismatch"),
    EnvelopeConflict: (HTTPStatus.CONFLICT, "conflict"),
}


def create_sync(
    *, config: GatewayConfig, vault: Vault, rosters: CurrentRoster, clock: Clock | None = None
) -> Flask:
    """Build the sync application from parts that are handed in."""
    clock = clock or SystemClock()
    door = _Door(config, vault, rosters, clock)
    app = QuietFlask("amana_sync", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.sync.body_bytes
    app.add_url_rule("/v1/roster", view_func=door.roster)
    app.add_url_rule("/v1/index", view_func=door.index)
    app.add_url_rule("/v1/parts/<envelope>/<part>", view_func=door.part)
    app.add_url_rule("/v1/envelopes", view_func=door.arrive, methods=["POST"])
    app.register_error_handler(Exception, _answer_error)
    app.after_request(_harden)
    return app


class _Door:
    """The routes, around what they need."""

    def __init__(
        self, config: GatewayConfig, vault: Vault, rosters: CurrentRoster, clock: Clock
    ) -> None:
        self._config = config
        self._vault = vault
        self._rosters = rosters
        self._clock = clock
        self._proof = Proof(config, vault, rosters, clock)

    def roster(self) -> Response:
        """GET /v1/roster: the signed note in force; ?epoch=<n>: one that was.  For anybody."""
        given = request.args.to_dict(flat=False)
        if not given:
            return _note(self._rosters.get().note)
        (epoch, *more) = given.pop("epoch", [""])
        if given or more or not _EPOCH.fullmatch(epoch):
            raise malformed("query")
        # Old notes are served although no roster is in force today: desks read what they have.
        found = self._vault.roster_of_epoch(int(epoch))
        if found is None:
            raise unknown()
        return _note(found.note)

    def index(self) -> Response:
        """GET /v1/index?after=<id>&limit=<n>&since=<day>: outsides, ordered by random id."""
        caller = self._proof.of(request)
        after, limit, since = self._read_page()
        page = self._vault.index(after, limit, since=since)
        # The last id of the page, whether or not this caller may see it: the walk goes on there.
        following = page[-1].id.hex() if page else None
        envelopes = [outside_for(caller, one) for one in page if may_see(caller, one)]
        return jsonify({"envelopes": envelopes, "next": following})

    def part(self, envelope: str, part: str) -> Response:
        """GET /v1/parts/<id>/<n>: a sealed content part, whole or a range of it."""
        caller = self._proof.of(request)
        if not _ID.fullmatch(envelope) or not _NUMBER.fullmatch(part) or caller.is_custodian:
            raise unknown()
        envelope_id, number = EnvelopeId(bytes.fromhex(envelope)), int(part)
        size = self._vault.part_size(envelope_id, number)
        first, last = _wanted(request.headers.get("Range"), size)
        pieces = self._vault.read_part(envelope_id, number, first, last + 1 - first)
        answer = Response(pieces, mimetype="application/octet-stream")
        answer.content_length = last + 1 - first
        answer.headers["Accept-Ranges"] = "bytes"
        if (first, last) != (0, size - 1):
            answer.status_code = HTTPStatus.PARTIAL_CONTENT
            answer.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return answer

    def arrive(self) -> Response:
        """POST /v1/envelopes: an entry or a reply of an operator; 201 once it is durable."""
        caller = self._proof.of(request)
        if caller.is_custodian:
            raise SyncRefused(HTTPStatus.FORBIDDEN, "role")
        arrival = read_arrival(caller.body, caller.roster, self._clock.today())
        kept = tuple(self._keep(part) for part in arrival.parts)
        is_new = False
        try:
            is_new = self._vault.append(replace(arrival.envelope, parts=kept))
        finally:
            if not is_new:
                self._vault.drop_blobs(kept)
        answer = jsonify({"envelope": arrival.envelope.id.hex()})
        answer.status_code = HTTPStatus.CREATED
        return answer

    def _keep(self, part: bytes) -> BlobRef:
        with self._vault.new_blob() as blob:
            blob.write(part)
            return blob.commit()

    def _read_page(self) -> tuple[bytes, int, Day | None]:
        given = request.args.to_dict(flat=False)
        if not set(given) <= {"after", "limit", "since"} or any(len(v) > 1 for v in given.values()):
            raise malformed("query")
        after, limit, since = (request.args.get(name) for name in ("after", "limit", "since"))
        if after is not None and not _ID.fullmatch(after):
            raise malformed("query")
        if any(one is not None and not _NUMBER.fullmatch(one) for one in (limit, since)):
            raise malformed("query")
        most = self._config.sync.page
        return (
            bytes.fromhex(after or ""),
            max(1, min(int(limit or most), most)),
            None if since is None else Day(int(since)),
        )


def _note(note: bytes) -> Response:
    return Response(note, mimetype="text/plain")


def _wanted(untrusted: str | None, size: int) -> tuple[int, int]:
    """The first and last byte of a Range header; the whole where it is none that we know.

    Raises SyncRefused (416) for one that begins beyond the end.
    """
    found = _RANGE.fullmatch(untrusted or "")
    if found is None or found[0] == "bytes=-":
        return 0, size - 1
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(size - 1, int(found[2] or size))
        if found[2] and int(found[2]) < first:
            return 0, size - 1
    if first >= size:
        raise SyncRefused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "range")
    return first, last


def _answer_error(error: Exception) -> Response:
    if isinstance(error, SyncRefused):
        return _json(error.status, error.code)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        return _json(status, _CODES.get(status, "malformed"))
    for kind, (status, code) in _ANSWERS.items():
        if isinstance(error, kind):
            return _json(status, code)
    report_failure(error)
    return _json(HTTPStatus.INTERNAL_SERVER_ERROR, "failed")


def _json(status: HTTPStatus, code: str) -> Response:
    answer = jsonify({"error": code})
    answer.status_code = status
    return answer


def _harden(answer: Response) -> Response:
    for name, value in STRICT:
        answer.headers[name] = value
    return answer
