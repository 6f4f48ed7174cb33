"""The pages that are judged are all that the desk has: a new address without a page fails here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from desk.pages.language import FOLDER
from tests.desk.looks.pages import FACES, LANGUAGES
from tests.desk.looks.window import slug

if TYPE_CHECKING:
    from flask import Flask

    from tests.desk.looks.pages import Pages, Walk

TEMPLATES = FOLDER.parent / "templates"
PARTS = {
    "acts.html", "base.html", "charts.html", "custody.html", "macros.html", "sight.html",
    "similar.html",
}  # fmt: skip
"""What is a part of a page and none by itself."""


def addresses(app: Flask) -> set[tuple[str, str]]:
    """Method and name of each route."""
    return {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def loaded(walk: Walk) -> dict[str, str]:
    """What is no page: by its route's name, where it is."""
    one, over = walk.office.cases["whole"], walk.office.cases["handed over"]
    photo, film, sound = (one.file_path(number) for number in range(3))
    (package,) = re.findall(
        rf"{over.path}/transmission/[0-9a-f]{{64}}",
        walk.main.get(f"{over.path}/transmission").text,
    )
    return {
        "static": "/static/desk.css",
        "file": photo,
        "veil": f"{photo}/veil.png",
        "picture": f"{photo}/picture-0.png",
        "redacted": f"{photo}/redacted-0.png?boxes=1,2,30,40",
        "clip": f"{film}/clip.webm",
        "sound": f"{sound}/sound.wav",
        "package": package,
        "room_csv": "/room/all.csv",
        "room_json": "/room/figures.json",
    }


def test_every_address_of_the_desk_was_walked(walk: Walk, all_pages: dict[str, Pages]) -> None:
    assert set(all_pages) == set(LANGUAGES)
    no_pages = loaded(walk)
    for name, path in no_pages.items():
        answer = walk.main.get(path)
        assert answer.status_code == 200, name
        assert answer.mimetype != "text/html", name
    walked = walk.asked | {("GET", name) for name in no_pages}
    assert addresses(walk.main.app) - walked == set()
    # Positive control: what came since.
    rules = addresses(walk.main.app) | {("POST", "redact_tomorrow")}
    assert rules - walked == {("POST", "redact_tomorrow")}


def test_every_template_was_drawn(walk: Walk, all_pages: dict[str, Pages]) -> None:
    assert all_pages
    drawn = {one for one in walk.templates if one}
    assert drawn - PARTS == {path.name for path in TEMPLATES.glob("*.html")} - PARTS
    assert {path.name for path in TEMPLATES.glob("*.html")} >= PARTS


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_is_the_one_that_its_name_says(
    all_pages: dict[str, Pages], language: str
) -> None:
    pages = all_pages[language]
    assert pages.keys() == all_pages[LANGUAGES[0]].keys()
    assert set(FACES) <= pages.keys()
    assert len({slug(name) for name in pages}) == len(pages) > 100
    for name, (root, page) in pages.items():
        status = re.search(r"problem (\d+)", name)
        refused = re.search(r"refused|too few|not asked|no letter|no without|no kind", name)
        if status:
            assert page.status_code == int(status[1]), name
        elif refused and not name.startswith("list"):
            assert page.status_code == 422, name
        else:
            assert page.status_code in {200, 401, 404, 422}, name
        assert page.mimetype == "text/html", name
        assert f'<html lang="{language}"' in page.text, name
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'"), name
        # Whatever a page names is the desk's own.
        named = re.findall(r'\b(?:href|src|action|formaction|poster)="([^"]*)"', page.text)
        assert [one for one in named if not one.startswith((f"{root}/", "#"))] == [], name
