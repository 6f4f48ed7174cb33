"""Files on the pages: veiled until asked for, counted, made anew; blacked out without a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from desk import acts
from desk.cases import Cases
from desk.errors import RosterNotTrusted
from desk.evidence import open_evidence, views
from desk.pages import sight as pages_of_sight
from desk.pages.app import create_pages
from desk.pages.door import OneTimeLink
from desk.sight import shown
from desk.sight.memory import BREAK_EVERY, Drawn
from desk.sight.veil import PLAIN, Busy, Veils
from tests.desk.sight import kit
from tests.desk.sight.kit import BIND, FORM, OURS
from tests.sanitizer.jailed import needs_seccomp
from tests.sanitizer.test_sight_film import needs_jail

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import Reporter, Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = [needs_seccomp, needs_jail]
WORDS = "Samira took it. Samira Alaoui, 12 rue X."


@pytest.fixture
def page(desk: Desk) -> FlaskClient:
    link = OneTimeLink()
    client = create_pages(desk, BIND, link).test_client()
    client.get(f"/link/{link.token}", headers=OURS)
    return client


@pytest.fixture
def files(reporter: Reporter, sync: Synced) -> dict[str, str]:
    """The path of each file's pages, by what it is."""
    rows: dict[str, Row] = {
        "photo": reporter.evidence("photo-1.jpg", "image/jpeg", kit.picture(size=(1000, 800))),
        "film": reporter.evidence("video-2.mov", "video/quicktime", kit.film()),
        "sound": reporter.evidence("voice-3.mp3", "audio/mpeg", kit.tone()),
        "pdf": reporter.evidence("doc-4.pdf", "application/pdf", kit.document(("One", "Two"))),
        "text": reporter.evidence("note-5.txt", "text/plain", b"see http://evil.example/x"),
        "broken": reporter.evidence("photo-6.jpg", "image/jpeg", b"\xff\xd8junk"),
        "odd": reporter.evidence("file-7.bin", "application/zip", b"PK"),
    }
    sync(*reporter.report(list(rows.values()), description=WORDS, urls=["http://x.example"]))
    case = f"/case/{reporter.case.hex()}"
    return {"case": case} | {name: f"{case}/file/{row.id.hex()}" for name, row in rows.items()}


def get(page: FlaskClient, path: str, **headers: str) -> TestResponse:
    return page.get(path, headers={**OURS, **headers})


def post(page: FlaskClient, path: str, **form: object) -> TestResponse:
    return page.post(path, headers=FORM, data=form)


@pytest.mark.claim("C-PREVIEW")
def test_a_case_page_shows_veils_and_no_byte_of_a_file(
    page: FlaskClient, files: dict[str, str]
) -> None:
    told = get(page, files["case"]).text
    sources = re.findall(r'<(?:img|video|audio)[^>]* src="([^"]+)"', told)
    assert sources
    assert all(
        re.search(r"/(veil\.png|picture-0\.png|clip\.webm|sound\.wav)$", one) for one in sources
    )
    assert all("lazy" in one for one in re.findall(r"<img[^>]*>", told))
    # What is sharp stands in what is closed; nothing plays and nothing is fetched by itself.
    folded = re.findall(r"<details([^>]*)>(.*?)</details>", told, flags=re.DOTALL)
    assert {how for how, inside in folded if "picture-0" in inside or "<video" in inside} == {""}
    outside = re.sub(r"<details.*?</details>", "", told, flags=re.DOTALL)
    assert "picture-0" not in outside
    assert "<video" not in outside
    assert "autoplay" not in told
    assert set(re.findall(r'preload="(\w+)"', told)) == {"none"}
    for name in ("photo", "film", "pdf", "text", "sound", "odd"):
        assert f'href="{files[name]}"' in told
    assert "There is no preview of this kind of file" in told


