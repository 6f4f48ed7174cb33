"""The script that sends files in pieces, in a real browser, over a line that breaks."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from crypto.pieces import CHUNK_BYTES
from tests.gateway.site.test_browser import begin
from tests.support.browser import LEFT_TO_RIGHT
from tests.support.media import big_video, phone_photo
from tests.support.site import COMMON, Writer, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.support.rehearsal import Rehearsal

CANARY = b"CANARY-7f3a91"
PHOTO = phone_photo(CANARY, width=64, height=48)
MIB = 1024 * 1024
TEXT = str(COMMON["description"])


@dataclass(slots=True)
class Line:
    """A proxy between browser and site: it can be cut after so many bytes, or be down."""

    port: int
    target: int
    cuts: list[int] = field(default_factory=list)
    down: bool = False
    cut: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                if self.down:
                    client.close()
                    continue
                site = socket.create_connection(("127.0.0.1", self.target))
                self._open += [client, site]
                for source, sink, upward in ((client, site, True), (site, client, False)):
                    threading.Thread(
                        target=self._carry, args=(source, sink, upward), daemon=True
                    ).start()

    def break_all(self) -> None:
        """Cut every connection that there is."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _carry(self, source: socket.socket, sink: socket.socket, upward: bool) -> None:  # noqa: FBT001 # one of two directions
        carried = 0
        with contextlib.suppress(OSError):
            while data := source.recv(16 * 1024):
                carried += len(data)
                if upward and self.cuts and carried > self.cuts[0]:
                    sink.sendall(data[: self.cuts.pop(0) - carried])
                    self.cut += 1
                    break
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo on the person's phone."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    return path


@pytest.fixture
def line(rehearsal: Rehearsal) -> Iterator[Line]:
    """A running site behind a line that breaks."""
    server = make_server("127.0.0.1", 0, rehearsal.site(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0))
    made = Line(listener.getsockname()[1], server.port)
    threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
    yield made
    listener.close()
    made.break_all()
    server.shutdown()


@pytest.fixture
def page(browser: Browser, line: Line) -> Iterator[Page]:
    """A narrow window; what the browser itself complains of fails the test."""
    context = browser.new_context(
        viewport={"width": 360, "height": 800}, base_url=f"http://127.0.0.1:{line.port}"
    )
    made = context.new_page()
    complaints: list[str] = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on(
        "console",
        lambda said: complaints.append(said.text) if "Security Policy" in said.text else None,
    )
    yield made
    context.close()
    assert complaints == []


def write(page: Page, lang: str = "en") -> None:
    """Begin a report, and type."""
    begin(page, lang, "fraud")
    page.fill("textarea[name=description]", TEXT)


def choose(page: Page, *paths: Path) -> None:
    page.set_input_files("#i-evidence", [str(one) for one in paths])


def send(page: Page) -> None:
    """Answer what is needed, and send the form."""
    for name, value in (
        ("role", "victim"),
        ("scam_type", "romance"),
        ("money_lost", "no"),
        ("identity_mode", "anonymous"),
    ):
        page.check(f'input[name={name}][value="{value}"]')
    page.check("input[name=notice_read]")
    page.click('button[name=action][value="send"]')


def done(page: Page, count: int = 1) -> None:
    expect(page.locator("#sending input[name=drop]:visible")).to_have_count(count, timeout=60_000)


def contents(rehearsal: Rehearsal) -> list[bytes]:
    return [content for _, content in rehearsal.evidence(rehearsal.only_case())]


def spooled(rehearsal: Rehearsal) -> int:
    return sum(one.stat().st_size for one in rehearsal.config.spool.glob("*.pieces"))


