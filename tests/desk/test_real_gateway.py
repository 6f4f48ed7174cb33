"""The desk against the real sync application, with a report that the real site sealed."""

from __future__ import annotations

import io
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from werkzeug.serving import make_server

from desk.cases import Cases
from desk.desk import Desk, enrol
from desk.evidence import open_evidence
from desk.keyring import Keyring
from desk.outbox import answer
from desk.progress import Silence
from desk.sync import synchronise
from desk.work import set_state
from gateway.sync.app import create_sync
from tests.desk.world import make_home
from tests.support.rehearsal import Rehearsal, make_rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running(rehearsal: Rehearsal) -> Iterator[str]:
    app = create_sync(config=rehearsal.config, vault=rehearsal.vault, rosters=rehearsal.rosters)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def desk_of(rehearsal: Rehearsal, number: int, folder: Path, url: str) -> Desk:
    one = rehearsal.operators[number]
    ring = Keyring(label=one.label, key=one.evidence, sign=one.sign, api=one.api)
    home = make_home(folder, ring)
    enrol(home, ring, url, rehearsal.root_public.to_text())
    return Desk.open(home, ring)


def sent_from_the_site(rehearsal: Rehearsal) -> None:
    """A report with a photo, by the forms that the site serves."""
    site = rehearsal.site_client()
    same = {"Sec-Fetch-Site": "same-origin"}
    form = site.post("/en/write", data={"category": "fraud", "danger_now": "no"}, headers=same).text
    token = re.search(r'name="token" value="([^"]+)"', form)
    assert token, form
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, "JPEG")
    picture.seek(0)
    answered = site.post(
        "/en/send",
        data={
            "token": token[1],
            "action": "send",
            "role": "victim",
            "description": "They took my money and left.",
            "scam_type": "romance",
            "money_lost": "yes",
            "identity_mode": "anonymous",
            "notice_read": "yes",
            "evidence": (picture, "IMG_20260101_101112.jpg"),
        },
        headers=same,
    )
    assert "receipt-code" in answered.text, answered.text


@pytest.mark.claim("C-NAMES")
def test_a_report_from_the_site_is_read_worked_and_answered_at_two_desks(tmp_path: Path) -> None:
    rehearsal = make_rehearsal(tmp_path / "gateway")
    sent_from_the_site(rehearsal)
    with running(rehearsal) as url:
        one = desk_of(rehearsal, 0, tmp_path / "one", url)
        two = desk_of(rehearsal, 1, tmp_path / "two", url)
        assert synchronise(one, Silence()).alarms == []
        (case,) = Cases(one).all()
        assert case.fields["description"] == "They took my money and left."
        assert case.alarms == ()
        file = open_evidence(one, case, case.files[0].ref.id.hex())
        assert file.manifest.name == "photo-1.jpg"
        Image.open(io.BytesIO(b"".join(file.whole()))).load()
        assert answer(one, case, "Which bank?")
        assert set_state(one, Cases(one).find(case.ref), "triage")
        assert synchronise(two, Silence()).alarms == []
        (seen,) = Cases(two).all()
        assert (seen.state, seen.unanswered, seen.alarms) == ("triage", False, ())
        assert [message.body.text for message in seen.messages] == ["Which bank?"]
        again = synchronise(one, Silence())
        assert (again.envelopes, again.alarms) == (0, [])
