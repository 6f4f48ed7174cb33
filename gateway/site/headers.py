"""The strict headers, on every response there is: pages, errors, static files.  Claim C-HEADERS.

And the guard of every POST: no token in a cookie is needed where there is no cookie, but a page of
another site must not be able to make a browser send something here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flask import request as current
from werkzeug.exceptions import BadRequest, Forbidden
from werkzeug.routing import RequestRedirect

from gateway.headers import STRICT
from gateway.site.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request, Response

LEAVING = '"cache", "cookies", "storage"'
# A page may run a script of this site; what is no page runs none.
_SCRIPT = "; script-src 'self'"
_CONNECT = "; connect-src 'self'"
# Only the pages of a language whose letters the site brings may fetch a face.
_FACE = "; font-src 'self'"
_LETTERED = frozenset(one.code for one in LANGUAGES if one.letters)
_OWN_SITE = frozenset({"same-origin", "none"})


def with_strict_headers(response: Response) -> Response:
    """Set every header, over whatever was there."""
    sends = response.headers.get("Content-Security-Policy") == _CONNECT
    for name, value in STRICT:
        response.headers[name] = value
    if is_page(response):
        response.headers["Content-Security-Policy"] += _SCRIPT + (_CONNECT if sends else "")
        if current.path.split("/")[1] in _LETTERED:
            response.headers["Content-Security-Policy"] += _FACE
    return response


def sending(response: Response) -> Response:
    """Let the script of this page send something here, and nowhere else: it has a file field."""
    response.headers["Content-Security-Policy"] = _CONNECT
    return response


def is_page(response: Response) -> bool:
    """Whether a browser shows it, and does not go on to somewhere else."""
    return response.mimetype == "text/html" and "Location" not in response.headers


def onion_location(onion: str) -> Callable[[Response], Response]:
    """Return what tells Tor Browser, page by page, where the same page is as an onion service.

    Not for the answer to a form: nobody could go there again.
    """

    def tell(response: Response) -> Response:
        if current.method == "GET" and response.status_code == 200 and is_page(response):  # noqa: PLR2004 a page, no error
            response.headers["Onion-Location"] = f"http://{onion}{quote(current.path)}"
        return response

    return tell


def guard_post(request: Request) -> None:
    """Refuse what another site made the browser send.  Raises Forbidden, BadRequest.

    With ``no-referrer`` a browser says ``Origin: null`` for our own forms, so null is ours; the
    other sites' forms are told apart by Sec-Fetch-Site, which a page cannot forge.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN_SITE:
        raise Forbidden
    origin = request.headers.get("Origin")
    if origin in {None, "null"}:
        return
    try:
        where = urlsplit(str(origin)).netloc
    except ValueError:
        raise BadRequest from None
    if where != request.host:
        raise Forbidden


def relative_redirect(response: Response) -> Response:
    """Send nobody to the host and the scheme that a request named: only to a path of this site."""
    if isinstance(current.routing_exception, RequestRedirect):
        there = urlsplit(current.routing_exception.new_url)
        # One slash: two would name a host.
        path = "/" + there.path.lstrip("/")
        response.headers["Location"] = f"{path}?{there.query}" if there.query else path
    return response
