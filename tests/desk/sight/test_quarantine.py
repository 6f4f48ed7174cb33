"""Quarantine: one act, and no path opens the file any more, on any desk, in any case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.manifest import EntryBody
from desk import quarantine
from desk.alarms import Sign
from desk.cases import Cases
from desk.errors import ActRefused, FileQuarantined, NoSuchEvidence
from desk.evidence import open_evidence, views
from desk.export import export_case
from desk.pages.app import create_pages
from desk.pages.door import OneTimeLink
from desk.progress import Silence
from desk.quarantine import closings
from desk.sight import redaction, shown
from desk.sight.closing import close, custodians
from desk.sight.export import export_previews, find_file
from desk.summary import all_alarms, case_json
from desk.sync import synchronise
from sanitizer.sight.boxes import Box
from tests.desk.forms import seen
from tests.desk.sight import kit
from tests.desk.sight.kit import BIND, FORM, OURS
from tests.desk.world import Reporter
from tests.sanitizer.jailed import needs_seccomp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = [pytest.mark.claim("C-QUARANTINE"), needs_seccomp]
PHOTO = kit.picture()


@pytest.fixture
def photo(reporter: Reporter, sync: Synced) -> str:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    sync(*reporter.report([row], description="word"))
    return row.id.hex()


def shut(desk: Desk, case: Case, name: str) -> None:
    close(desk, case, find_file(desk, case, name), "custodian 1", "seen")


PATHS: dict[str, Callable[[Desk, Case, str, Path], object]] = {
    "open": lambda desk, case, name, _folder: open_evidence(desk, case, name),
    "picture": lambda desk, case, name, _folder: shown.picture(desk, case, name),
    "pixels": lambda desk, case, name, _folder: shown.pixels(desk, case, name),
    "clip": lambda desk, case, name, _folder: shown.clip(desk, case, name),
    "sound": lambda desk, case, name, _folder: shown.sound(desk, case, name),
    "words": lambda desk, case, name, _folder: shown.words(desk, case, name),
    "redact": lambda desk, case, name, _folder: redaction.redact(
        desk, case, name, [Box(1, 1, 9, 9)]
    ),
    "look": lambda desk, case, name, _folder: redaction.look(desk, case, name, []),
    "preview": lambda desk, case, name, folder: export_previews(
        desk, case, find_file(desk, case, name), folder
    ),
}


@pytest.mark.parametrize("path", PATHS)
def test_no_path_opens_a_file_in_quarantine(
    desk: Desk, photo: str, read: Read, path: str, tmp_path: Path
) -> None:
    if path in ("open", "picture", "pixels"):
        PATHS[path](desk, read(), photo, tmp_path / "before")
    shut(desk, read(), photo)
    with pytest.raises(FileQuarantined, match="custodian 1"):
        PATHS[path](desk, read(), photo, tmp_path / "after")
    assert not (tmp_path / "after").exists()


@pytest.mark.parametrize(
    "end",
    ["", "/veil.png", "/picture-0.png", "/clip.webm", "/sound.wav", "/look/0", "/redact/0",
     "/redacted-0.png"],
)  # fmt: skip
def test_no_page_serves_it_not_even_from_memory(
    desk: Desk, photo: str, read: Read, end: str
) -> None:
    link = OneTimeLink()
    page = create_pages(desk, BIND, link).test_client()
    page.get(f"/link/{link.token}", headers=OURS)
    path = f"/case/{read().id.hex()}/file/{photo}"
    page.get(path + end, headers=OURS)
    # Closed by another way than this page's own form: what is remembered stays where it is.
    shut(desk, read(), photo)
    answer = page.get(path + end, headers=OURS)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "custodian 1" in answer.text
    shown_case = page.get(f"/case/{read().id.hex()}", headers=OURS).text
    assert photo + "/" not in shown_case
    (closed,) = views(desk, read())
    for told in (closed.sha256, "custodian 1", "In quarantine", f"/ {photo[:8]}", "operator 1"):
        assert told in shown_case


def test_the_page_closes_a_file_by_one_button(desk: Desk, photo: str, read: Read) -> None:
    link = OneTimeLink()
    page = create_pages(desk, BIND, link).test_client()
    page.get(f"/link/{link.token}", headers=OURS)
    case = f"/case/{read().id.hex()}"
    assert "Put it in quarantine" in page.get(case, headers=OURS).text
    page.get(f"{case}/file/{photo}/picture-0.png", headers=OURS)
    form = {"custodian": "custodian 1"}
    at = f"{case}/file/{photo}/quarantine"
    stale = page.post(f"{at}?seen=0", headers=FORM, data={**form, "text": "what <I> saw"})
    assert (stale.status_code, "Something has come to this" in stale.text) == (422, True)
    assert 'value="what &lt;I&gt; saw"' in stale.text
    assert all(one.closing is None for one in views(desk, read()))
    done = page.post(seen(page, at), headers=FORM, data=form)
    assert (done.status_code, done.headers["Location"]) == (303, case)
    assert "is in quarantine, and the entry was sent." in page.get(case, headers=OURS).text
    again = page.post(seen(page, at), headers=FORM, data=form)
    assert (again.status_code, "in quarantine already" in again.text) == (422, True)


def test_no_export_writes_it_and_the_sealed_parts_stay(
    desk: Desk, photo: str, read: Read, tmp_path: Path
) -> None:
    shut(desk, read(), photo)
    done = export_case(desk, read(), tmp_path / "out")
    assert (done.files, done.left_out) == ((), (photo,))
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [
        tmp_path / "out" / "case.json"
    ]
    files = case_json(desk, read())["files"]
    assert isinstance(files, list)
    assert files[0]["quarantine"]["custodian"] == "custodian 1"
    assert files[0]["problem"] == "quarantined"
    assert desk.store.part_path(bytes.fromhex(photo), 1).exists()  # type: ignore[arg-type]  # an id


def test_it_holds_on_every_desk_that_has_the_entry(
    desk: Desk, photo: str, read: Read, theirs: Desk, they_sync: Callable[[], None]
) -> None:
    they_sync()
    case = Cases(theirs).find(read().id.hex())
    assert open_evidence(theirs, case, photo)
    shut(desk, read(), photo)
    they_sync()
    with pytest.raises(FileQuarantined):
        open_evidence(theirs, Cases(theirs).find(read().id.hex()), photo)


def test_the_same_file_is_closed_in_every_case_and_another_is_not(
    desk: Desk, photo: str, read: Read, world: World, sync: Synced
) -> None:
    shut(desk, read(), photo)
    other = Reporter(world)
    same = other.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    different = other.evidence("photo-2.jpg", "image/jpeg", kit.picture(size=(90, 90)))
    sync(*other.report([same, different]))
    case = Cases(desk).find(other.case.hex())
    with pytest.raises(FileQuarantined, match=read().ref):
        open_evidence(desk, case, same.id.hex())
    assert open_evidence(desk, case, different.id.hex())
    (pointer,) = [one.closing.pointer for one in views(desk, case) if one.closing]
    assert pointer.startswith(read().ref)


def test_what_shows_the_same_is_closed_with_it(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, world: World
) -> None:
    clean = reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    raw = reporter.evidence("o", "image/jpeg", PHOTO + b"x", removed=(), original_of=clean.id)
    sync(*reporter.report([clean, raw]))
    redaction.redact(desk, read(), clean.id.hex(), [Box(1, 1, 9, 9)])
    # From the original alone: the clean copy and what was made of it go, too.
    shut(desk, read(), raw.id.hex())
    assert [one.problem for one in views(desk, read())] == ["quarantined"] * 3
    assert len(read().work.quarantined) == 3
    # And each of their digests is closed elsewhere.
    other = Reporter(world)
    again = other.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    sync(*other.report([again]))
    with pytest.raises(FileQuarantined):
        open_evidence(desk, Cases(desk).find(other.case.hex()), again.id.hex())


@pytest.mark.parametrize(
    ("changes", "odd"),
    [
        ({}, 0),
        ({"file": "00" * 16}, 0),
        ({"custodian": "operator 2"}, 0),
        ({"custodian": "nobody whom the roster names"}, 1),
        ({"sha256": "12" * 32}, 1),
        ({"file": "00" * 16, "sha256": "12" * 32}, 1),
    ],
    ids=["of-its-own", "sealed-anew", "an-operator", "nobody", "another-digest", "nothing-of-it"],
)
def test_what_closes_something_else_than_it_says_is_shouted_about(  # noqa: PLR0913, PLR0917 - rows
    desk: Desk, photo: str, read: Read, world: World, sync: Synced, changes: dict[str, str],
    odd: int,
) -> None:  # fmt: skip
    said = {
        "file": photo, "sha256": views(desk, read())[0].sha256, "custodian": "custodian 1",
        "text": "",
    } | changes  # fmt: skip
    body = EntryBody(type="quarantine", data=said).to_json()
    sync(world.by_operator(Kind.ENTRY, read().id, body, parents=read().heads))
    assert [one.sign for one in read().alarms] == [Sign.QUARANTINE_UNFOUNDED] * odd
    assert [one.sign for row in desk.index.rows() for one in row.alarms] == [
        Sign.QUARANTINE_UNFOUNDED
    ] * odd
    # It closes all the same.
    assert bool(closings(desk, read()))


def test_many_closings_do_not_go_through_all_copies_each(
    desk: Desk, photo: str, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague's thousands of both would cost millions of steps at each reading of the case."""
    shut(desk, read(), photo)
    case = read()
    (closing,) = case.work.of("quarantine")
    others = [
        replace(closing, body=replace(closing.body, data={**closing.body.data, "sha256": digest}))
        for digest in ("12" * 32, "34" * 32)
    ]
    many = replace(case, work=replace(case.work, entries=(closing, *others, closing)))
    looked_through = []

    class Digests(dict[str, str]):
        def values(self) -> Any:
            looked_through.append(1)
            return super().values()

    digests = quarantine._digests(desk, case)
    monkeypatch.setattr(quarantine, "_digests", lambda *_: Digests(digests))
    odd = quarantine.unfounded(desk, many)
    assert [one.sign for one in odd] == [Sign.QUARANTINE_UNFOUNDED] * 2
    assert len(looked_through) == 1


