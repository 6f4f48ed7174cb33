"""Whom to call: the numbers of help lines, from a dated file that the institution keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gateway.site.schema import FormRefused


@dataclass(frozen=True, slots=True)
class HelpLines:
    """Telephone numbers; ``as_of`` is the day on which somebody checked them."""

    as_of: str
    police: str
    gendarmerie: str
    children: str

    @classmethod
    def from_json(cls, untrusted: bytes) -> HelpLines:
        """Read the file.  Raises FormRefused."""
        try:
            return cls(**json.loads(untrusted))
        except (ValueError, TypeError) as error:
            raise FormRefused(f"help.json: {error}") from None
