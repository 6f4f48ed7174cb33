"""The strict headers, on every response there is: pages, errors, static files.  Claim C-HEADERS.

And the guard of every POST: no token in a cookie is needed where there is no cookie, but a page of
another site must not be able to make a browser send something here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.exceptions import Forbidden

from gateway.headers import STRICT

if TYPE_CHECKING:
    from flask import Request, Response

LEAVING = '"cache", "cookies", "storage"'
_OWN_SITE = frozenset({"same-origin", "none"})


def with_strict_headers(response: Response) -> Response:
    """Set every header, over whatever was there."""
    for name, value in STRICT:
        response.headers[name] = value
    return response


def guard_post(request: Request) -> None:
    """Refuse what another site made the browser send.  Raises Forbidden.

    With ``no-referrer`` a browser says ``Origin: null`` for our own forms, so null is ours; the
    other sites' forms are told apart by Sec-Fetch-Site, which a page cannot forge.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN_SITE:
        raise Forbidden
    origin = request.headers.get("Origin")
    if origin in {None, "null"}:
        return
    if urlsplit(str(origin)).netloc != request.host:
        raise Forbidden
