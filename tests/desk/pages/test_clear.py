"""A case in clear, from its page: by a tick and a path, with what was left out named."""

from __future__ import annotations

import errno
import html
import json
import re
from typing import TYPE_CHECKING

import pytest

from desk import export
from desk.errors import DeskError, ExportRefused
from desk.evidence import views
from desk.export import export_case, export_file
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.progress import Silence
from desk.sync import synchronise
from desk.transmission.possible import Order
from desk.transmission.transmit import transmit
from tests.desk.forms import form_in, seen
from tests.desk.test_statuses import FORM
from tests.desk.transmission.conftest import CANARY, UNIT, Handing, handing, ready
from tests.desk.world import JPEG, World, make_desk

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from desk.desk import Desk

__all__ = ["handing", "ready"]


def entered(desk: Desk) -> FlaskClient:
    link = OneTimeLink()
    client = create_pages(desk, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    return client


@pytest.fixture
def page(ready: Handing) -> FlaskClient:
    return entered(ready.desk)


def at(handing: Handing) -> str:
    return f"/case/{handing.reporter.case.hex()}/clear"


def said(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", answer.text)).split())


def test_a_case_is_written_by_a_tick_and_a_path(ready: Handing, page: FlaskClient) -> None:
    case = page.get(at(ready).removesuffix("/clear"), headers=FORM).text
    assert at(ready) in case
    before = page.get(at(ready), headers=FORM)
    assert "2 files, decrypted" in said(before)
    assert "Whoever opens the folder reads everything" in said(before)
    assert "originals" not in said(before)
    folder = ready.folder / "clear"
    form = {"in_clear": "yes", "folder": f" {folder} "}
    done = page.post(seen(page, at(ready)), data=form, headers=FORM)
    assert done.status_code == 200
    assert f"{folder} lies in clear now" in said(done)
    assert "evidence/photo-1.jpg" in said(done)
    assert "Nothing was left out." in said(done)
    assert (folder / "evidence" / "photo-1.jpg").read_bytes() == JPEG
    assert CANARY in json.loads((folder / "case.json").read_bytes())["fields"]["description"]
    again = page.post(seen(page, at(ready)), data=form, headers=FORM)
    assert (again.status_code, "is not empty" in said(again)) == (422, True)


@pytest.mark.claim("C-WORK")
def test_what_came_since_the_page_was_made_is_not_written(
    ready: Handing, page: FlaskClient
) -> None:
    address, _ = form_in(page.get(at(ready), headers=FORM).text, "/clear")
    file = ready.reporter.evidence("b.jpg", "image/jpeg", JPEG)
    ready.sync(*ready.reporter.follow_up("more", [file]))
    form = {"in_clear": "yes", "folder": str(ready.folder / "clear")}
    refused = page.post(address, data=form, headers=FORM)
    assert (refused.status_code, "Something has come" in said(refused)) == (422, True)
    assert "3 files, decrypted" in said(refused)
    assert form["folder"] in refused.text
    assert not (ready.folder / "clear").exists()
    assert page.post(at(ready), data=form, headers=FORM).status_code == 422


@pytest.mark.parametrize("inside", ["unfinished", "services", "x/y", "by a link"])
def test_nothing_is_written_in_clear_into_the_desks_own_folder(
    ready: Handing, page: FlaskClient, inside: str
) -> None:
    own = ready.desk.home.folder
    folder = own / inside
    if inside == "by a link":
        link = ready.folder / "elsewhere"
        link.symlink_to(own)
        folder = link / "case"
    address = seen(page, at(ready))
    before = sorted(own.rglob("*"))
    form = {"in_clear": "yes", "folder": str(folder)}
    refused = page.post(address, data=form, headers=FORM)
    assert (refused.status_code, "this desk's own folder" in said(refused)) == (422, True)
    assert sorted(own.rglob("*")) == before
    photo = next(one for one in views(ready.desk, ready.case) if one.name == "photo-1.jpg")
    for write in (
        lambda: export_file(ready.desk, ready.case, photo, folder),
        lambda: transmit(ready.desk, ready.case, Order(folder, UNIT, in_clear=True)),
        lambda: transmit(ready.desk, ready.case, Order(folder, UNIT)),
    ):
        with pytest.raises(DeskError, match="own folder"):
            write()
    assert sorted(own.rglob("*")) == before


def test_what_is_left_out_is_named_with_why(ready: Handing, page: FlaskClient) -> None:
    part = ready.desk.store.part_path(ready.files[0].id, 1)
    raw = bytearray(part.read_bytes())
    raw[-1] ^= 1
    part.write_bytes(raw)
    note = ready.files[1].id.hex()
    facts = {"file": note, "sha256": "ab" * 32, "custodian": "custodian 1", "text": ""}
    ready.act("quarantine", facts)
    form = {"in_clear": "yes", "folder": str(ready.folder / "clear")}
    done = page.post(seen(page, at(ready)), data=form, headers=FORM)
    assert "photo-1.jpg, not what its manifest says" in said(done)
    assert "in quarantine" in said(done)
    assert note[:8] in done.text
    assert list((ready.folder / "clear" / "evidence").iterdir()) == []


def test_originals_that_nobody_cleaned_are_warned_of(handing: Handing) -> None:
    clean = handing.reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    raw = handing.reporter.evidence(
        "photo-1.jpg", "image/jpeg", JPEG, original_of=clean.id, removed=()
    )
    handing.begin(clean, raw)
    assert "originals that nobody cleaned" in said(
        entered(handing.desk).get(at(handing), headers=FORM)
    )


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"folder": "/somewhere"}, "Tick that"),
        ({"in_clear": "yes", "folder": ""}, "Say where"),
        ({"in_clear": "yes", "folder": "here"}, "begins with /"),
        ({"in_clear": "yes", "folder": "/proc/version/x"}, "cannot be written"),
    ],
    ids=["no tick", "no path", "not whole", "no folder"],
)
def test_what_cannot_be_written_is_said_and_comes_back(
    ready: Handing, page: FlaskClient, form: dict[str, str], why: str
) -> None:
    refused = page.post(seen(page, at(ready)), data=form, headers=FORM)
    assert refused.status_code == 422
    assert why in said(refused)
    assert f'value="{form["folder"]}"' in refused.text