@pytest.mark.claim("C-PREVIEW")
@pytest.mark.parametrize(
    ("name", "end", "media_type", "begins"),
    [
        ("photo", "veil.png", "image/png", b"\x89PNG"),
        ("photo", "picture-0.png", "image/png", b"\x89PNG"),
        ("film", "veil.png", "image/png", b"\x89PNG"),
        ("film", "picture-0.png", "image/png", b"\x89PNG"),
        ("film", "clip.webm", "video/webm", b"\x1aE\xdf\xa3"),
        ("sound", "sound.wav", "audio/wav", b"RIFF"),
        ("pdf", "picture-1.png", "image/png", b"\x89PNG"),
    ],
)
def test_what_is_fetched_was_made_here_and_can_be_sought(  # noqa: PLR0913, PLR0917 - rows
    page: FlaskClient, files: dict[str, str], name: str, end: str, media_type: str, begins: bytes
) -> None:
    whole = get(page, f"{files[name]}/{end}")
    assert (whole.status_code, whole.mimetype) == (200, media_type)
    assert whole.data.startswith(begins)
    assert whole.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert whole.headers["Cache-Control"] == "no-store"
    piece = get(page, f"{files[name]}/{end}", Range="bytes=2-9")
    assert (piece.status_code, piece.data) == (206, whole.data[2:10])


