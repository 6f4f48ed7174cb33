"""The pages by which something leaves the desk, in each of their states (pages.py)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unittest import mock

from desk.evidence import views
from desk.transmission import waiting
from tests.desk.looks.office import UNIT

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from desk.errors import FileQuarantined
    from tests.desk.looks.browser import Browser
    from tests.desk.looks.office import Office
    from tests.desk.looks.pages import Walk

    Found = dict[str, tuple[Browser, TestResponse]]

FACES = (
    "transmit, imminent", "transmit, handed over", "bulletin, shown", "in clear, written",
)  # fmt: skip
_OFFERED = (
    "received", "imminent", "ready", "ready elsewhere", "some left out", "one lacking",
    "transmitted",
)  # fmt: skip
"""Cases that the page of a transmission has something else to say about."""


def leaving_pages(walk: Walk, code: str) -> Found:
    """Every one of them, in the language that the browsers have chosen."""
    return {**_transmissions(walk), **_bulletins(walk, code), **_in_clear(walk, code)}


def _transmissions(walk: Walk) -> Found:
    main, cases, folder = walk.main, walk.office.cases, walk.office.folder
    found = {f"transmit, {case}": main.get(f"{cases[case].path}/transmission") for case in _OFFERED}
    over = f"{cases['handed over'].path}/transmission"
    if cases["handed over"].case.state == "ready":
        main.press(over, "/send", **UNIT)
    found["transmit, handed over"] = main.get(over)
    for name, refusal in _kept_back(walk.office).items():
        with mock.patch("desk.transmission.waiting.refusal", return_value=refusal):
            found[f"transmit, {name}"] = main.get(over)
    wrong = {"service": UNIT["service"], "basis": "seat"}
    found["transmit, refused"] = main.press(
        f"{cases['imminent'].path}/transmission", "/send", **wrong
    )
    ready = f"{cases['ready'].path}/transmission"
    letters = {"pasted": "hello", "request": "00"}
    found["transmit, annex refused"] = main.press(ready, "/send", **UNIT, **letters)
    clear = {"folder": str(folder / "nowhere" / "case"), "in_clear": "yes"}
    found["transmit, folder refused"] = main.press(ready, "/send", **UNIT, **clear)
    found["transmit, moved refused"] = main.post(f"{ready}/send?seen=0", **UNIT, **letters)
    printed = f"{cases['to print'].path}/transmission"
    if cases["to print"].case.state == "ready":
        clear["folder"] = str(folder / "printed")
        main.press(printed, "/send", **UNIT, **clear)
    found["transmit, as a folder"] = main.get(printed)
    return {name: (main, answer) for name, answer in found.items()}


def _kept_back(office: Office) -> dict[str, FileQuarantined | None]:
    """Why a package that waits is given out no more, by what is known of it."""
    shown = views(office.desk, office.cases["some left out"].case)
    shut = next(one.closing for one in shown if one.closing)
    path = office.desk.home.packages / f"{'ab' * 32}.amana"
    return {
        "holds what was closed": waiting.refusal(path, ["x"], {"x": shut}, has_closed=True),
        "nobody can tell": waiting.refusal(path, None, {}, has_closed=True),
    }


def _bulletins(walk: Walk, code: str) -> Found:
    main, at = walk.main, "/room/bulletin"
    walk.office.desk.store.note("bulletins", "[]")
    folder = str(walk.office.folder / f"bulletin-{code}")
    days = {"from": "2026-10-01", "to": "2026-10-31", "folder": folder, "tag": "daesh"}
    found = {
        "bulletin": main.get(at),
        "bulletin, refused": main.post(at, **{**days, "to": "2026-12-31"}),
        "bulletin, not named refused": main.post(at, **{**days, "folder": "bulletin"}),
        "bulletin, shown": main.post(at, **days),
    }
    (seen,) = re.findall(r'name="seen" value="(\w+)"', found["bulletin, shown"].text)
    found["bulletin, moved refused"] = main.post(f"{at}/sign", **days, seen="0")
    found["bulletin, signed"] = main.post(f"{at}/sign", **days, seen=seen)
    again = {**days, "from": "2026-07-01", "folder": f"{folder}-again"}
    found["bulletin, overlap refused"] = main.post(at, **again)
    found["bulletin, shown in spite of it"] = main.post(at, **again, overlapping="yes")
    found["bulletin, proven"] = main.post(f"{at}/prove", at=folder)
    found["bulletin, proof refused"] = main.post(f"{at}/prove", at=f"{folder}-none")
    return {name: (main, answer) for name, answer in found.items()}


def _in_clear(walk: Walk, code: str) -> Found:
    main, keeper = walk.main, walk.keeper
    at = f"{walk.office.cases['whole'].path}/clear"
    form = {"folder": str(walk.office.folder / f"clear-{code}"), "in_clear": "yes"}
    return {
        "in clear": (main, main.get(at)),
        "in clear, refused": (main, main.post(main.shown(at), folder="~/cases")),
        "in clear, written": (main, main.post(main.shown(at), **form)),
        "in clear, a custodian's": (keeper, keeper.get(at)),
        "in clear, a custodian's refused": (keeper, keeper.post(keeper.shown(at), **form)),
    }
