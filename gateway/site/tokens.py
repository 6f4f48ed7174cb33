"""What a form remembers between two requests, sealed so that only this gateway reads it.

In the body, never in an address; bound to its purpose; it expires.  There is no session and no
cookie: the page in the person's browser is the only place where this is kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from crypto.errors import TokenInvalid
from crypto.ids import CaseId, EnvelopeId, HeaderHash, new_case_id, new_envelope_id
from crypto.receipt import ReceiptCode
from crypto.token import open_token, seal_token
from gateway.errors import GatewayError
from gateway.handed import StagedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.token import TokenKey

_FORM = "form"
_THREAD = "thread"


class TokenExpired(GatewayError):
    """The token is ours and too old; ``token`` is what it held."""

    def __init__(self, token: FormToken | ThreadToken) -> None:
        super().__init__()
        self.token = token


@dataclass(frozen=True, slots=True, kw_only=True)
class FormToken:
    """One report on its way.  ``issued`` is Unix time in seconds; it never leaves the token."""

    case: CaseId
    code: ReceiptCode = field(repr=False)
    category: str = field(repr=False)
    danger: str = field(repr=False)
    issued: int
    files: tuple[StagedFile, ...] = ()
    turn: int | None = None

    @classmethod
    def new(cls, *, category: str, danger: str, now: int) -> Self:
        """Begin a report: a fresh case and a fresh code."""
        return cls(
            case=new_case_id(),
            code=ReceiptCode.generate(),
            category=category,
            danger=danger,
            issued=now,
        )

    def with_files(self, files: tuple[StagedFile, ...]) -> Self:
        """The same report with these files."""
        return replace(self, files=files)

    def seal(self, key: TokenKey) -> str:
        """Return the text of the form's hidden field."""
        facts = {
            "case": self.case.hex(),
            "code": self.code.digits,
            "category": self.category,
            "danger": self.danger,
            "issued": self.issued,
            "files": files_out(self.files),
            "turn": self.turn,
        }
        return seal_token(key, _FORM, json.dumps(facts).encode())

    @classmethod
    def open(cls, key: TokenKey, untrusted: str, *, now: int, seconds: int) -> Self:
        """Read a token of ours.  Raises TokenInvalid, TokenExpired."""
        facts = json.loads(open_token(key, _FORM, untrusted))
        token = cls(
            case=CaseId(bytes.fromhex(facts["case"])),
            code=ReceiptCode.parse(facts["code"]),
            category=facts["category"],
            danger=facts["danger"],
            issued=facts["issued"],
            files=files_in(facts["files"]),
            turn=facts.get("turn"),
        )
        _require_fresh(token, now, seconds)
        return token


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadToken:
    """A conversation that was opened with a code; the same size whether the code is known."""

    case: CaseId
    code: ReceiptCode = field(repr=False)
    message: EnvelopeId
    issued: int
    files: tuple[StagedFile, ...] = ()
    turn: int | None = None

    @classmethod
    def new(cls, *, case: CaseId, code: ReceiptCode, now: int) -> Self:
        """Open a conversation; ``case`` is the code's, or the one a first message would open."""
        return cls(case=case, code=code, message=new_envelope_id(), issued=now)

    def with_files(self, files: tuple[StagedFile, ...]) -> Self:
        """The same conversation with these files."""
        return replace(self, files=files)

    def seal(self, key: TokenKey) -> str:
        """Return the text of the form's hidden field."""
        facts = {
            "case": self.case.hex(),
            "code": self.code.digits,
            "message": self.message.hex(),
            "issued": self.issued,
            "files": files_out(self.files),
            "turn": self.turn,
        }
        return seal_token(key, _THREAD, json.dumps(facts).encode())

    @classmethod
    def open(cls, key: TokenKey, untrusted: str, *, now: int, seconds: int) -> Self:
        """Read a token of ours.  Raises TokenInvalid, TokenExpired."""
        facts = json.loads(open_token(key, _THREAD, untrusted))
        token = cls(
            case=CaseId(bytes.fromhex(facts["case"])),
            code=ReceiptCode.parse(facts["code"]),
            message=EnvelopeId(bytes.fromhex(facts["message"])),
            issued=facts["issued"],
            files=files_in(facts["files"]),
            turn=facts.get("turn"),
        )
        _require_fresh(token, now, seconds)
        return token


def _require_fresh(token: FormToken | ThreadToken, now: int, seconds: int) -> None:
    if not 0 <= now - token.issued < seconds:
        raise TokenExpired(token)


def files_out(files: Sequence[StagedFile]) -> list[list[Any]]:
    """Give staged files as JSON values, for a token or a note."""
    return [
        [
            one.id.hex(),
            one.header_hash.hex(),
            one.name,
            one.length,
            list(one.removed),
            None if one.original_of is None else one.original_of.hex(),
        ]
        for one in files
    ]


def files_in(files: list[list[Any]]) -> tuple[StagedFile, ...]:
    """Read what ``files_out`` gave, from something that we sealed ourselves."""
    return tuple(
        StagedFile(
            EnvelopeId(bytes.fromhex(envelope)),
            HeaderHash(bytes.fromhex(header)),
            name,
            length,
            tuple(removed),
            None if of is None else EnvelopeId(bytes.fromhex(of)),
        )
        for envelope, header, name, length, removed, of in files
    )


__all__ = ["FormToken", "ThreadToken", "TokenExpired", "TokenInvalid", "files_in", "files_out"]
