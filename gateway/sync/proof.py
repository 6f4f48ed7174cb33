"""Who asks: an api key of the roster in force, by a signature over the request, used once.

(1) the body, bounded  (2) the signature, by a key of the current roster  (3) the nonce, remembered
for all workers.  Only then is anything read or done.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from crypto.errors import TransportRefused
from crypto.transport import UntrustedRequest, verify_request
from gateway.sync.refusals import SyncRefused, malformed
from vault.errors import Replayed

if TYPE_CHECKING:
    from flask import Request

    from crypto.ids import Kid
    from crypto.roster import Roster
    from gateway.clock import Clock
    from gateway.config import GatewayConfig
    from gateway.roster_watch import CurrentRoster
    from vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever signed: their api key, the key that things are sealed to for them, and their role."""

    api: Kid
    reads_with: Kid
    is_custodian: bool
    roster: Roster
    body: bytes


class Proof:
    """Verifies requests against the roster in force."""

    def __init__(
        self, config: GatewayConfig, vault: Vault, rosters: CurrentRoster, clock: Clock
    ) -> None:
        """Take what is needed to tell who asks."""
        self._authority = config.sync_authority
        self._vault = vault
        self._rosters = rosters
        self._clock = clock

    def of(self, request: Request) -> Caller:
        """Return who signed this request; raises SyncRefused (401), NoValidRoster."""
        roster = self._rosters.get()
        # (1) Werkzeug refuses more than MAX_CONTENT_LENGTH with 413.
        body = request.get_data(cache=False)
        path, query = _target(request)
        untrusted = UntrustedRequest(
            method=request.method,
            authority=self._authority or request.headers.get("Host", ""),
            path=path,
            query=query,
            headers=list(request.headers.items()),
            body=body,
        )
        try:
            # (2) the signature
            verified = verify_request(untrusted, key_of=roster.api_key, now=self._clock.now())
            # (3) the nonce
            self._vault.remember_nonce(verified.keyid, verified.nonce)
        except TransportRefused as error:
            raise SyncRefused(HTTPStatus.UNAUTHORIZED, str(error)) from None
        except Replayed:
            raise SyncRefused(HTTPStatus.UNAUTHORIZED, "replay") from None
        return _caller(roster, verified.keyid, body)


def _target(request: Request) -> tuple[str, str]:
    """The path and query as they stood on the request line, which is what was signed."""
    target = request.environ.get("RAW_URI", "")
    path, _, query = target.partition("?")
    # Flask routes by the decoded path.  Where the two differ, one thing is signed and another done.
    if path != request.path:
        raise malformed("path")
    return path, query


def _caller(roster: Roster, api: Kid, body: bytes) -> Caller:
    operator = next((one for one in roster.operators if one.api.kid == api), None)
    if operator is not None:
        reads_with = operator.evidence.kid
        return Caller(api, reads_with, is_custodian=False, roster=roster, body=body)
    custodian = next(one for one in roster.custodians if one.api.kid == api)
    reads_with = custodian.custodian.kid
    return Caller(api, reads_with, is_custodian=True, roster=roster, body=body)
