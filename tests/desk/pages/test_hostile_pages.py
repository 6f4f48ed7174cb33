"""What others wrote stands on a page as text: visible to its last character, and isolated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from crypto.header import Kind
from crypto.manifest import EntryBody
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from tests.desk.world import JPEG

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import Reporter, Row, World

    Synced = Callable[..., SyncReport]

BIND = Bind("127.0.0.1", 8002)
OURS = {"Host": "127.0.0.1:8002"}
BAD = "\u202e\x1b[2J\x07\u200b\u00ad\U000e0041"
RAW = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u00ad\x00-\x08\x0b-\x1f\U000e0000-\U000e007f]")


def hostile(world: World, reporter: Reporter) -> list[Row]:
    """A case in which everything that is not ours is bad."""
    photo = reporter.evidence(f"n{BAD}.jpg", f"x/{BAD}", JPEG, removed=(f"gps{BAD}",))
    answers: dict[str, Any] = {f"f{BAD}": f"v{BAD}", "description": BAD}
    return [
        *reporter.report([photo], category=f"c{BAD}", **answers),
        *reporter.follow_up(f"said{BAD}", body_changes={"language": f"l{BAD}"}),
        world.entry(reporter.case, f"s{BAD}"),
        world.by_operator(Kind.ENTRY, reporter.case, EntryBody(type=f"t{BAD}", data={}).to_json()),
        world.reply(reporter.case, f"answered{BAD}", reporter.reply_key),
    ]


def test_no_page_holds_a_character_that_moves_turns_or_hides(
    page: FlaskClient, world: World, sync: Synced, reporter: Reporter
) -> None:
    sync(*hostile(world, reporter))
    for path in ("/", f"/case/{reporter.case.hex()}"):
        shown = page.get(path, headers=OURS)
        assert shown.status_code == 200
        assert not RAW.search(shown.text), path
        # The positive control: it was there to be found, and is made visible.
        assert "\\u202e\\u001b[2J\\u0007" in shown.text


def test_names_that_others_wrote_stand_isolated(
    page: FlaskClient, world: World, sync: Synced, reporter: Reporter
) -> None:
    sync(*hostile(world, reporter))
    for path in ("/", f"/case/{reporter.case.hex()}"):
        shown = page.get(path, headers=OURS).text
        for found in re.finditer(r"\\u202e", shown):
            before = shown[: found.start()]
            isolated = before.rfind("<bdi") > before.rfind("</bdi>")
            attribute = before.rfind('="') > before.rfind(">")
            assert isolated or attribute, shown[found.start() - 80 : found.end() + 20]


def test_an_operators_own_words_come_back_to_the_letter(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    typed = "\u200fنعم\u200c <b>" + "x" * 20_001
    form = {**OURS, "Origin": BIND.origin}
    path = f"/case/{reporter.case.hex()}/answer"
    back = page.post(path, headers=form, data={"text": typed})
    assert back.status_code == 422
    assert "\u200fنعم\u200c &lt;b&gt;x" in back.text


def test_a_page_written_without_care_is_filtered_all_the_same(desk: Desk) -> None:
    app = create_pages(desk, BIND, OneTimeLink())
    page = app.jinja_env.from_string("{{ name }}{{ number }}{{ made }}")
    shown = page.render(name=f"<b>{BAD}", number=7, made=Markup("<i>"))
    assert not RAW.search(shown)
    assert shown == "&lt;b&gt;\\u202e\\u001b[2J\\u00077<i>"
