"""Speak with the server's sync door: signed requests out, untrusted bytes in.

Rule: nothing that comes back is believed here; it is measured, bounded in size and in time
(desk.patience) and handed on as `untrusted`.  Every request but the roster's carries an
RFC 9421 signature by this desk's api key (crypto/FORMAT.md, section 13).  No proxy is taken
from the environment.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from crypto.transport import LIFETIME_SECONDS, sign_request
from desk.errors import ClockSkewed, ServerMalformed, ServerRefused, ServerUnreachable
from desk.patience import Patience
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import urllib3

    from crypto.ids import EnvelopeId
    from crypto.signing import SigningPrivateKey
    from desk.store import Envelope

KiB = 1024
MiB = 1024 * KiB
_OK, _CREATED, _PARTIAL = 200, 201, 206
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """What one answer may weigh (bytes), and how long the server may be silent or speak (seconds).

    A page of the index is about 8 MiB in the vault at most, and a third more as base64.
    """

    roster_bytes: int = 1 * MiB
    page_bytes: int = 32 * MiB
    part_request_bytes: int = 16 * MiB
    chunk_bytes: int = 256 * KiB
    connect_seconds: float = 10.0
    silence_seconds: float = 60.0
    roster_seconds: float = 60.0
    answer_seconds: float = 1200.0
    page: int = 500


@dataclass(frozen=True, slots=True)
class UntrustedEnvelope:
    """One row of the index: bytes of the right types, and nothing else is known of them."""

    header: bytes
    wraps: bytes = field(repr=False)
    manifest: bytes = field(repr=False)
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UntrustedPage:
    """One page of the index, and the id after which the next one begins (None: the last)."""

    envelopes: tuple[UntrustedEnvelope, ...]
    unreadable: int
    next: str | None


class SyncClient:
    """A signed conversation with one server; one per desk, safe to share between threads."""

    def __init__(
        self,
        server: str,
        api_key: SigningPrivateKey,
        *,
        limits: ClientLimits | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._server = server
        self._authority = _authority(server)
        self._api_key = api_key
        self._limits = limits or ClientLimits()
        self._now = now
        self._patience = Patience(
            connect=self._limits.connect_seconds,
            silence=self._limits.silence_seconds,
        )
        self._pool = self._patience.pool(server)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """All requests of this thread inside the `with` take so long together, or break off.

        What breaks off raises `ServerUnreachable`.  Inside another `with` the earlier end counts.
        """
        return self._patience.within(seconds)

    def unless(self, is_over: Callable[[], bool]) -> AbstractContextManager[None]:
        """No request of this thread inside the `with` begins or goes on once `is_over` says so.

        What breaks off raises `Stopped`.
        """
        return self._patience.unless(is_over)

    def roster(self, epoch: int | None = None) -> bytes:
        """The roster note that is in force, or that of an epoch; unsigned, and not verified.

        Raises:
            ServerRefused: status 404 where the server has no roster of that epoch.
        """
        query = "" if epoch is None else f"epoch={epoch}"
        seconds = self._limits.roster_seconds
        with self._ask("GET", "/v1/roster", query=query, signed=False, seconds=seconds) as answer:
            return _bounded(answer, self._limits.roster_bytes)

    def index(self, after: str | None) -> UntrustedPage:
        """One page of envelopes whose ids come after `after` (hex).

        Raises:
            ServerMalformed: the answer is not the index's JSON.
        """
        query = (
            f"after={after}&limit={self._limits.page}" if after else f"limit={self._limits.page}"
        )
        with self._ask("GET", "/v1/index", query=query) as answer:
            untrusted = _bounded(answer, self._limits.page_bytes)
        try:
            page = json.loads(untrusted)
            rows, following = page["envelopes"], page["next"]
            if not isinstance(rows, list) or not _is_id(following):
                raise ServerMalformed("The server's index is not one.")
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ServerMalformed("The server's index is not one.") from None
        if following is not None and after is not None and following <= after:
            # Else a server could keep a desk walking in a circle for ever.
            raise ServerMalformed("The server's index goes backwards.")
        read = [_row(one) for one in rows]
        good = tuple(one for one in read if one is not None)
        return UntrustedPage(good, unreadable=len(read) - len(good), next=following)

    def part(self, envelope: EnvelopeId, part: int, offset: int, size: int) -> Iterator[bytes]:
        """Stream a sealed part from `offset` up to `size` bytes, in bounded requests."""
        path = f"/v1/parts/{envelope.hex()}/{part}"
        while offset < size:
            last = min(offset + self._limits.part_request_bytes, size) - 1
            extra = {"Range": f"bytes={offset}-{last}"}
            with self._ask("GET", path, extra=extra) as answer:
                if answer.status != _PARTIAL and offset:
                    raise ServerMalformed("The server does not continue where it was asked to.")
                before = offset
                for chunk in _chunks(answer, self._limits.chunk_bytes):
                    taken = chunk[: size - offset]
                    offset += len(taken)
                    yield taken
            if offset == before:
                raise ServerUnreachable("The server broke off in the middle of a file.")

    def post(self, envelope: Envelope, parts: Sequence[bytes] = ()) -> None:
        """Hand over an entry or a reply; one that the server already has is fine.

        `parts` are the sealed content parts, from 1 on: of an entry that carries a copy.

        Raises:
            ServerRefused: the server does not take it.
        """
        given: dict[str, object] = {
            "header": base64.b64encode(envelope.header.to_bytes()).decode(),
            "wraps": base64.b64encode(envelope.wraps).decode(),
            "manifest": base64.b64encode(envelope.manifest).decode(),
        }
        if parts:
            given["parts"] = [base64.b64encode(part).decode() for part in parts]
        body = json.dumps(given).encode()
        with self._ask("POST", "/v1/envelopes", body=body) as answer:
            _bounded(answer, 64 * KiB)

    def _ask(  # noqa: PLR0913  # what a request is made of
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        extra: dict[str, str] | None = None,
        signed: bool = True,
        seconds: float | None = None,
    ) -> _Answer:
        headers = {"User-Agent": "amana-desk", "Accept-Encoding": "identity", **(extra or {})}
        if signed:
            headers |= sign_request(
                self._api_key,
                method=method,
                authority=self._authority,
                path=path,
                query=query,
                body=body,
                created=int(self._now()),
            )
        if body:
            headers["Content-Type"] = "application/json"
        url = path + (f"?{query}" if query else "")
        until = time.monotonic() + (seconds or self._limits.answer_seconds)
        try:
            with self._patience.until(until):
                response = self._pool.urlopen(
                    method,
                    url,
                    body=body or None,
                    headers=headers,
                    preload_content=False,
                    redirect=False,
                    # A few bytes that unfold to many would be weighed too late.
                    decode_content=False,
                )
        except HTTPError:
            raise ServerUnreachable(
                Sentence(
                    "No answer from {server}. Is the address right and the network up? What is "
                    "already on this machine can be read without it.",
                    server=str(self._server),
                )
            ) from None
        answer = _Answer(response, self._patience, until)
        if answer.status not in (_OK, _CREATED, _PARTIAL):
            with answer:
                self._refuse(answer)
        return answer

    def _refuse(self, answer: _Answer) -> None:
        code = _error_code(answer)
        if answer.status == _UNAUTHORIZED:
            seconds = _clock_difference(answer.date, self._now())
            if code == "stale" or abs(seconds) > LIFETIME_SECONDS:
                said = Sentence(
                    "This machine's clock and the server's differ too much. Set the clock right "
                    "and try again."
                )
                if abs(seconds) > 1:
                    said = Sentence(
                        "This machine's clock and the server's differ too much (about {seconds} "
                        "seconds). Set the clock right and try again.",
                        seconds=abs(seconds),
                    )
                raise ClockSkewed(
                    said,
                    status=answer.status,
                    code=code,
                )
            raise ServerRefused(
                Sentence(
                    "The server does not accept this desk's key ({code}). If the roster was "
                    "renewed without you, ask the keyholder of the root.",
                    code=code,
                ),
                status=answer.status,
                code=code,
            )
        raise ServerRefused(
            Sentence("The server answered {status} ({code}).", status=answer.status, code=code),
            status=answer.status,
            code=code,
        )


class _Answer:
    """A response that is always released, with its headers as plain text."""

    def __init__(
        self, response: urllib3.BaseHTTPResponse, patience: Patience, until: float
    ) -> None:
        self._response = response
        self._patience = patience
        self._until = until
        self._drained = False
        self.status = response.status
        self.date = response.headers.get("Date", "")
        length = response.headers.get("Content-Length", "")
        if not length and "Transfer-Encoding" not in response.headers:
            # Headers that broke off read like headers that end, and an answer that does not say how
            # long it is reads like a whole one: an honest server would be accused of what it said.
            response.close()
            raise ServerUnreachable("The connection broke in the middle of an answer.")
        if length and not (length.isascii() and length.isdigit()):
            # `-4` would be read as: whatever comes, until the server hangs up.
            response.close()
            raise ServerMalformed("The server's answer says no length that can be one.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drained:
            self._response.release_conn()
        else:
            # An answer that was cut short must not be taken for the beginning of the next.
            self._response.close()

    def read(self, amount: int) -> bytes:
        """Up to `amount` bytes; empty at the end."""
        try:
            with self._patience.until(self._until):
                # What has come, at once: `read` would throw away what came before a break.
                chunk = self._response.read1(amount)
        except HTTPError:
            raise ServerUnreachable("The connection broke in the middle of an answer.") from None
        self._drained = not chunk
        return chunk


def _authority(server: str) -> str:
    """The authority as RFC 9421 wants it: lower case, without the scheme's own port."""
    parts = urlsplit(server)
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    return parts.netloc.lower().removesuffix(usual)


