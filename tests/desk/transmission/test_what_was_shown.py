"""What is handed over is what the page showed, and of the case as it is at that moment."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from crypto.manifest import WITHDRAWAL
from crypto.package_opening import ServicePrivateKey
from desk import work
from desk.cases import Cases
from desk.client import SyncClient
from desk.custody import agreed_to
from desk.errors import ActRefused, CaseMoved
from desk.progress import Silence
from desk.sending import Sent
from desk.sync import synchronise
from desk.transmission import services
from desk.transmission.possible import Order
from desk.transmission.transmit import transmit
from tests.desk.custody.conftest import Office, office, world
from tests.desk.custody.test_pages import browser, uploaded
from tests.desk.forms import OURS, form_in, press
from tests.desk.transmission.conftest import SERVICE, UNIT
from tests.desk.world import JPEG

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

    from desk.desk import Desk

__all__ = ["office", "world"]
OTHER = ServicePrivateKey(bytes([9]) * 32)
PLEA = "Do NOT give this to that unit: my brother works there."


@pytest.fixture
def mine(office: Office) -> Desk:
    """Operator 1's desk, of a case that operator 2 made ready, the service's key brought in."""
    theirs = office.desk("operator 2")
    for state in ("triage", "assessment"):
        work.set_state(theirs, office.case("operator 2"), state)
    work.set_state(
        theirs, office.case("operator 2"), "ready", service=UNIT.service, basis=UNIT.basis
    )
    desk = office.desk("operator 1")
    services.bind(desk, UNIT.service, SERVICE.public)
    return desk


def at(office: Office) -> str:
    return f"/case/{office.reporter.case.hex()}/transmission"


def said(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def nothing_went(office: Office, mine: Desk) -> bool:
    left = list(mine.home.packages.glob("*")) if mine.home.packages.exists() else []
    return office.case("operator 1").state == "ready" and not left


@pytest.mark.claim("C-WORK")
def test_what_came_since_the_page_was_made_is_shown_and_nothing_is_handed_over(
    office: Office, mine: Desk
) -> None:
    client = browser(office, "operator 1")
    before = client.get(at(office), headers=OURS).text
    address, hidden = form_in(before, "/send")
    assert "Since its state was set" not in before
    photo = office.reporter.evidence("photo.jpg", "image/jpeg", JPEG)
    office.server.put(*office.reporter.follow_up(PLEA, [photo]))
    office.desk("operator 1")
    folder = "~/print"
    refused = client.post(
        address, headers=OURS,
        data={**hidden, "folder": folder, "in_clear": "yes"},
    )  # fmt: skip
    assert refused.status_code == 422
    for shown in ("Something has come to this case", PLEA, "With 1 file", "Since its state"):
        assert shown in said(refused)
    assert folder in refused.text
    assert nothing_went(office, mine)
    # Whoever has read it sends it again.
    assert press(client, at(office), "/send").status_code == 303


@pytest.mark.claim("C-WORK")
def test_a_colleague_who_names_another_service_meanwhile_is_not_overtaken(
    office: Office, mine: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = next(one for one in mine.rules.services.values() if one.id != UNIT.service)
    services.bind(mine, other.id, OTHER.public)
    client = browser(office, "operator 1")
    address, hidden = form_in(client.get(at(office), headers=OURS).text, "/send")
    theirs = office.desk("operator 2")
    work.set_state(theirs, office.case("operator 2"), "assessment")
    work.set_state(
        theirs, office.case("operator 2"), "ready", service=other.id, basis=other.bases[0]
    )
    now = office.desk("operator 1")
    refused = client.post(address, headers=OURS, data=hidden)
    assert refused.status_code == 422
    assert nothing_went(office, now)
    # Not even where the address is right and the rest is not.
    fresh = f"{at(office)}/send?seen={office.case('operator 1').seen}"
    refused = client.post(fresh, headers=OURS, data=hidden)
    assert (refused.status_code, "named another service" in said(refused)) == (422, True)
    order = Order(now.home.folder.parent / "x", UNIT)
    with pytest.raises(ActRefused, match="for this service and on this basis"):
        transmit(now, office.case("operator 1"), order)
    # Where an institution's rules ask for no second operator, it is the same.
    monkeypatch.setattr("desk.transmission.possible.reasons_against", lambda *_: ())
    with pytest.raises(ActRefused, match="named another service"):
        transmit(now, office.case("operator 1"), order)
    assert nothing_went(office, now)


@pytest.mark.parametrize("shown", ["another", "none", "no key at all"])
@pytest.mark.claim("C-WORK")
def test_a_key_that_was_not_shown_is_sealed_to_by_nobody(
    office: Office, mine: Desk, shown: str
) -> None:
    client = browser(office, "operator 1")
    if shown == "none":
        (mine.home.services / f"{UNIT.service}.pub").unlink()
    address, hidden = form_in(client.get(at(office), headers=OURS).text, "/send")
    assert (f"key-{UNIT.service}" in hidden) == (shown != "none")
    if shown == "no key at all":
        del hidden[f"key-{UNIT.service}"]
    else:
        services.bind(mine, UNIT.service, OTHER.public)
    refused = client.post(address, headers=OURS, data=hidden)
    assert refused.status_code == 422
    assert "not the one that was shown" in said(refused)
    assert nothing_went(office, mine)
    assert press(client, at(office), "/send").status_code == 303


def test_a_form_that_says_nothing_of_what_it_showed_hands_nothing_over(
    office: Office, mine: Desk
) -> None:
    client = browser(office, "operator 1")
    _, hidden = form_in(client.get(at(office), headers=OURS).text, "/send")
    assert client.post(f"{at(office)}/send", headers=OURS, data=hidden).status_code == 422
    assert nothing_went(office, mine)


def test_the_fast_lane_shows_each_key_and_is_bound_to_the_chosen_one(
    office: Office,
) -> None:
    desk = office.desk("operator 1")
    services.bind(desk, UNIT.service, SERVICE.public)
    for state in ("triage", "imminent"):
        work.set_state(desk, office.case("operator 1"), state)
    client = browser(office, "operator 1")
    page = client.get(at(office), headers=OURS).text
    address, hidden = form_in(page, "/send")
    assert services.found(desk, UNIT.service).fingerprint in page
    chosen = {**hidden, "service": UNIT.service, "basis": UNIT.basis}
    services.bind(desk, UNIT.service, OTHER.public)
    assert client.post(address, headers=OURS, data=chosen).status_code == 422
    services.bind(desk, UNIT.service, SERVICE.public)
    assert client.post(address, headers=OURS, data=chosen).status_code == 303


@pytest.mark.usefixtures("mine")
def test_letters_that_were_uploaded_come_back_as_text(office: Office) -> None:
    asked = office.ask()
    yes = office.yes(1, asked.text)
    office.desk("operator 1")
    client = browser(office, "operator 1")
    refused = press(client, at(office), "/send", answers=uploaded(yes), pasted="above")
    assert refused.status_code == 422
    (pasted,) = re.findall(r'name="pasted"[^>]*>(.*?)</textarea>', refused.text, re.DOTALL)
    assert html.unescape(pasted).replace("\r\n", "\n").strip() == f"above\n{yes}".strip()


def during_the_no(office: Office, patch: pytest.MonkeyPatch, text: str, **body: Any) -> None:
    """While a custodian's no is being filed, a sync brings a message of the reporter."""
    desk = office.desks["operator 1"]
    told: list[str] = []
    real = SyncClient.post

    def slow(self: SyncClient, *given: Any) -> None:
        real(self, *given)
        if not told:
            told.append(text)
            office.server.put(*office.reporter.follow_up(text, body_changes=body))
            synchronise(desk, Silence())

    patch.setattr(SyncClient, "post", slow)
    # That is behind the lock which the filing holds: a sync by itself waits for it in a thread.
    patch.setattr("desk.sync.send_waiting", lambda _, **__: Sent())