def test_evidence_that_another_case_closed_without_having_it_says_so(
    desk: Desk, photo: str, read: Read, world: World, sync: Synced
) -> None:
    other = Reporter(world)
    said = {
        "file": "00" * 16, "sha256": views(desk, read())[0].sha256, "custodian": "custodian 1",
        "text": "",
    }  # fmt: skip
    body = EntryBody(type="quarantine", data=said).to_json()
    theirs = other.report()
    sync(
        *theirs,
        world.by_operator(Kind.ENTRY, other.case, body, parents=[theirs[0].header.hash]),
    )
    with pytest.raises(FileQuarantined):
        open_evidence(desk, read(), photo)
    for one in (read(), Cases(desk).find(other.case.hex())):
        assert [alarm.sign for alarm in all_alarms(desk, one)] == [Sign.QUARANTINE_UNFOUNDED]


def test_what_bears_another_digest_than_its_own_is_given_to_nobody(  # noqa: PLR0913, PLR0917
    desk: Desk, photo: str, read: Read, world: World, reporter: Reporter, sync: Synced,
) -> None:  # fmt: skip
    shut(desk, read(), photo)
    # A colleague's changed desk: the very bytes, as a copy, under a digest that is not theirs.
    copy: dict[str, Json] = {
        "file": "", "answer": "description", "part": 0, "boxes": [], "spans": [],
        "media_type": "image/png", "length": len(PHOTO), "sha256": "12" * 32,
    }  # fmt: skip
    body = EntryBody(type="redaction", data=copy).to_json()
    lie = world.by_operator(Kind.ENTRY, reporter.case, body, parents=read().heads, content=PHOTO)
    sync(lie)
    assert [one.problem for one in views(desk, read())] == ["quarantined", ""]
    link = OneTimeLink()
    page = create_pages(desk, BIND, link).test_client()
    page.get(f"/link/{link.token}", headers=OURS)
    path = f"/case/{read().id.hex()}/file/{lie.id.hex()}"
    for asked in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=0-9"}):
        answer = page.get(path, headers={**OURS, **asked})
        assert (answer.status_code, answer.mimetype) == (422, "text/html"), asked