def test_a_link_is_not_written_into(ready: Handing, page: FlaskClient) -> None:
    (ready.folder / "true").mkdir()
    (ready.folder / "link").symlink_to(ready.folder / "true")
    form = {"in_clear": "yes", "folder": str(ready.folder / "link")}
    assert "is a link" in said(page.post(seen(page, at(ready)), data=form, headers=FORM))


def test_a_disk_that_fills_up_is_said_and_what_lies_there(
    ready: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export, "_write_json", full)
    with pytest.raises(ExportRefused, match=r"No space left.*lies there, in clear"):
        export_case(ready.desk, ready.case, ready.folder / "clear")


def test_a_custodians_desk_has_nothing_to_write(ready: Handing, tmp_path: Path) -> None:
    world: World = ready.world
    keeper = make_desk(tmp_path / "keeper", world, ready.desk.server, keyring=world.custodians[0])
    synchronise(keeper, Silence())
    page = entered(keeper)
    shown = page.get(at(ready), headers=FORM)
    assert "custodian's desk" in said(shown)
    assert "<button" not in shown.text.split("<main", 1)[1]
    form = {"in_clear": "yes", "folder": str(ready.folder / "clear")}
    refused = page.post(seen(page, at(ready)), data=form, headers=FORM)
    assert (refused.status_code, "custodian's desk" in said(refused)) == (422, True)
    assert not (ready.folder / "clear").exists()
    assert at(ready) not in page.get(at(ready).removesuffix("/clear"), headers=FORM).text
