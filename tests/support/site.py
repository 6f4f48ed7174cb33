"""A person at the site's form, in process: reads the pages, fills the form, sends it."""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

ANSWERS: dict[str, dict[str, object]] = {
    "fraud": {"scam_type": "romance", "money_lost": "no"},
    "sextortion": {
        "victim_minor": "no",
        "shared_already": "threat_only",
        "accounts-unknown": "yes",
    },
    "defamation": {"target": "me", "public_or_private": "public", "urls": "example.org/post"},
    "threats": {"target": "me"},
    "harassment": {"target": "me", "harassment_kind": "stalking"},
    "incitement": {"topic": "drugs", "urls-unknown": "yes"},
    "terrorism": {"kind": "apology", "imminent": "no", "accounts-0-handle": "@somebody"},
    "csam": {"what": "other", "child_known": "no", "urls": "example.org/page"},
    "hacking_other": {"kind": "unknown"},
}
COMMON: dict[str, object] = {
    "role": "victim",
    "description": "It began on a Tuesday, with a message.",
    "identity_mode": "anonymous",
    "notice_read": "yes",
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who writes in one language and one category."""

    client: FlaskClient
    lang: str = "en"
    category: str = "fraud"

    def begin(self, danger: str = "no") -> TestResponse:
        """Go from the first page to the form."""
        data = {"category": self.category, "danger_now": danger, "go_on": "1"}
        return self.client.post(f"/{self.lang}/write", data=data)

    def send(
        self,
        page: TestResponse | str,
        *,
        files: tuple[tuple[str, bytes], ...] = (),
        changes: Mapping[str, object] | None = None,
        path: str = "send",
    ) -> TestResponse:
        """Fill the form of ``page`` completely, change some answers (None: left out), post it."""
        token = page if isinstance(page, str) else token_of(page)
        data: dict[str, object] = {"token": token, "category": self.category, "action": "send"}
        data |= {**COMMON, **ANSWERS[self.category], **(changes or {})}
        data = {name: value for name, value in data.items() if value is not None}
        return post_files(self.client, f"/{self.lang}/{path}", data, files)

    def report(self, **changes: object) -> TestResponse:
        """Write and send a whole report; the answer is its receipt page."""
        return self.send(self.begin(), changes=changes)

    def open(self, code: str) -> TestResponse:
        """Come back with a code."""
        return self.client.post(f"/{self.lang}/thread", data={"code": code})

    def say(
        self,
        page: TestResponse,
        text: str,
        *,
        files: tuple[tuple[str, bytes], ...] = (),
        action: str = "send",
    ) -> TestResponse:
        """Add a message on a conversation's page."""
        data = {"token": token_of(page), "text": text, "action": action}
        return post_files(self.client, f"/{self.lang}/message", data, files)


def post_files(
    client: FlaskClient,
    path: str,
    data: Mapping[str, object],
    files: tuple[tuple[str, bytes], ...] = (),
) -> TestResponse:
    """Post a multipart form; an empty file field is sent as a browser sends it."""
    sent = [(io.BytesIO(content), name) for name, content in files] or [(io.BytesIO(), "")]
    return client.post(path, data={**data, "evidence": sent}, content_type="multipart/form-data")


def token_of(page: TestResponse) -> str:
    """The page's hidden token."""
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text[-2000:]
    return found[1]


def code_of(page: TestResponse) -> str:
    """The receipt code of a receipt page, as shown."""
    found = re.search(r'id="receipt-code"><bdi dir="ltr">([\d ]+)</bdi>', page.text)
    assert found, page.text[-2000:]
    return found[1]


def errors_of(page: TestResponse) -> list[str]:
    """The sentences beside the inputs, and those of refused files."""
    found = re.findall(r'<p class="error"[^>]*>(.*?)</p>', page.text, flags=re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", one)).strip() for one in found]


def kept_files(page: TestResponse) -> list[str]:
    """The neutral names of the files that the page's form remembers."""
    listed = re.search(r'<ul class="files">(.*?)</ul>', page.text, flags=re.DOTALL)
    return re.findall(r'<bdi dir="ltr">([a-z]+-\d+\.[a-z0-9]+)</bdi>', listed[1]) if listed else []
