"""The page that hands a case over: what it says, what it makes, and what it refuses."""

from __future__ import annotations

import hashlib
import html
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from crypto.package import service_fingerprint
from desk.desk import Desk
from desk.locks import alone
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.transmission import proof, receiving
from desk.transmission.possible import Order, competence
from desk.transmission.transmit import transmit
from tests.desk.forms import press
from tests.desk.test_statuses import FORM
from tests.desk.transmission.conftest import CANARY, SERVICE, UNIT
from tests.desk.world import JPEG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.desk.server import FakeServer
    from tests.desk.transmission.conftest import Handing


@pytest.fixture
def page(handing: Handing) -> FlaskClient:
    return linked(handing.desk)


def linked(desk: Desk) -> FlaskClient:
    """A browser that followed the desk's link."""
    link = OneTimeLink()
    client = create_pages(desk, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    return client


def at(handing: Handing, rest: str = "") -> str:
    return f"/case/{handing.reporter.case.hex()}/transmission{rest}"


def sent(handing: Handing, page: FlaskClient, **data: Any) -> TestResponse:
    """The form of the page as it is now, filled in and sent."""
    return press(page, at(handing), "/send", **data)


def test_a_case_is_handed_over_from_its_page(ready: Handing, page: FlaskClient) -> None:
    case = page.get(at(ready).removesuffix("/transmission"), headers=FORM).text
    assert at(ready) in case
    before = page.get(at(ready), headers=FORM).text
    for said in (
        "Specialised cybercrime unit", "Place of the act", service_fingerprint(SERVICE.public),
        "evidence/photo-1.jpg", "Sign and hand it over",
    ):  # fmt: skip
        assert said in before
    done = sent(ready, page)
    assert (done.status_code, done.headers["Location"]) == (303, at(ready))
    after = page.get(at(ready), headers=FORM).text
    assert "Signed, sealed and transmitted" in after
    assert "Sign and hand it over" not in after
    digest = re.search(r"[0-9a-f]{64}", after)
    assert digest is not None
    got = page.get(at(ready, f"/{digest[0]}"), headers=FORM)
    assert hashlib.sha256(got.data).hexdigest() == digest[0]
    assert got.headers["Content-Disposition"].endswith('.amana"')
    assert got.headers["Cache-Control"] == "no-store"
    sealed = ready.folder / "got"
    sealed.write_bytes(got.data)
    found = receiving.open_sealed(sealed, SERVICE, ready.root_line, ready.folder / "opened")
    assert found.code == 0
    assert (ready.folder / "opened" / "evidence" / "photo-1.jpg").read_bytes() == JPEG
    assert ready.case.state == "transmitted"
    assert CANARY.encode() not in got.data


def test_without_a_connection_the_entry_waits(
    ready: Handing, page: FlaskClient, server: FakeServer
) -> None:
    server.answers["/v1/envelopes"] = (503, b"{}")
    sent(ready, page)
    assert "goes out at the next sync" in page.get(at(ready), headers=FORM).text


def test_what_stands_against_it_is_said_and_no_button_is_shown(
    handing: Handing, page: FlaskClient
) -> None:
    handing.begin()
    shown = page.get(at(handing), headers=FORM).text
    assert "Received does not lead to Transmitted" in shown
    assert "<button" not in shown.split("<main", 1)[1]
    handing.ready(by=0)
    assert "four eyes" in page.get(at(handing), headers=FORM).text
    refused = page.post(at(handing, f"/send?seen={handing.case.seen}"), headers=FORM)
    assert refused.status_code == 422
    assert "Four eyes" in refused.text
    assert list(handing.desk.home.packages.glob("*")) == []


@pytest.mark.parametrize("has_service", [False, True], ids=["no service", "no such state"])
def test_rules_under_which_nothing_is_handed_over_say_so(
    handing: Handing, *, has_service: bool
) -> None:
    """They load: an institution need not hand anything over."""
    handing.begin()
    handing.act("status", {"state": "aside", "service": "unit", "basis": "place"})
    rules = _FEW_RULES + (_ONE_SERVICE if has_service else "")
    (handing.desk.home.folder / "workflow.toml").write_text(rules)
    page = linked(Desk.open(handing.desk.home, handing.desk.keyring, today=handing.desk.today))
    said = "know no state transmitted" if has_service else "name no service"
    assert said in page.get(at(handing), headers=FORM).text.replace("<bdi>", "").replace(
        "</bdi>", ""
    )
    refused = page.post(at(handing, f"/send?seen={handing.case.seen}"), headers=FORM)
    assert refused.status_code == 422


_FEW_RULES = """
version = 1
[states.received]
words = { en = "R", fr = "R", ar = "R" }
leads_to = []
[priorities.X]
words = { en = "R", fr = "R", ar = "R" }
usual = true
"""
_ONE_SERVICE = """
[bases.place]
words = { en = "P", fr = "P", ar = "P" }
[services.unit]
words = { en = "U", fr = "U", ar = "U" }
bases = ["place"]
usual = true
"""


def test_a_service_without_a_key_is_named_with_what_to_do(
    ready: Handing, page: FlaskClient
) -> None:
    (ready.desk.home.services / "cyber_unit.pub").unlink()
    shown = page.get(at(ready), headers=FORM).text
    assert 'href="/services#service-cyber_unit"' in shown
    refused = sent(ready, page)
    assert (refused.status_code, "no key of <bdi>cyber_unit</bdi>" in refused.text) == (422, True)


def test_the_fast_lane_asks_who_is_competent(handing: Handing, page: FlaskClient) -> None:
    handing.begin(danger_now="yes")
    handing.state("triage", by=0)
    handing.state("imminent", by=0)
    assert 'name="service"' in page.get(at(handing), headers=FORM).text
    wrong = sent(handing, page, service=UNIT.service, basis="seat")
    assert wrong.status_code == 422
    form = {"service": UNIT.service, "basis": UNIT.basis}
    assert sent(handing, page, **form).status_code == 303
    assert handing.case.state == "transmitted"


def test_what_is_left_out_and_what_is_lacking_is_shown(
    handing: Handing, page: FlaskClient, server: FakeServer
) -> None:
    server.answers["/v1/parts"] = (404, b"{}")
    handing.begin(handing.reporter.evidence("photo-1.jpg", "image/jpeg", JPEG))
    handing.ready()
    assert "not fetched yet" in page.get(at(handing), headers=FORM).text
    handing.act(
        "quarantine",
        {
            "file": handing.files[0].id.hex(), "sha256": "ab" * 32, "custodian": "custodian 1",
            "text": "",
        },
    )  # fmt: skip
    shown = page.get(at(handing), headers=FORM).text
    assert "In quarantine" in shown
    assert hashlib.sha256(JPEG).hexdigest() in shown


@pytest.mark.parametrize("digest", ["0" * 64, "..%2Fkeys", "x"])
def test_no_other_file_is_given_out(ready: Handing, page: FlaskClient, digest: str) -> None:
    ready.transmit()
    assert page.get(at(ready, f"/{digest}"), headers=FORM).status_code == 404
    # Named by the journal, and made by the command line: it does not lie here.
    named = str(ready.case.work.data("status")["package"])
    assert page.get(at(ready, f"/{named}"), headers=FORM).status_code == 404


def test_a_package_that_a_program_left_unnamed_is_found_and_a_draft_goes(
    ready: Handing, page: FlaskClient
) -> None:
    folder = ready.desk.home.packages
    folder.mkdir()
    unnamed = folder / f"{ready.case.id.hex()}.amana"
    unnamed.write_bytes(b"of a program that ended before it wrote an entry")
    assert sent(ready, page).status_code == 303
    (package,) = folder.iterdir()
    # As if it had ended just before it gave the package its name.
    package.rename(unnamed)
    assert package.stem in page.get(at(ready), headers=FORM).text
    assert list(folder.iterdir()) == [package]
    unnamed.write_bytes(b"a draft")
    with alone(ready.desk.home.handing, 0):
        page.get(at(ready), headers=FORM)
        assert unnamed.exists()
    page.get(at(ready), headers=FORM)
    assert list(folder.iterdir()) == [package]


def test_a_package_that_was_left_while_a_page_waited_for_its_turn_is_kept(
    ready: Handing, page: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal names it by then, and did not when the page read the case."""
    folder = ready.desk.home.packages
    folder.mkdir()
    made: list[str] = []

    @contextmanager
    def its_turn(path: Path, seconds: float) -> Iterator[bool]:
        order = Order(folder / f"{ready.case.id.hex()}.amana", competence(ready.case))
        made.append(transmit(ready.desk, ready.case, order).sha256)
        with alone(path, seconds) as is_mine:
            yield is_mine

    monkeypatch.setattr("desk.pages.transmission.alone", its_turn)
    page.get(at(ready), headers=FORM)
    assert [one.name for one in folder.iterdir()] == [f"{made[0]}.amana"]


def test_two_windows_do_not_hand_over_at_once(
    ready: Handing, page: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.pages.transmission._OTHER_SECONDS", 0.1)
    with alone(ready.desk.home.handing, 0):
        refused = sent(ready, page)
    assert refused.status_code == 422
    assert "Another window of this desk" in refused.text
    assert ready.case.state == "ready"


@pytest.mark.claim("C-UNFINISHED")
def test_a_readable_folder_is_written_by_a_tick_and_a_path(
    ready: Handing, page: FlaskClient
) -> None:
    folder = ready.folder / "print"
    form = {"in_clear": "yes", "folder": str(folder)}
    assert sent(ready, page, **form).status_code == 303
    shown = page.get(at(ready), headers=FORM).text
    assert "written in clear into" in shown
    assert str(folder) in shown
    found = proof.verify_folder(folder, ready.root_line)
    assert (found.code, found.manifest["service"]["key"]) == (0, "")
    assert (folder / "evidence" / "photo-1.jpg").read_bytes() == JPEG
    assert ready.case.state == "transmitted"
    assert list(ready.desk.home.packages.glob("*")) == []


def test_a_folder_that_waits_for_the_server_says_so(
    ready: Handing, page: FlaskClient, server: FakeServer
) -> None:
    server.answers["/v1/envelopes"] = (503, b"{}")
    form = {"in_clear": "yes", "folder": str(ready.folder / "print")}
    sent(ready, page, **form)
    assert "goes out at the next sync" in page.get(at(ready), headers=FORM).text


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"folder": "/somewhere"}, "not ticked"),
        ({"in_clear": "yes"}, "Say where"),
        ({"in_clear": "yes", "folder": "print"}, "begins with /"),
        ({"in_clear": "yes", "folder": "/no/such/folder/at/all"}, "cannot be written"),
        ({"in_clear": "yes", "folder": "/" + "a" * 300}, "cannot be written"),
        ({"in_clear": "yes", "folder": "/etc"}, "not a new or empty folder"),
        ({"pasted": "hello"}, "no such request"),
        ({"pasted": "-----END x", "request": "zz"}, "no such request"),
        ({"pasted": "-----END x", "request": "00"}, "no such request"),
    ],
    ids=["no tick", "no path", "not whole", "nowhere", "too long", "taken", "no letter",
         "no request", "another's"],
)  # fmt: skip
def test_what_cannot_be_handed_over_so_is_said_and_comes_back(
    ready: Handing, page: FlaskClient, form: dict[str, str], why: str
) -> None:
    refused = sent(ready, page, **form)
    assert refused.status_code == 422
    assert why in " ".join(re.sub(r"<[^>]*>", "", html.unescape(refused.text)).split())
    assert form.get("folder", "") in refused.text
    assert ('name="in_clear" value="yes" checked' in refused.text) == ("in_clear" in form)
    assert ready.case.state == "ready"
    assert list(ready.desk.home.packages.glob("*")) == []