@pytest.mark.parametrize("face", ["the pages", "the command line"])
@pytest.mark.parametrize("text", ["", PLEA], ids=["withdrawn", "written"])
def test_what_comes_while_a_no_is_filed_is_a_reason_to_stop(
    office: Office, mine: Desk, monkeypatch: pytest.MonkeyPatch, face: str, text: str
) -> None:
    body = {} if text else {"type": WITHDRAWAL}
    asked = office.ask()
    answers = [*(office.yes(number, asked.text) for number in (1, 2)), office.no(3, asked.text)]
    case, client = office.case("operator 1"), browser(office, "operator 1")
    during_the_no(office, monkeypatch, text, **body)
    if face == "the pages":
        told = said(press(client, at(office), "/send", answers=uploaded(*answers)))
    else:
        with pytest.raises(CaseMoved) as stopped:
            agreed_to(mine, case, asked.id, answers)
        told = str(stopped.value)
    assert "Something came to this case while a custodian's refusal was written" in told
    now = Cases(mine).find(case.id.hex())
    assert [one.body.type for one in now.work.entries][-1] == "identity_refused"
    assert nothing_went(office, mine)
    # It is shown now; the request is not used up, and where nothing stands against it, it goes.
    monkeypatch.undo()
    page = client.get(at(office), headers=OURS)
    assert (text in said(page)) if text else ("asks that this be erased" in said(page))
    if text:
        again = press(client, at(office), "/send", answers=uploaded(*answers))
        assert again.status_code == 303


def test_the_case_is_asked_as_it_is_after_the_letters_were_filed(
    office: Office, mine: Desk, tmp_path: Path
) -> None:
    """Whatever case a caller holds: the one of before says nothing of a withdrawal."""
    asked = office.ask()
    office.desk("operator 1")
    before = office.case("operator 1")
    office.server.put(*office.reporter.follow_up("", body_changes={"type": WITHDRAWAL}))
    office.desk("operator 1")
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    agreed = agreed_to(mine, office.case("operator 1"), asked.id, answers)
    with pytest.raises(ActRefused, match="asks that this be erased"):
        transmit(mine, before, Order(tmp_path / "x.amana", UNIT, agreed=agreed))