@pytest.mark.claim("C-PREVIEW")
def test_what_a_page_fetches_by_itself_is_grey_dots(
    page: FlaskClient, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def busy(*_: object) -> None:
            raise Busy

        patch.setattr(Veils, "of", busy)
        answer = get(page, f"{files['photo']}/veil.png")
        assert (answer.status_code, answer.data) == (200, PLAIN.content)
    # One that was plain because others were drawn is drawn when it is asked for again.
    made = kit.opened(get(page, f"{files['photo']}/veil.png").data)
    assert made.size == (16, 12)
    raw = made.tobytes()
    assert raw[::3] == raw[1::3] == raw[2::3]


@pytest.mark.claim("C-PREVIEW")
def test_a_file_that_breaks_its_reader_gets_a_calm_page(
    page: FlaskClient, files: dict[str, str]
) -> None:
    for end in ("veil.png", "picture-0.png", "look/0", "redact/0"):
        answer = get(page, f"{files['broken']}/{end}")
        assert answer.status_code == 422
        assert "There is no preview: what would draw it could not read the file" in answer.text
    # From then on its place on the case's page says so at once.
    told = get(page, files["case"]).text
    assert "could not read the file" in told
    assert f"{files['broken']}/picture-0.png" not in told


def test_each_kind_has_a_page_of_its_own(page: FlaskClient, files: dict[str, str]) -> None:
    assert "hxxp://evil[.]example/x" in get(page, f"{files['text']}/look/0").text
    first, second = (get(page, f"{files['pdf']}/look/{part}").text for part in (0, 1))
    assert 'rel="next"' in first
    assert 'rel="prev"' not in first
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second
    for name in ("photo", "film"):
        assert "picture-0.png" in get(page, f"{files[name]}/look/0").text
    assert "<audio" in get(page, f"{files['sound']}/look/0").text
    odd = get(page, f"{files['odd']}/look/0")
    assert (odd.status_code, shown.NO_KIND in odd.text) == (422, True)


def test_a_file_itself_is_a_download_and_nothing_else(
    page: FlaskClient, files: dict[str, str]
) -> None:
    answer = get(page, files["photo"])
    assert answer.data == kit.picture(size=(1000, 800))
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_what_was_opened_is_counted_and_a_break_is_advised(
    page: FlaskClient, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    get(page, f"{files['photo']}/veil.png")
    assert "opened today" not in get(page, files["case"]).text
    for _ in range(2):
        get(page, f"{files['photo']}/picture-0.png")
    get(page, f"{files['film']}/clip.webm")
    told = get(page, files["case"]).text
    assert "Pictures you have opened today: 2." in told
    assert "Take a break" not in told
    monkeypatch.setattr("desk.sight.memory.BREAK_EVERY", 2)
    assert "Pictures you have opened today: 2. Take a break" in get(page, files["case"]).text
    assert BREAK_EVERY > 2


def test_lock_forgets_what_was_drawn(
    page: FlaskClient, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    really = shown.picture

    def counted(desk: Desk, case: Case, file_id: str, *, part: int) -> shown.Shown:
        drawn.append(file_id)
        return really(desk, case, file_id, part=part)

    monkeypatch.setattr(shown, "picture", counted)
    for _ in range(2):
        get(page, f"{files['photo']}/picture-0.png")
    assert len(drawn) == 1
    made: list[Drawn] = []
    forget = Drawn.forget

    def watched(one: Drawn) -> None:
        made.append(one)
        forget(one)

    monkeypatch.setattr(Drawn, "forget", watched)
    page.post("/lock", headers=FORM)
    (memory,) = made
    assert not memory._held


@pytest.mark.claim("C-LOCK")
def test_a_picture_that_is_being_drawn_when_lock_is_pressed_does_not_go_out(
    page: FlaskClient, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = shown.picture
    view: Any = page.application.view_functions["picture"]
    other = page.application.test_client()
    other._cookies = page._cookies

    def locked_meanwhile(desk: Desk, case: Case, file_id: str, *, part: int) -> shown.Shown:
        assert other.post("/lock", headers=FORM).status_code == 200
        return really(desk, case, file_id, part=part)

    monkeypatch.setattr(shown, "picture", locked_meanwhile)
    answer = get(page, f"{files['photo']}/picture-0.png")
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "This page is locked" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert not view.__self__.drawn._held


@pytest.mark.claim("C-LOCK")
@pytest.mark.parametrize("path", ["", "/look/0", "/picture-0.png", "/redacted-0.png?boxes=1,1,9,9"])
def test_no_answer_that_was_begun_before_lock_goes_out_after_it(
    page: FlaskClient, files: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    assert get(page, f"{files['photo']}{path}").status_code == 200
    other = page.application.test_client()
    other._cookies = page._cookies
    really = Cases.find

    def locked_meanwhile(cases: Cases, ref: str) -> Case:
        assert other.post("/lock", headers=FORM).status_code == 200
        return really(cases, ref)

    monkeypatch.setattr(Cases, "find", locked_meanwhile)
    answer = get(page, f"{files['photo']}{path}")
    assert (answer.status_code, "This page is locked" in answer.text) == (401, True)
    view: Any = page.application.view_functions["picture"]
    assert not view.__self__.drawn._held


# --- blacking out


@pytest.mark.claim("C-REDACTED")
def test_a_box_is_set_by_two_clicks_seen_and_signed(
    desk: Desk, page: FlaskClient, files: dict[str, str], read: Read
) -> None:
    path = f"{files['photo']}/redact/0"
    first = get(page, path).text
    assert 'type="image" name="at" width="800" height="640"' in first
    # 1000 pixels are shown as 800: a click at 80 is at 100.
    one = post(page, path, **{"boxes": "", "corner": "", "at.x": "80", "at.y": "160"}).text
    assert 'name="corner" value="100,200"' in one
    two = post(page, path, **{"boxes": "", "corner": "100,200", "at.x": "40", "at.y": "240"}).text
    assert 'name="boxes" value="50,200,50,100"' in two
    source = re.search(r'src="([^"]+redacted-0.png[^"]*)"', two)
    assert source is not None
    seen = kit.opened(get(page, source[1].replace("&amp;", "&")).data)
    assert (seen.getpixel((75, 250)), seen.getpixel((500, 500)) != (0, 0, 0)) == ((0, 0, 0), True)
    done = post(page, path, boxes="50,200,50,100", corner="", sign="1")
    assert (done.status_code, done.headers["Location"]) == (303, files["case"])
    told = get(page, files["case"]).text
    assert "The redacted copy was signed and sent." in told
    assert "Redacted copies" in told
    (copy,) = [one for one in views(desk, read()) if one.is_copy]
    assert f'{copy.id}/picture-0.png"' in told
    assert b"".join(open_evidence(desk, read(), copy.id).whole())[:4] == b"\x89PNG"


def test_a_box_is_set_by_numbers_and_taken_back(page: FlaskClient, files: dict[str, str]) -> None:
    path = f"{files['photo']}/redact/0"
    two = post(page, path, boxes="1,2,3,4", corner="", add="1", x="10", y="20", w="30", h="40").text
    assert 'value="1,2,3,4;10,20,30,40"' in two
    assert (
        'name="boxes" value="1,2,3,4"'
        in post(page, path, boxes="1,2,3,4;10,20,30,40", corner="", undo="1").text
    )
    cleared = post(page, path, boxes="1,2,3,4", corner="5,5", undo="1").text
    assert 'name="boxes" value="1,2,3,4"' in cleared
    assert 'name="corner" value=""' in cleared


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize(
    "begun",
    [
        {"corner": "100,100"},
        {"x": "100", "y": "90", "w": "50", "h": "40"},
        {"w": "50"}, {"h": "040"}, {"x": "7"}, {"y": " 7"}, {"w": "z"},
    ],
    ids=["corner", "all", "width", "height", "left", "top", "letters"],
)  # fmt: skip
def test_a_box_that_was_begun_and_not_added_is_not_passed_over(
    page: FlaskClient, files: dict[str, str], read: Read, begun: dict[str, str]
) -> None:
    path, form = f"{files['photo']}/redact/0", {"boxes": "1,1,5,5", **begun}
    said = post(page, path, **form, sign="1")
    assert said.status_code == 422
    assert "A box was begun and not added: add it, or take it back." in said.text
    assert 'name="boxes" value="1,1,5,5"' in said.text
    assert not read().work.of(acts.REDACTION)
    # It can be taken back, and the box that was added stays.
    back = post(page, path, **form, undo="1").text
    assert 'name="boxes" value="1,1,5,5"' in back
    assert _fields(back) == {"x": "0", "y": "0", "w": "0", "h": "0", "corner": ""}
    assert post(page, path, boxes="1,1,5,5", **_fields(back), sign="1").status_code == 303


@pytest.mark.claim("C-REDACTED")
def test_what_was_typed_of_a_box_comes_back_until_it_is_added(
    page: FlaskClient, files: dict[str, str]
) -> None:
    path = f"{files['photo']}/redact/0"
    typed = {"x": "100", "y": "90", "w": "50", "h": "40"}
    for pressed in ({"sign": "1"}, {"at.x": "5", "at.y": "5"}):
        shown = _fields(post(page, path, boxes="1,1,5,5", **typed, **pressed).text)
        assert shown.items() >= typed.items()
    lone = post(page, path, boxes="", **typed, sign="1").text
    assert 'value="1">Take the last one back' in lone
    added = post(page, path, boxes="1,1,5,5", **typed, add="1").text
    assert 'name="boxes" value="1,1,5,5;100,90,50,40"' in added
    assert set(_fields(added).values()) == {"0", ""}


def _fields(shown: str) -> dict[str, str]:
    """What the form would send of a box that is begun."""
    found = {name: re.search(rf'name="{name}"[^>]* value="([^"]*)"', shown) for name in "xywh"}
    corner = re.search('name="corner" value="([^"]*)"', shown)
    return {name: one[1] for name, one in {**found, "corner": corner}.items() if one}


def test_a_corner_that_is_set_is_marked_on_the_picture(
    page: FlaskClient, files: dict[str, str]
) -> None:
    path = f"{files['photo']}/redacted-0.png"
    plain, marked = (kit.opened(get(page, path + end).data) for end in ("", "?corner=500,500"))
    assert plain.getpixel((503, 503)) != marked.getpixel((503, 503)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"boxes": "", "sign": "1"}, "Nothing is blacked out"),
        ({"boxes": "", "add": "1"}, "A box has a width"),
        ({"boxes": "5000,1,1,1", "sign": "1"}, "beside the picture"),
        ({"boxes": "", "corner": "1,1", "add": "1", "x": "z"}, "A box is x,y"),
    ],
    ids=["nothing", "empty", "beside", "letters"],
)
def test_a_form_that_means_no_copy_comes_back_with_its_reason(
    page: FlaskClient, files: dict[str, str], form: dict[str, str], words: str, read: Read
) -> None:
    answer = post(page, f"{files['photo']}/redact/0", **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.parametrize("boxes", ["x", "1,2,3", ";".join(["1,2,3,4"] * 65)])
def test_boxes_that_no_page_of_ours_sends_are_refused(
    page: FlaskClient, files: dict[str, str], boxes: str
) -> None:
    answer = post(page, f"{files['photo']}/redact/0", boxes=boxes)
    assert (answer.status_code, answer.mimetype) == (422, "text/html")


def test_a_click_beside_the_picture_is_at_its_edge() -> None:
    assert pages_of_sight._place("9999", 1000, 800) == 998
    assert pages_of_sight._place(None, 1000, 800) == 0
    assert pages_of_sight._place("x", 1000, 800) == 0
    assert pages_of_sight._clicked([], "", (3, 4)) == ([], "3,4")
    assert pages_of_sight._clicked([], "bad", (3, 4)) == ([], "3,4")
    assert pages_of_sight._clicked([], "3,4", (3, 4))[0] == [(3, 4, 1, 1)]


@pytest.mark.claim("C-REDACTED")
def test_words_of_an_answer_are_chosen_seen_and_signed(
    desk: Desk, page: FlaskClient, files: dict[str, str], read: Read
) -> None:
    path = f"{files['case']}/answers/description/redact"
    assert f'href="{path}"' in get(page, files["case"]).text
    assert "/answers/urls/redact" not in get(page, files["case"]).text
    assert get(page, path).text.count('name="word"') == len(WORDS.split())
    look = post(page, path, word=["3", "4", "x", "99999"], phrase="rue X").text
    assert "Samira took it. ▮▮▮ " in re.sub(r"</?bdi[^>]*>", "", look)
    assert look.count(" checked") == 3
    nothing = post(page, path, sign="1")
    assert (nothing.status_code, "none of these words" in nothing.text) == (422, True)
    looked = post(page, path, word=["3", "4"], phrase="")
    done = post(page, path, word=["3", "4"], phrase="", seen=seen(looked), sign="1")
    assert done.status_code == 303
    (copy,) = [one for one in views(desk, read()) if one.is_copy]
    assert shown.words(desk, read(), copy.id) == "Samira took it. ▮▮▮ 12 rue X."
    assert "A redacted copy of the answer" in get(page, files["case"]).text
    assert get(page, f"{files['case']}/answers/urls/redact").status_code == 422


@pytest.mark.claim("C-REDACTED")
def test_a_copy_that_was_not_shown_is_shown_and_not_signed(
    desk: Desk, page: FlaskClient, files: dict[str, str], read: Read
) -> None:
    path = f"{files['case']}/answers/description/redact"
    first = get(page, path)
    blind = post(page, path, phrase="samira", seen=seen(first), sign="1")
    assert (blind.status_code, "Look at it below" in blind.text) == (422, True)
    assert "▮▮▮ took it. ▮▮▮ Alaoui, 12 rue X." in re.sub(r"</?bdi[^>]*>", "", blind.text)
    assert "found 2 times" in blind.text
    assert read().work.of(acts.REDACTION) == ()
    # What comes back has its words chosen as well: it is the copy that was shown.
    chosen = re.findall(r'value="(\d+)" checked', blind.text)
    assert post(page, path, word=chosen, phrase="samira", seen=seen(blind), sign="1").location
    (copy,) = [one for one in views(desk, read()) if one.is_copy]
    assert shown.words(desk, read(), copy.id) == "▮▮▮ took it. ▮▮▮ Alaoui, 12 rue X."


@pytest.mark.claim("C-REDACTED")
def test_a_phrase_that_stands_nowhere_is_told_and_nothing_is_signed(
    page: FlaskClient, files: dict[str, str], read: Read
) -> None:
    path = f"{files['case']}/answers/description/redact"
    looked = post(page, path, word=["0"], phrase="Samyra")
    assert (looked.status_code, "This stands nowhere in it" in looked.text) == (422, True)
    signed = post(page, path, word=["0"], phrase="Samyra", seen=seen(looked), sign="1")
    assert signed.status_code == 422
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.claim("C-REDACTED")
def test_a_message_is_blacked_out_as_an_answer_is(  # noqa: PLR0913, PLR0917 - all of it
    desk: Desk, page: FlaskClient, files: dict[str, str], reporter: Reporter, sync: Synced,
    read: Read,
) -> None:  # fmt: skip
    sync(*reporter.follow_up("My name is Samira."))
    message = read().follow_ups[0].envelope.id.hex()
    path = f"{files['case']}/answers/message:{message}/redact"
    assert f'href="{path}"' in get(page, files["case"]).text
    looked = post(page, path, phrase="Samira")
    assert "In message" in looked.text
    assert post(page, path, phrase="Samira", seen=seen(looked), sign="1").status_code == 303
    (copy,) = [one for one in views(desk, read()) if one.is_copy]
    assert shown.words(desk, read(), copy.id) == "My name is ▮▮▮."
    told = re.sub(r"</?bdi[^>]*>", "", get(page, files["case"]).text)
    assert "A redacted copy of message 1." in told
    assert f"made a redacted copy of message {message[:8]}" in told


def seen(answer: TestResponse) -> str:
    """Which copy a page showed."""
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', answer.text)
    assert found is not None
    return found[1]


def test_without_a_roster_the_page_still_reads_and_offers_no_act(
    page: FlaskClient, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> tuple[str, ...]:
        raise RosterNotTrusted("none")

    monkeypatch.setattr(pages_of_sight, "custodians", none)
    told = get(page, files["case"])
    assert (told.status_code, "Put it in quarantine" in told.text) == (200, False)


def test_an_act_that_waits_says_so(
    page: FlaskClient, files: dict[str, str], server: object
) -> None:
    server.answers["/v1/envelopes"] = (503, b"")  # type: ignore[attr-defined]  # the fake's
    post(page, f"{files['photo']}/redact/0", boxes="1,2,30,40", sign="1")
    assert "it goes out at the next sync" in get(page, files["case"]).text
