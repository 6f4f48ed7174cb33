"""The whole walk with a real browser, scripts off: write, attach, receipt, open, answer, read."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.answers import FRAUD
from tests.support.media import GPS_TEXT, phone_photo, phone_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.support.running import RunningDemo

CANARY = b"canary-of-the-journey"
ANSWER = "نشكرك. وصلنا بلاغك كاملا."
PICTURE_WIDTH = "async image => { await image.decode(); return image.naturalWidth; }"
VIDEO_PLAYS = """async () => {
    const video = document.querySelector('.files video');
    video.muted = true;
    await video.play();
    await new Promise(done => setTimeout(done, 500));
    return video.currentTime;
}"""


@pytest.fixture
def no_script(browser: Browser) -> Iterator[BrowserContext]:
    """A browser as the Tor Browser's safest level has it."""
    context = browser.new_context(java_script_enabled=False)
    yield context
    context.close()


def tells(page: Page, words: str) -> None:
    """Wait until a page says it: the one before may still be shown, or none."""
    expect(page.locator("main")).to_contain_text(words, timeout=60_000)


def write_report(page: Page, demo: RunningDemo, folder: Path, language: str) -> str:
    """Write a report about a fraud, with a photo and a video; return the receipt's digits."""
    photo, video = folder / "IMG_20260102_Samira.jpg", folder / "Samira's phone.mov"
    photo.write_bytes(phone_photo(CANARY))
    video.write_bytes(phone_video(CANARY))
    page.goto(f"{demo.site}/{language}/")
    page.check('input[name=danger_now][value="no"]')
    page.check('input[name=category][value="fraud"]')
    page.click("main form button")
    for name in ("role", "scam_type", "money_lost", "identity_mode"):
        page.check(f'input[name={name}][value="{FRAUD[name]}"]')
    page.fill("textarea[name=description]", FRAUD["description"])
    page.check("input[name=notice_read]")
    page.set_input_files("input[name=evidence]", [photo, video])
    page.click('button[name=action][value="send"]')
    shown = page.locator("#receipt-code").inner_text()
    return "".join(re.findall(r"\d", shown))


@pytest.mark.claim("C-META", "C-NAMES")
@pytest.mark.parametrize("language", ["ar", "fr"])
def test_a_report_goes_from_a_browser_to_an_operators_screen_and_is_answered(
    demo: RunningDemo, no_script: BrowserContext, tmp_path: Path, language: str
) -> None:
    known = cases_at_the_desk(demo)
    page = no_script.new_page()
    code = write_report(page, demo, tmp_path, language)
    assert len(code) == 28
    page.fill("input[name=last_four]", code[-4:])
    page.click('form[action$="/confirm"] button')
    page.wait_for_url("**/confirm")
    assert code[:4] not in page.content()

    (case,) = cases_at_the_desk(demo) - known
    folder = tmp_path / "opened"
    demo.amana("amana-desk", "open", case, "--to", str(folder))
    look_at_what_was_opened(folder)

    answer = tmp_path / "answer"
    answer.write_text(ANSWER, encoding="utf-8")
    demo.amana("amana-desk", "reply", case, "--text-file", str(answer))
    page.goto(f"{demo.site}/{language}/thread")
    page.fill("input[name=code]", code)
    page.click('form[action$="/thread"] button')
    tells(page, ANSWER)
    # The reporter's own words are never shown back.
    assert FRAUD["description"] not in page.content()


def cases_at_the_desk(demo: RunningDemo) -> set[str]:
    """The cases that the first operator has after a sync."""
    demo.amana("amana-desk", "sync")
    return {case["case"] for case in demo.amana_json("amana-desk", "list")["cases"]}


def look_at_what_was_opened(folder: Path) -> None:
    """What the operator holds is the report, and nothing that the phone added to it."""
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert FRAUD["description"].encode() in everything  # the scan below can find things
    for planted in (CANARY, GPS_TEXT, b"Samira", b"IMG_2026"):
        assert planted not in everything
    names = sorted(path.name for path in (folder / "evidence").iterdir())
    assert [name.partition("-")[0] for name in names] == ["photo", "video"]
    picture = Image.open(io.BytesIO((folder / "evidence" / names[0]).read_bytes()))
    assert picture.getexif().get(0x0112) == 6  # still upright
    assert len(picture.getexif()) == 1


@pytest.mark.claim("C-DESK-REST")
def test_an_operator_reads_and_answers_in_the_desks_pages(
    demo: RunningDemo, browser: Browser, no_script: BrowserContext, tmp_path: Path
) -> None:
    known = cases_at_the_desk(demo)
    code = write_report(no_script.new_page(), demo, tmp_path, "en")
    desk = browser.new_context()
    page = desk.new_page()
    page.goto(demo.desk_link)
    page.locator("button", has_text="Sync").click()
    tells(page, "Synced:")
    (case,) = cases_at_the_desk(demo) - known
    page.locator(f'a[href*="/case/{case}"]').first.click()
    tells(page, FRAUD["description"])
    # A veil until it is asked for; and what is shown then was made anew.
    page.locator("summary", has_text="Show the picture").first.click()
    assert page.locator(".files details[open] img").first.evaluate(PICTURE_WIDTH) > 100
    page.locator("summary", has_text="small clip").first.click()
    assert page.evaluate(VIDEO_PLAYS) > 0
    page.fill("textarea[name=text]", "We have read it.")
    page.locator("button", has_text="Seal and send").click()
    tells(page, "We have read it.")
    desk.close()
    reader = no_script.new_page()
    reader.goto(f"{demo.site}/en/thread")
    reader.fill("input[name=code]", code)
    reader.click('form[action$="/thread"] button')
    tells(reader, "We have read it.")
    for path in (demo.home / "desks").rglob("*"):
        if path.is_file():
            assert FRAUD["description"].encode() not in path.read_bytes()