@pytest.mark.claim("C-RESUME")
@pytest.mark.claim("C-TYPED")
def test_a_film_arrives_whole_over_a_line_that_is_cut_again_and_again(
    page: Page, line: Line, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    film = tmp_path / "Samira's iPhone.mp4"
    big_video(film, 6 * MIB)
    pieces: list[str] = []
    page.on("request", lambda request: pieces.append(request.url))
    write(page)
    # In the head, in the ticket, in the middle of a piece, and at its last byte.
    line.cuts = [100, 900, 200_000, 256 * 1024 + 700, 70_000]
    line.break_all()
    choose(page, film)
    done(page)
    assert line.cut == 5
    assert len(pieces) > 10
    assert page.input_value("textarea[name=description]") == TEXT
    listed = page.locator("#sending li").inner_text()
    assert "video-1.mp4" in listed
    assert "arrived, cleaned and sealed" in listed
    send(page)
    page.wait_for_selector("#receipt-code")
    (in_pieces,) = contents(rehearsal)
    # The very file that a form without a script makes of it.
    first = rehearsal.only_case()
    writer = Writer(rehearsal.site_client())
    code_of(writer.send(writer.begin(), files=(("a.mp4", film.read_bytes()),)))
    (other,) = {one.case for one in rehearsal.stored()} - {first}
    ((_, in_a_form),) = rehearsal.evidence(other)
    assert in_pieces == in_a_form
    assert list(rehearsal.config.spool.iterdir()) == []
    assert {re.sub(r"https?://[^/]*", "", one) for one in pieces} <= {
        "/en/begin", "/en/piece", "/en/whole", "/en/drop",
        "/en/", "/en/write", "/en/send", "/style.css", "/exit.js", "/send.js",
    }  # fmt: skip


@pytest.mark.claim("C-RESUME")
def test_somebody_pauses_goes_offline_comes_back_and_goes_on(
    page: Page, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    big_video(film, 3 * MIB)
    write(page)
    network = page.context.new_cdp_session(page)

    def throughput(rate: int, *, offline: bool = False) -> None:
        network.send(
            "Network.emulateNetworkConditions",
            {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate},
        )

    throughput(600_000)
    choose(page, film)
    row = page.locator("#sending li")
    expect(row.locator("[data-part=text]")).to_contain_text("less than a minute", timeout=20_000)
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused")
    went = spooled(rehearsal)
    assert went > CHUNK_BYTES
    page.wait_for_timeout(700)
    assert spooled(rehearsal) <= went + MIB
    still = spooled(rehearsal)
    page.wait_for_timeout(500)
    assert spooled(rehearsal) == still
    throughput(0, offline=True)
    row.get_by_role("button", name="Go on").click()
    expect(row).to_contain_text("The connection was cut")
    throughput(-1)
    done(page)
    send(page)
    page.wait_for_selector("#receipt-code")
    assert len(contents(rehearsal)) == 1


@pytest.mark.claim("C-RESUME")
def test_whoever_gives_up_leaves_nothing(page: Page, rehearsal: Rehearsal, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    big_video(film, 2 * MIB)
    write(page)
    page.route("**/en/whole", lambda route: route.abort())
    choose(page, film)
    expect(page.locator("#sending li")).to_contain_text("The connection was cut", timeout=20_000)
    assert spooled(rehearsal) > 2 * MIB
    with page.expect_request("**/en/drop"):
        page.locator("#sending li").get_by_role("button", name="Remove").click()
    gone(page, rehearsal)
    assert page.locator("#sending li").count() == 0
    # Leaving the page does the same.
    choose(page, film)
    expect(page.locator("#sending li")).to_contain_text("The connection was cut", timeout=20_000)
    assert spooled(rehearsal) > 2 * MIB
    page.goto("/en/device")
    gone(page, rehearsal)


def gone(page: Page, rehearsal: Rehearsal) -> None:
    for _ in range(50):
        if not list(rehearsal.config.spool.iterdir()):
            return
        page.wait_for_timeout(100)
    raise AssertionError(list(rehearsal.config.spool.iterdir()))


@pytest.mark.claim("C-TYPED")
def test_a_form_is_held_while_a_file_is_under_way_and_the_text_is_not_lost(
    page: Page, rehearsal: Rehearsal, photo: Path
) -> None:
    write(page)
    page.route("**/en/piece", lambda route: route.abort())
    choose(page, photo)
    expect(page.locator("#sending li")).to_contain_text("The connection was cut")
    send(page)
    expect(page.locator("#sending [role=status]")).to_contain_text("still on its way")
    assert page.input_value("textarea[name=description]") == TEXT
    assert rehearsal.stored() == ()
    page.unroute("**/en/piece")
    done(page)
    expect(page.locator("#sending [role=status]")).to_be_empty()
    send(page)
    page.wait_for_selector("#receipt-code")
    assert len(contents(rehearsal)) == 1


def test_who_presses_again_goes_on_without_the_file(
    page: Page, rehearsal: Rehearsal, photo: Path
) -> None:
    write(page)
    page.route("**/en/piece", lambda route: route.abort())
    choose(page, photo)
    send(page)
    page.click('button[name=action][value="send"]')
    page.wait_for_selector("#receipt-code")
    assert contents(rehearsal) == []


@pytest.mark.parametrize("status", [404, 503])
def test_where_this_way_is_closed_the_files_go_with_the_form(
    page: Page, rehearsal: Rehearsal, photo: Path, status: int
) -> None:
    def refuse(route: Route) -> None:
        body = '{"words": "No room."}' if status == 503 else "a page"
        route.fulfill(status=status, body=body, content_type="application/json")

    write(page)
    page.route("**/en/begin", refuse)
    choose(page, photo, photo)
    expect(page.locator("#sending [role=status]")).to_contain_text("go along when you send")
    assert page.evaluate("document.querySelector('#i-evidence').files.length") == 2
    assert page.locator("button[value=add]").is_visible()
    send(page)
    page.wait_for_selector("#receipt-code")
    assert len(contents(rehearsal)) == 2


def test_a_script_that_does_not_come_or_finds_no_means_changes_nothing(
    page: Page, rehearsal: Rehearsal, photo: Path
) -> None:
    # As in a browser that gives a page no means to hash.
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    write(page)
    choose(page, photo)
    assert page.locator("#sending").is_hidden()
    assert page.locator("button[value=add]").is_visible()
    send(page)
    page.wait_for_selector("#receipt-code")
    assert len(contents(rehearsal)) == 1


def test_a_bad_file_is_refused_in_words_and_the_next_one_arrives(
    page: Page, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    bad, good = tmp_path / "a\u202ebook.zip", tmp_path / "photo.jpg"
    bad.write_bytes(b"PK\3\4" + bytes(500))
    good.write_bytes(PHOTO)
    write(page)
    choose(page, bad, good)
    done(page)
    first = page.locator("#sending li").nth(0)
    expect(first).to_contain_text("This kind of file cannot be cleaned here")
    assert "a\ufffdbook.zip" in first.inner_text()
    expect(page.locator("#sending li").nth(1)).to_contain_text("We removed")
    send(page)
    page.wait_for_selector("#receipt-code")
    assert len(contents(rehearsal)) == 1


@pytest.mark.claim("C-ORIGINAL")
def test_the_box_for_originals_says_which_files_it_comes_too_late_for(
    page: Page, rehearsal: Rehearsal, photo: Path
) -> None:
    write(page)
    choose(page, photo)
    done(page)
    page.click("#f-originals summary")
    page.check("input[name=originals]")
    status = page.locator("#sending [role=status]")
    expect(status).to_contain_text("without their originals")
    choose(page, photo)
    done(page, 2)
    expect(page.locator("#sending li").nth(1)).to_contain_text("with its untouched original")
    expect(status).to_be_empty()
    send(page)
    page.check("input[name=originals_sure]")
    page.click('button[name=action][value="send"]')
    page.wait_for_selector("#receipt-code")
    assert sorted(CANARY in one for one in contents(rehearsal)) == [False, False, True]


def test_the_numbers_keep_their_order_in_arabic(page: Page, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    big_video(film, 3 * MIB)
    size = f"{film.stat().st_size / MIB:.1f}".replace(".", ",")
    write(page, "ar")
    held: list[Route] = []

    def first_only(route: Route) -> None:
        held.append(route)
        if len(held) == 1:
            route.continue_()

    # The second piece gets no answer, so that what is shown stands still.
    page.route("**/ar/piece", first_only)
    choose(page, film)
    text = page.locator("#sending [data-part=text]")
    expect(text).to_contain_text("256 كيلوبايت", timeout=20_000)
    expect(text).to_contain_text("أقل من دقيقة")
    assert [one.strip() for one in text.locator("bdi").all_inner_texts()] == [
        "256 كيلوبايت",
        f"{size} ميغابايت",
    ]
    seen = text.evaluate(LEFT_TO_RIGHT)
    # From right to left: what is done, of what there is; the digits themselves from left to right.
    assert 0 < seen.index(size) < seen.index("256")


def test_several_files_go_one_after_the_other_and_all_are_counted(
    page: Page, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    photos = []
    for number in range(4):
        photos.append(tmp_path / f"{number}.jpg")
        photos[-1].write_bytes(PHOTO)
    write(page)
    choose(page, *photos)
    done(page, 4)
    names = page.locator("#sending [data-part=name]").all_inner_texts()
    assert names == [f"photo-{number}.jpg" for number in (1, 2, 3, 4)]
    page.locator("#sending input[name=drop]").nth(1).check()
    send(page)
    page.wait_for_selector("#receipt-code")
    assert len(contents(rehearsal)) == 3
