"""A package that waits for download while something in it is put in quarantine."""

from __future__ import annotations

import hashlib
import html
import re
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from desk import acts
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.transmission import waiting
from tests.desk.forms import press
from tests.desk.test_statuses import FORM
from tests.desk.world import JPEG, Reporter

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.desk.conftest import Synced
    from tests.desk.transmission.conftest import Handing
    from tests.desk.world import World

pytestmark = pytest.mark.claim("C-QUARANTINE")
SHA256 = hashlib.sha256(JPEG).hexdigest()
OFFER = "Download the sealed package"


@pytest.fixture
def page(handing: Handing) -> FlaskClient:
    link = OneTimeLink()
    client = create_pages(handing.desk, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    return client


def closed(handing: Handing, **changes: Any) -> None:
    """The other operator closes the photo; this desk has the act by its next sync."""
    data = {"file": handing.files[0].id.hex(), "sha256": SHA256, "custodian": "custodian 1"}
    handing.act(acts.QUARANTINE, {**data, "text": "", **changes})


def handed(handing: Handing, page: FlaskClient) -> str:
    """Hand the case over from its page; the package's SHA-256."""
    at = f"/case/{handing.reporter.case.hex()}/transmission"
    assert press(page, at, "/send").status_code == 303
    handing.last = handing.case.work.front[0].node.hash
    (package,) = handing.desk.home.packages.iterdir()
    return package.stem


def fact(handing: Handing) -> str:
    """The name under which is kept what the one package holds."""
    with sqlite3.connect(handing.desk.home.database) as store:
        rows = store.execute("SELECT name FROM facts WHERE name LIKE 'sealed-package:%'")
        ((name,),) = rows.fetchall()
    return str(name)


def asked(handing: Handing, page: FlaskClient, digest: str) -> tuple[str, int, str]:
    """What the page says, without its tags; and what asking for the package answers."""
    at = f"/case/{handing.reporter.case.hex()}/transmission"
    shown = page.get(at, headers=FORM).text
    got = page.get(f"{at}/{digest}", headers=FORM)
    plain = [" ".join(html.unescape(re.sub(r"<[^>]*>", "", one)).split())
             for one in (shown, "" if got.status_code == 200 else got.text)]  # fmt: skip
    assert (OFFER in plain[0]) == (got.status_code == 200)
    return plain[0], got.status_code, plain[1]


def test_what_was_closed_after_it_was_made_does_not_leave(
    ready: Handing, page: FlaskClient
) -> None:
    digest = handed(ready, page)
    assert asked(ready, page, digest)[1] == 200
    closed(ready)
    shown, status, answer = asked(ready, page, digest)
    assert status == 404
    for told in (shown, answer):
        assert "Its custodian is custodian 1" in told
        assert f"{digest}.amana holds it, and is given out no more: destroy it" in told
    # It is not destroyed by this program: whose it is to hand over is not ours to say.
    assert (ready.desk.home.packages / f"{digest}.amana").exists()


def test_what_was_closed_before_was_never_in_it(ready: Handing, page: FlaskClient) -> None:
    closed(ready)
    ready.ready()
    assert asked(ready, page, handed(ready, page))[1] == 200


def test_what_shows_the_same_as_what_was_closed_does_not_leave(
    handing: Handing, page: FlaskClient
) -> None:
    clean = handing.reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    raw = handing.reporter.evidence(
        "photo-1.jpg", "image/jpeg", b"as it came", original_of=clean.id
    )
    handing.begin(clean, raw)
    handing.ready()
    digest = handed(handing, page)
    closed(handing, file=raw.id.hex(), sha256=hashlib.sha256(b"as it came").hexdigest())
    assert asked(handing, page, digest)[1] == 404


def test_the_same_bytes_closed_in_another_case_do_not_leave(
    ready: Handing, page: FlaskClient, world: World, sync: Synced
) -> None:
    digest = handed(ready, page)
    other = Reporter(world)
    file = other.evidence("again.jpg", "image/jpeg", JPEG)
    rows = other.report([file])
    sync(*rows)
    mine, ready.reporter, ready.last = ready.reporter, other, rows[0].header.hash
    closed(ready, file=file.id.hex())
    ready.reporter = mine
    assert asked(ready, page, digest)[1] == 404


@pytest.mark.parametrize("kept", ["", "00" * 60, "no hex"], ids=["lost", "changed", "overwritten"])
def test_what_nobody_can_tell_of_does_not_leave_while_a_file_of_its_case_is_closed(
    ready: Handing, page: FlaskClient, kept: str
) -> None:
    digest = handed(ready, page)
    ready.desk.store.note(fact(ready), kept)
    assert asked(ready, page, digest)[1] == 200
    closed(ready)
    shown, status, answer = asked(ready, page, digest)
    assert status == 404
    for told in (shown, answer):
        assert "cannot be told here any more" in told


def test_what_a_package_holds_is_remembered_sealed_and_for_no_other_package(
    ready: Handing, page: FlaskClient
) -> None:
    digest = handed(ready, page)
    kept = ready.desk.store.noted(fact(ready))
    assert SHA256 not in kept
    assert SHA256.encode() not in bytes.fromhex(kept)
    other = "ab" * 32
    waiting.path_of(ready.desk, digest).rename(waiting.path_of(ready.desk, other))
    ready.desk.store.note(waiting._fact(ready.desk, other), kept)
    closed(ready)
    assert waiting.waiting(ready.desk, ready.case) == {}
    ready.act(acts.STATUS, {"state": "transmitted", "service": "cyber_unit",
                            "basis": "place_of_act", "package": other}, by=0)  # fmt: skip
    refusal = waiting.waiting(ready.desk, ready.case)[other].refusal
    assert "cannot be told here any more" in str(refusal)


@pytest.mark.parametrize("kept", [True, False], ids=["remembered", "lost"])
@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "open"])
def test_no_case_gives_out_the_package_of_another(
    handing: Handing, page: FlaskClient, world: World, kept: bool, is_closed: bool  # noqa: FBT001
) -> None:  # fmt: skip
    clean = handing.reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    raw = handing.reporter.evidence(
        "photo-1.jpg", "image/jpeg", b"as it came", original_of=clean.id
    )
    handing.begin(clean, raw)
    handing.ready()
    digest = handed(handing, page)
    if is_closed:
        closed(handing, file=raw.id.hex(), sha256=hashlib.sha256(b"as it came").hexdigest())
    if not kept:
        handing.desk.store.note(fact(handing), "")
    # A colleague's desk signs that it was another case's.
    mine, last = handing.reporter, handing.last
    handing.reporter = Reporter(world)
    handing.begin()
    handing.act(acts.STATUS, {"state": "transmitted", "service": "cyber_unit",
                              "basis": "place_of_act", "package": digest})  # fmt: skip
    assert asked(handing, page, digest)[1] == 404
    handing.reporter, handing.last = mine, last
    assert asked(handing, page, digest)[1] == (404 if is_closed else 200)


def test_what_is_remembered_of_one_case_is_not_known_in_another(
    ready: Handing, page: FlaskClient, world: World
) -> None:
    digest = handed(ready, page)
    assert waiting._held(ready.desk, ready.case.id, digest)
    assert waiting._held(ready.desk, Reporter(world).case, digest) is None


def test_a_package_that_was_destroyed_is_named_nowhere_on_the_disk(
    ready: Handing, page: FlaskClient
) -> None:
    digest = handed(ready, page)
    package = waiting.path_of(ready.desk, digest)
    names = [digest.encode(), bytes.fromhex(digest)]

    def named() -> list[str]:
        files = [one for one in ready.desk.home.folder.rglob("*") if one.is_file()]
        told = {one: one.name.encode() + one.read_bytes() for one in files}
        return [one.name for one, all_of in told.items() if any(name in all_of for name in names)]

    assert named() == [package.name]
    package.unlink()
    assert named() == []


def test_a_package_that_cannot_be_remembered_is_not_made(
    ready: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(ready.desk.store), "note", full)
        with pytest.raises(sqlite3.OperationalError):
            ready.transmit()
    assert list(ready.folder.iterdir()) == []
    assert ready.case.state == "ready"