def _bounded(answer: _Answer, limit: int) -> bytes:
    held = bytearray()
    for chunk in _chunks(answer, MiB, limit):
        held += chunk
    if len(held) > limit:
        raise ServerMalformed("The server's answer is larger than any honest one.")
    return bytes(held)


def _chunks(answer: _Answer, size: int, limit: int | None = None) -> Iterator[bytes]:
    taken = 0
    while (limit is None or taken <= limit) and (chunk := answer.read(size)):
        taken += len(chunk)
        yield chunk


def _row(untrusted: object) -> UntrustedEnvelope | None:
    try:
        if not isinstance(untrusted, dict):
            return None
        header, wraps, manifest = (
            base64.b64decode(untrusted[name], validate=True)
            for name in ("header", "wraps", "manifest")
        )
        sizes = tuple(untrusted["parts"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
    if not all(type(size) is int and size > 0 for size in sizes):
        return None
    return UntrustedEnvelope(header, wraps, manifest, sizes)


def _is_id(untrusted: object) -> bool:
    return untrusted is None or (
        isinstance(untrusted, str) and re.fullmatch(r"[0-9a-f]{32}", untrusted) is not None
    )


def _error_code(answer: _Answer) -> str:
    try:
        code = str(json.loads(_bounded(answer, 64 * KiB))["error"])
    except (
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        ServerMalformed,
        ServerUnreachable,
    ):
        return "no reason given"
    # It is printed in a terminal: nothing in it may move a cursor.
    return re.sub(r"[^a-z0-9-]", "", code.lower().replace("_", "-"))[:40] or "no reason given"


def _clock_difference(date: str, now: float) -> int:
    try:
        return int(parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return 0