def test_a_copy_that_another_desk_made_meanwhile_is_closed_when_it_comes(
    desk: Desk, photo: str, read: Read, theirs: Desk, they_sync: Callable[[], None]
) -> None:
    they_sync()
    shut(desk, read(), photo)
    redaction.redact(theirs, Cases(theirs).find(read().id.hex()), photo, [Box(1, 1, 9, 9)])
    synchronise(desk, Silence(), stamp="x")
    assert [one.problem for one in views(desk, read())] == ["quarantined"] * 2


@pytest.mark.usefixtures("photo")
def test_only_somebody_of_the_roster_can_be_named(desk: Desk, read: Read) -> None:
    assert custodians(desk)[0] == "custodian 1"
    assert "operator 2" in custodians(desk)
    with pytest.raises(ActRefused, match="custodian 1, operator 1"):
        close(desk, read(), views(desk, read())[0], "somebody")
    assert read().work.quarantined == {}


def test_a_file_of_which_nothing_is_known_cannot_be_closed(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    sync(*reporter.report([row])[:2])
    (missing,) = views(desk, read())
    with pytest.raises(ActRefused, match="Nothing of this file"):
        close(desk, read(), missing, "custodian 1")
    with pytest.raises(NoSuchEvidence):
        open_evidence(desk, read(), missing.id)


def test_a_file_that_is_not_here_yet_is_closed_before_it_comes(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    server.answers["/v1/parts"] = (404, b"{}")
    sync(*reporter.report([row]))
    shut(desk, read(), row.id.hex())
    server.answers.clear()
    sync()
    with pytest.raises(FileQuarantined):
        open_evidence(desk, read(), row.id.hex())


def test_an_act_that_waits_closes_here_at_once(
    desk: Desk, photo: str, read: Read, server: FakeServer
) -> None:
    server.answers["/v1/envelopes"] = (503, b"")
    assert not close(desk, read(), views(desk, read())[0], "custodian 1")
    with pytest.raises(FileQuarantined):
        open_evidence(desk, read(), photo)


def test_copies_of_what_is_not_here_are_closed_alone(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, world: World
) -> None:
    gone = reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    rows = reporter.report([gone])[:2]
    copies = [
        world.by_operator(
            Kind.ENTRY,
            reporter.case,
            EntryBody(
                type="redaction",
                data={
                    "file": name, "answer": "", "part": 0, "boxes": [], "spans": [],
                    "media_type": "image/png", "length": number, "sha256": f"{number:064x}",
                },
            ).to_json(),
        )
        for number, name in enumerate((gone.id.hex(), "00" * 16), 1)
    ]  # fmt: skip
    sync(*rows, *copies)
    for row in copies:
        shut(desk, read(), row.id.hex())
    assert set(read().work.quarantined) == {row.id.hex() for row in copies}
    # The file that the first is a copy of is known by its id alone: it is closed with it.
    assert [one.problem for one in views(desk, read())] == ["quarantined"] * 3


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize("together", [False, True], ids=["beside", "nobody can tell"])
def test_what_another_report_calls_the_original_of_a_file_closes_it_for_nobody(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read,
    together: bool,  # noqa: FBT001  # one of two worlds
) -> None:  # fmt: skip
    """A server's own report says so, and its file is rightly closed in a case of the server's."""
    mine = reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    true = reporter.report([mine])
    thief, elsewhere = Reporter(reporter.world, case=reporter.case), Reporter(reporter.world)
    planted = thief.evidence("x", "image/jpeg", PHOTO + b"x", removed=(), original_of=mine.id)
    same = elsewhere.evidence("y", "image/jpeg", PHOTO + b"x")
    if not together:
        sync(*true)
    sync(*true, *thief.report([planted]), *elsewhere.report([same]))
    assert len(views(desk, read())) == (2 if together else 1)
    shut(desk, Cases(desk).find(elsewhere.case.hex()), same.id.hex())
    found = {one.id: one.problem for one in views(desk, read())}
    assert found.pop(mine.id.hex()) == ""
    assert set(found.values()) == ({"quarantined"} if together else set())
