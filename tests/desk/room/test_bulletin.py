"""The bulletin: what is in its files, who signed them, and what is refused."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from crypto.bulletin import BulletinStatement, to_pem
from crypto.errors import SignatureInvalid
from crypto.ids import Day
from desk.config import write_private
from desk.room import bulletin
from desk.room.bulletin import (
    FILES,
    KEY,
    SIGNATURE,
    STATEMENT,
    BulletinOverlaps,
    BulletinRefused,
    BulletinWrong,
    Edition,
    check,
    publish,
    published,
    rendered,
)
from desk.room.gather import facts
from desk.room.period import Period, parse_period
from desk.room.public import lines
from tests.desk.world import TODAY, World
from tests.quarter.facts import fact
from tests.quarter.plan import FIRST, LAST, PUBLISHED, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desk.desk import Desk

QUARTER = Period(FIRST, LAST)


@pytest.fixture
def fresh(quarter: Desk) -> Iterator[Desk]:
    """The quarter's desk, from which nothing was published."""
    quarter.store.note("bulletins", "[]")
    yield quarter
    quarter.store.note("bulletins", "[]")


@pytest.fixture
def made(fresh: Desk, tmp_path: Path) -> Path:
    publish(fresh, facts(fresh), Edition(QUARTER), tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.claim("C-BULLETIN")
def test_no_file_holds_a_count_that_is_not_public(quarter: Desk) -> None:
    facts = [fact(one) for one in plan(PUBLISHED)]
    found = lines(facts, QUARTER, quarter.rules, ("daesh",))
    files = rendered(found, QUARTER, TODAY, quarter.rules, rehearsal=True)
    assert tuple(sorted(files)) == FILES
    for name, content in files.items():
        numbers = {
            int(one.replace(",", ""))
            for one in re.findall(rb"[\d,]*\d", content)
            for one in [one.decode()]
        }
        # The quarter's exact counts, none of which is a multiple of five.
        assert not numbers & {7083, 6788, 4117, 564, 4073, 1358, 679, 339, 82, 23}, name
    told = json.loads(files["bulletin.json"])
    counts = {(one["table"], one["id"]): one["count"] for one in told["figures"]}
    assert counts["reports", "received"] == 7085
    assert counts["identity", "full_identity"] == 4115
    assert counts["tag_daesh", "marked"] == 85
    assert counts["persons", "wanted"] is None
    assert counts["persons", "presented"] is None
    shares = {(one["table"], one["id"]): one["percent"] for one in told["figures"]}
    assert shares["identity", "full_identity"] == 58
    assert shares["persons", "wanted"] is shares["reports", "received"] is None
    page = files["bulletin.html"].decode()
    assert "REHEARSAL" in page
    assert "<script" not in page
    assert "style=" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_bulletin_is_signed_by_the_operator_and_holds(fresh: Desk, made: Path) -> None:
    assert {one.name for one in made.iterdir()} == {*FILES, STATEMENT, SIGNATURE, KEY}
    proven = check(fresh, made)
    assert proven.signer == "operator 1"
    assert (proven.statement.first, proven.statement.last) == (FIRST, LAST)
    assert proven.to_json()["files"] == list(FILES)
    assert proven.text == "2024-06-03..2024-09-02"


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_named(fresh: Desk, made: Path, name: str) -> None:
    content = bytearray((made / name).read_bytes())
    content[-2] ^= 1
    (made / name).write_bytes(content)
    with pytest.raises(BulletinWrong, match=name):
        check(fresh, made)
    (made / name).unlink()
    with pytest.raises(BulletinWrong, match=f"{name} cannot be read"):
        check(fresh, made)


@pytest.mark.claim("C-BULLETIN")
def test_another_key_beside_it_and_an_added_file_are_named(fresh: Desk, made: Path) -> None:
    (made / "more.html").write_text("7")
    with pytest.raises(BulletinWrong, match=r"'more\.html' was added"):
        check(fresh, made)
    (made / "more.html").unlink()
    # Whoever has openssl and no desk believes this file.
    (made / KEY).write_text(to_pem(World.make().operators[0].sign.public))
    with pytest.raises(BulletinWrong, match=f"{KEY} is not the key of operator 1"):
        check(fresh, made)


def test_a_folder_that_cannot_be_made_is_refused(fresh: Desk, made: Path) -> None:
    edition = Edition(parse_period("2024-01", fresh.today()))
    with pytest.raises(BulletinRefused, match="Not a directory"):
        publish(fresh, [], edition, made / KEY / "below")


@pytest.mark.claim("C-BULLETIN")
def test_what_nobody_of_ours_signed_is_refused(
    fresh: Desk, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = (made / STATEMENT).read_bytes()
    (made / STATEMENT).write_bytes(raw.replace(b"to 2024-09-02", b"to 2024-09-03"))
    with pytest.raises(BulletinWrong, match="signature"):
        check(fresh, made)
    (made / STATEMENT).write_bytes(raw + b"x")
    with pytest.raises(BulletinWrong, match="signature"):
        check(fresh, made)
    stranger = World.make().operators[0].sign
    other = BulletinStatement.from_bytes(raw)
    text = raw.replace(other.signer.hex().encode(), stranger.public.kid.hex().encode())
    (made / STATEMENT).write_bytes(text)
    (made / SIGNATURE).write_bytes(BulletinStatement.from_bytes(text).sign(stranger))
    with pytest.raises(BulletinWrong, match="No operator"):
        check(fresh, made)
    # Of another installation, though by a key that is known.
    (made / STATEMENT).write_bytes(raw)
    moved = bytes(16)
    monkeypatch.setattr(type(fresh.trust), "deployment", moved)
    with pytest.raises(BulletinWrong, match="No operator"):
        check(fresh, made)


def test_a_signature_of_an_entry_is_none_of_a_bulletin(fresh: Desk, made: Path) -> None:
    statement = BulletinStatement.from_bytes((made / STATEMENT).read_bytes())
    public = fresh.keyring.sign.public
    entry = fresh.keyring.sign.sign(b"amana/v1/sign/entry\0" + statement.to_bytes())
    with pytest.raises(SignatureInvalid):
        statement.verify(public, entry)


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize(
    "days", ["2024-06", "2024-09-02", "2024-06-03..2024-09-02", "2024-01-01..2024-12-31"]
)
def test_days_that_were_published_are_not_published_again_in_another_cut(
    fresh: Desk, made: Path, tmp_path: Path, days: str
) -> None:
    assert made.exists()
    again = Edition(parse_period(days, TODAY))
    with pytest.raises(BulletinRefused, match="subtracts"):
        publish(fresh, (), again, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    # Beside them, or by the express wish of somebody who was told.
    publish(fresh, (), Edition(parse_period("2024-09-03..2024-09-30", TODAY)), tmp_path / "beside")
    publish(fresh, (), Edition(again.period, (), overlapping=True), tmp_path / "again")


@pytest.mark.claim("C-BULLETIN")
@pytest.mark.parametrize("at", [0, 3, 5])
def test_days_count_as_published_where_the_desk_was_killed_while_it_wrote(
    fresh: Desk, tmp_path: Path, at: int
) -> None:
    """Each file may have been read by then; the second bulletin would be subtracted from it."""
    child = os.fork()
    if child == 0:
        calls = itertools.count()

        def dies(path: Path, content: bytes) -> None:
            if next(calls) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            write_private(path, content)

        try:
            pytest.MonkeyPatch().setattr(bulletin, "write_private", dies)
            publish(fresh, (), Edition(QUARTER), tmp_path / "out")
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(list((tmp_path / "out").iterdir())) == at
    with pytest.raises(BulletinOverlaps, match="subtracts"):
        publish(fresh, (), Edition(parse_period("2024-06", TODAY)), tmp_path / "again")
    assert [one.text for one in published(fresh)] == [QUARTER.text]


@pytest.mark.claim("C-BULLETIN")
def test_a_failure_while_writing_leaves_nothing_and_the_days_count_all_the_same(
    fresh: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def full(path: Path, content: bytes) -> None:
        if path.name == SIGNATURE:
            path.with_name(f"{path.name}.new").write_bytes(content[:9])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_private(path, content)

    monkeypatch.setattr(bulletin, "write_private", full)
    with pytest.raises(BulletinRefused, match=r"No space left.*the days count as published"):
        publish(fresh, (), Edition(QUARTER), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(BulletinOverlaps):
        publish(fresh, (), Edition(QUARTER), tmp_path / "out")
    # Where not even the folder could be made, nobody can have read anything.
    fresh.store.note("bulletins", "[]")
    (tmp_path / "file").touch()
    with pytest.raises(BulletinRefused, match="Not a directory"):
        publish(fresh, (), Edition(QUARTER), tmp_path / "file" / "below")
    assert published(fresh) == ()


def _full(folder: Path) -> None:
    folder.mkdir()
    (folder / "something").touch()


@pytest.mark.parametrize(
    ("edition", "prepare", "why"),
    [
        (Edition(Period(Day(TODAY - 5), TODAY)), None, "over"),
        (Edition(QUARTER, ("nothing",)), None, "no mark"),
        (Edition(QUARTER, ("daesh", "daesh")), None, "twice"),
        (Edition(QUARTER), _full, "empty"),
        (Edition(QUARTER), lambda folder: folder.touch(), "empty"),
    ],
    ids=["not over", "no such mark", "a mark twice", "a full folder", "a file"],
)
def test_what_cannot_be_published_is_refused_and_nothing_written(
    fresh: Desk, tmp_path: Path, edition: Edition, prepare: Callable[[Path], None] | None, why: str
) -> None:
    folder = tmp_path / "out"
    if prepare:
        prepare(folder)
    with pytest.raises(BulletinRefused, match=why):
        publish(fresh, (), edition, folder)
    assert not (folder / STATEMENT).exists()
    assert fresh.store.noted("bulletins") == "[]"


def test_a_month_has_no_table_of_months_and_nothing_is_a_bulletin_of_dashes(
    quarter: Desk,
) -> None:
    found = lines((), parse_period("2024-06", TODAY), quarter.rules)
    assert {one.count for one in found} == {None}
    assert "months" not in {one.table for one in found}
    page = rendered(found, QUARTER, TODAY, quarter.rules, rehearsal=False)["bulletin.html"]
    assert b"REHEARSAL" not in page
    assert b"%" not in page.split(b"<tbody>", 1)[1].split(b"How to check")[0]


def test_no_bulletin_goes_into_the_desks_own_folder(fresh: Desk, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(fresh.home.folder)
    for folder in (fresh.home.services, fresh.home.folder / "new", tmp_path / "link" / "out"):
        with pytest.raises(BulletinRefused, match="own folder"):
            publish(fresh, (), Edition(QUARTER), folder)
        assert not folder.exists()
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(BulletinRefused, match="cannot be written"):
        publish(fresh, (), Edition(QUARTER), tmp_path / "round" / "out")
