"""The desk's own pages in each of their states, for the walk of all pages (pages.py)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from crypto.package import service_to_text
from crypto.package_opening import ServicePrivateKey
from desk.alarms import Alarm, Sign
from desk.unfinished import Ledger
from tests.desk.looks.office import REGION, UNIT

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from desk.desk import Desk
    from tests.desk.looks.browser import Browser
    from tests.desk.looks.pages import Walk

    Found = dict[str, tuple[Browser, TestResponse]]

FACES = ("desk", "alarms, several", "rules", "services, compared", "identity, opened alone")
_ELSEWHERE = "ab" * 16
_FORM = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


def home_pages(walk: Walk, code: str) -> Found:
    """Every one of them, in the language that the browsers have chosen."""
    return {**_desks(walk, code), **_alarms(walk), **_services(walk), **_alone(walk)}


def _desks(walk: Walk, code: str) -> Found:
    main, keeper, bare = walk.main, walk.keeper, walk.bare
    found = {
        "desk": (main, main.get("/desk")),
        "desk, a custodian's": (keeper, keeper.get("/desk")),
        "desk, nothing yet": (bare, bare.get("/desk")),
        "rules": (main, main.get("/rules")),
        "custody, nothing asked": (bare, bare.get("/custody")),
    }
    _cut_off(keeper.desk, code)
    return {**found, "desk, cut off": (keeper, keeper.get("/desk"))}


def _cut_off(desk: Desk, code: str) -> None:
    """A program was killed while it wrote in clear, and the disk it wrote to is gone."""
    ledger = Ledger.of(desk)
    assert ledger.folder is not None
    assert ledger.key is not None
    ledger.folder.mkdir(mode=0o700, exist_ok=True)
    name = code.encode().hex().rjust(16, "0")
    place = f"/media/{'a' * 60}/{code}/case.unproven-{name}".encode()
    (ledger.folder / name).write_bytes(ledger.key.seal(name.encode(), b"", place))


def _alarms(walk: Walk) -> Found:
    main, bare = walk.main, walk.bare
    here = walk.office.cases["whole"].reporter.case.hex()
    several = [
        Alarm(Sign.MISSING, here, "12" * 16),
        *(Alarm(sign, _ELSEWHERE, f"{n:032x}") for n, sign in enumerate(Sign)),
        Alarm(Sign.ROSTER_FORKED),
    ]
    for one in several:
        main.desk.store.shout(one)
        bare.desk.store.shout(one)
    shown = main.get("/alarms")
    main.desk.store.quieten(*several)
    found = {"alarms, several": (main, shown)}
    found["alarms, refused"] = (bare, bare.post("/alarms/clear", shown=several[0].key))
    found["alarms, one cleared"] = (bare, bare.post("/alarms/clear", one=several[0].key))
    keys = " ".join(one.key for one in several)
    found["alarms, all cleared"] = (bare, bare.post("/alarms/clear", shown=keys, read="yes"))
    return found


def _services(walk: Walk) -> Found:
    main, bare = walk.main, walk.bare
    unit, region = UNIT["service"], REGION["service"]
    keys = [service_to_text(ServicePrivateKey(bytes([n]) * 32).public) for n in (7, 8)]
    found = {
        "services": (main, main.get("/services")),
        "services, compared": (
            main, main.post("/services/read", service=region, pasted=keys[1])
        ),
        "services, the same": (main, main.post("/services/read", service=unit, pasted=keys[0])),
        "services, another": (main, main.post("/services/read", service=unit, pasted=keys[1])),
        "services, refused": (
            main, main.post("/services/read", service=unit, pasted="amana-service+<b>")
        ),
        "services, refused elsewhere": (main, main.post("/services/read", service="nobody")),
    }  # fmt: skip
    (bare.desk.home.services).mkdir(exist_ok=True)
    (bare.desk.home.services / f"{region}.pub").write_text("x")
    read = bare.post("/services/read", service=unit, pasted=keys[0]).text
    form = read.split('/services/bind"', 1)[1].split("</form>", 1)[0]
    given = {name: html.unescape(value) for name, value in _FORM.findall(form)}
    found["services, bound"] = (bare, bare.post("/services/bind", **given))
    return found


def _alone(walk: Walk) -> Found:
    main, solo = walk.main, walk.solo
    path = f"/case/{walk.office.named.hex()}"
    whole = walk.office.cases["whole"].path
    return {
        "case, opens alone": (solo, solo.get(path)),
        "identity, opened alone": (solo, solo.post(solo.shown(f"{path}/identity/alone"))),
        "identity, alone refused": (main, main.post(main.shown(f"{whole}/identity/alone"))),
    }
