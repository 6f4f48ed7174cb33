"""The strict headers, on every response there is: pages, errors, static files.  Claim C-HEADERS.

And the guard of every POST: no token in a cookie is needed where there is no cookie, but a page of
another site must not be able to make a browser send something here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.exceptions import Forbidden

if TYPE_CHECKING:
    from flask import Request, Response

_DENIED = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "display-capture",
    "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection",
    "local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip

STRICT = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _DENIED),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
LEAVING = '"cache", "cookies", "storage"'
_OWN_SITE = frozenset({"same-origin", "none"})


def with_strict_headers(response: Response) -> Response:
    """Set every header, over whatever was there."""
    for name, value in STRICT.items():
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
