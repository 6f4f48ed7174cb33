"""What is said once after a form, like "Signed and sent".

Rule: it is said on the page that the form leads to, and on no other, whichever window asks first;
what is said about one case never stands above another.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import g, request

if TYPE_CHECKING:
    from flask import Response

_MOST = 100
"""Notices that wait at most: of windows that were closed before they came to their page."""


class Notices:
    """The notices that wait, by the path of their page."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, str] = OrderedDict()

    def say(self, words: str) -> None:
        """Say it on this request's page, or on the one that it leads to."""
        g.notice = words

    def take(self) -> str:
        """What this page is to say, once."""
        said: str = g.pop("notice", "")
        return said or self._waiting.pop(request.script_root + request.path, "")

    def keep(self, response: Response) -> Response:
        """After a request: what it did not say itself waits for the page that it leads to."""
        said = g.pop("notice", "")
        if said and response.location:
            self._waiting[urlsplit(response.location).path] = said
            while len(self._waiting) > _MOST:
                self._waiting.popitem(last=False)
        return response
