"""The ticket of an upload in pieces: all that is known of it, sealed, in the sender's page alone.

The gateway keeps no list of uploads: whichever worker is asked reads name, key and length from
here.  A ticket belongs to one case and to one kind of page, and expires.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from crypto.errors import TokenInvalid
from crypto.ids import CaseId
from crypto.pieces import PiecesKey
from crypto.token import open_token, seal_token
from gateway.pieces import Upload

if TYPE_CHECKING:
    from crypto.token import TokenKey

_PURPOSE = "piece"
TICKET_MOST = 1024
"""Letters in a ticket at most; ours have a third of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One upload on its way to one case.  ``issued`` is Unix time in seconds.

    ``thread``: it was begun in a conversation.  What began in a report's form ends there.
    """

    upload: Upload
    case: CaseId
    issued: int
    thread: bool = False

    def seal(self, key: TokenKey) -> str:
        """Return the text that the page holds."""
        facts = {
            "name": self.upload.name.hex(),
            "key": self.upload.key.raw.hex(),
            "length": self.upload.length,
            "case": self.case.hex(),
            "issued": self.issued,
            "thread": self.thread,
        }
        return seal_token(key, _PURPOSE, json.dumps(facts).encode())

    @classmethod
    def open(cls, key: TokenKey, untrusted: str, *, now: int, seconds: int) -> Self:
        """Read a ticket of ours.  Raises TokenInvalid, also for one that is too old."""
        if len(untrusted) > TICKET_MOST:
            raise TokenInvalid
        facts = json.loads(open_token(key, _PURPOSE, untrusted))
        if not 0 <= now - facts["issued"] < seconds:
            raise TokenInvalid
        return cls(
            upload=Upload(
                bytes.fromhex(facts["name"]),
                facts["length"],
                PiecesKey(bytes.fromhex(facts["key"])),
            ),
            case=CaseId(bytes.fromhex(facts["case"])),
            issued=facts["issued"],
            thread=facts["thread"],
        )
