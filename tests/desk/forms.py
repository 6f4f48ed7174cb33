"""Send a form as a browser does: to the address that the page gave it, with what it bears."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

OURS = {
    "Host": "127.0.0.1:8002",
    "Origin": "http://127.0.0.1:8002",
    "Sec-Fetch-Site": "same-origin",
}


def form_in(page: str, action: str) -> tuple[str, dict[str, str]]:
    """The address and the hidden fields of a page's form that goes to a path."""
    forms = re.findall(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL)
    for address, inside in forms:
        whole = html.unescape(address)
        if whole.partition("?")[0].endswith(action):
            hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside)
            return whole, {name: html.unescape(value) for name, value in hidden}
    raise AssertionError(f"no form on this page goes to {action}")


def press(client: FlaskClient, page: str, action: str, **data: Any) -> TestResponse:
    """Open a page, fill its form that goes to `action` in, and send it."""
    address, hidden = form_in(client.get(page, headers=OURS).text, action)
    return client.post(address, headers=OURS, data={**hidden, **data})


def seen(client: FlaskClient, path: str) -> str:
    """An address below a case's, with what the case's page shows now."""
    case = "/".join(path.split("/")[:3])
    (shown,) = set(re.findall(r"[?]seen=([0-9a-f]{16})", client.get(case, headers=OURS).text))
    return f"{path}?seen={shown}"
