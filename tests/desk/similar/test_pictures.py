"""Nearly the same picture is a reason; what makes the pixels is locked in, and quarantine holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from desk import similar_cases
from desk.cases import Cases
from desk.cli import main
from desk.config import DeskHome
from desk.errors import NothingToSee, Stopped
from desk.outbox import append
from desk.picture_hash import picture_hash
from desk.program import Setting
from desk.progress import Silence
from desk.sight import shown
from desk.similar_cases import SimilarCases
from desk.sync import synchronise
from sanitizer.sight.ask import looking
from sanitizer.sight.order import Sight
from sanitizer.sight.png import written
from tests.desk.world import CHEAP, PASSPHRASE, TODAY, Reporter

if TYPE_CHECKING:
    from desk.cases import Case
    from desk.desk import Desk
    from desk.similar import Features
    from tests.desk.server import FakeServer
    from tests.desk.world import World

needs_jail = pytest.mark.skipif(looking() is None, reason="no worker can be locked in here")


def drawn(width: int, height: int, *, turned: bool = False, light: int = 0) -> Sight:
    """Hills of grey, the same ones at every size."""
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            across, down = 1000 * x // width, 1000 * y // height
            if turned:
                across, down = down, 999 - across
            value = (across * across // 3700 + 97 * (across // 140) + 61 * (down // 120)) % 200
            pixels += bytes([min(255, value + light)] * 3)
    return Sight(width, height, bytes(pixels), width, height)


def png(sight: Sight) -> bytes:
    return written(sight.width, sight.height, sight.pixels, level=1)


def apart(one: Sight, other: Sight) -> int:
    return (picture_hash(one) ^ picture_hash(other)).bit_count()


def test_a_picture_keeps_its_hash_when_it_is_made_smaller_or_lighter() -> None:
    whole = drawn(360, 240)
    assert apart(whole, drawn(72, 48)) <= 6
    assert apart(whole, drawn(360, 240, light=30)) <= 6
    assert apart(whole, drawn(360, 240, turned=True)) > 12
    assert 0 < picture_hash(whole) < 2**64
    for flat in (drawn(8, 8), drawn(9, 7), Sight(20, 20, bytes(1200), 20, 20)):
        assert picture_hash(flat) == 0


def put(world: World, server: FakeServer, *contents: bytes) -> list[Reporter]:
    """A report for each picture."""
    reporters = [Reporter(world) for _ in contents]
    for one, content in zip(reporters, contents, strict=True):
        server.put(*one.report([one.evidence("photo.png", "image/png", content)]))
    return reporters


@needs_jail
def test_the_same_picture_in_another_size_is_found_once_somebody_asks(
    desk: Desk, world: World, server: FakeServer
) -> None:
    pictures = [drawn(360, 240), drawn(240, 160, light=20), drawn(300, 300, turned=True)]
    one, two, _ = put(world, server, *map(png, pictures))
    synchronise(desk, Silence())
    cases, mine = SimilarCases(desk), Cases(desk).find(one.case.hex())
    assert cases.to(mine) == ()
    assert cases.look(Silence()) == 3
    (found,) = cases.to(mine)
    assert (found.case, [one.kind for one in found.reasons]) == (two.case, ["picture"])
    assert cases.look(Silence()) == 0
    again = SimilarCases(desk)
    assert [one.case for one in again.to(mine)] == [two.case]
    assert again.look(Silence()) == 0


def test_what_shows_nothing_and_what_is_in_quarantine_is_not_looked_at(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, closed, text = Reporter(world), Reporter(world), Reporter(world)
    photo = closed.evidence("photo.png", "image/png", png(drawn(360, 240)))
    server.put(*broken.report([broken.evidence("photo.png", "image/png", b"no picture")]))
    server.put(*closed.report([photo]))
    server.put(*text.report([text.evidence("note.txt", "text/plain", b"words")]))
    synchronise(desk, Silence())
    case = Cases(desk).find(closed.case.hex())
    append(
        desk, case, "quarantine",
        {"file": photo.id.hex(), "sha256": "00" * 32, "custodian": "keeper", "text": ""},
    )  # fmt: skip
    asked: list[str] = []
    looked = shown.pixels

    def pixels(desk: Desk, case: object, file_id: str, **how: int) -> Sight:
        asked.append(file_id)
        return looked(desk, case, file_id, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(shown, "pixels", pixels)
    cases = SimilarCases(desk)
    assert cases.look(Silence()) == 0
    assert len(asked) == 1
    assert cases.look(Silence()) == 0
    assert len(asked) == 1


def test_where_no_worker_can_be_locked_in_nothing_is_remembered(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, server, png(drawn(360, 240)))
    synchronise(desk, Silence())
    monkeypatch.setattr(shown, "looking", lambda: None)
    cases = SimilarCases(desk)
    with pytest.raises(NothingToSee, match="locked"):
        cases.look(Silence())
    assert SimilarCases(desk)._seen() == {}


def test_what_was_kept_of_a_picture_is_sealed_and_bound_to_it(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, server, b"one", b"two")
    synchronise(desk, Silence())
    monkeypatch.setattr(shown, "pixels", lambda *_, **__: drawn(360, 240))
    cases = SimilarCases(desk)
    assert cases.look(Silence()) == 2
    kept = desk.home.pictures.read_bytes()
    assert picture_hash(drawn(360, 240)).to_bytes(8, "big") not in kept
    monkeypatch.setattr("desk.similar_cases.PICTURES", "elsewhere")
    assert SimilarCases(desk)._seen() == {}


def test_the_command_looks_when_it_is_asked_to(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = put(world, server, b"one", b"two")
    synchronise(desk, Silence())
    monkeypatch.setattr(shown, "pixels", lambda *_, **__: drawn(360, 240))
    phrase = desk.home.folder.parent / "phrase"
    phrase.write_text(PASSPHRASE)
    setting = Setting(DeskHome(desk.home.folder, phrase), today=lambda: TODAY, cost=CHEAP)
    arguments = ["similar", one.case.hex(), "--pictures", "--json"]
    said = CliRunner().invoke(main, arguments, obj=setting)
    assert (said.exit_code, said.stderr) == (0, "2 new pictures\n")
    (row,) = json.loads(said.stdout)["similar"]
    assert row["case"] == two.case.hex()
    assert row["reasons"][0]["words"] == "almost the same picture, 0 of 64 bits apart"


class StoppedAfter(Silence):
    """Goes on for so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self, words: str) -> None:
        """One step less; raises Stopped where there is none."""
        if not self.left:
            raise Stopped(words)
        self.left -= 1


def test_a_step_is_one_picture_and_not_a_case(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Reporter(world)
    server.put(*one.report([one.evidence(f"{n}.png", "image/png", bytes([n])) for n in range(5)]))
    synchronise(desk, Silence())
    looked: list[str] = []

    def pixels(_desk: Desk, _case: object, name: str, **_: int) -> Sight:
        looked.append(name)
        return drawn(360, 240)

    monkeypatch.setattr(shown, "pixels", pixels)
    cases = SimilarCases(desk)
    with pytest.raises(Stopped):
        cases.look(StoppedAfter(3))
    # One for the case, then one for each picture; what was looked at stays known.
    assert len(looked) == 2
    assert cases.look(Silence()) == 3
    assert len(set(looked)) == 5


def test_a_comparison_can_be_stopped_between_two_cases_and_keeps_what_it_read(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = put(world, server, b"one", b"two", b"three")
    synchronise(desk, Silence())
    read, features = [], SimilarCases._features

    def counted(self: SimilarCases, case: Case) -> Features:
        read.append(case.id)
        return features(self, case)

    monkeypatch.setattr(SimilarCases, "_features", counted)
    cases, mine = SimilarCases(desk), Cases(desk).find(one.case.hex())
    with pytest.raises(Stopped):
        cases.to(mine, progress=StoppedAfter(2))
    assert len(read) == 2
    cases.to(mine)
    assert len(read) == len(set(read)) == 3


@pytest.mark.claim("C-LOCK")
def test_what_a_comparison_had_read_is_forgotten_and_nothing_is_read_again(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = put(world, server, b"one", b"two")
    synchronise(desk, Silence())
    monkeypatch.setattr(shown, "pixels", lambda *_, **__: drawn(360, 240))
    cases, mine = SimilarCases(desk), Cases(desk).find(one.case.hex())
    assert cases.look(Silence()) == 2
    assert cases.to(mine)
    assert all((cases._kept, cases._comparison, cases._pictures))
    cases.forget()
    assert not any((cases._kept, cases._comparison, cases._pictures, cases._passed_over))
    asking = (
        lambda: cases.to(mine), lambda: cases.quickly(mine), lambda: cases.look(Silence()),
        cases.has_new_pictures,
    )  # fmt: skip
    for ask in asking:
        with pytest.raises(Stopped):
            ask()
    assert not any((cases._kept, cases._comparison, cases._pictures))
    cases.forget()


@pytest.mark.claim("C-LOCK")
def test_whoever_compares_at_that_moment_forgets_it_when_its_step_is_over(
    desk: Desk, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = put(world, server, b"one", b"two")
    synchronise(desk, Silence())
    monkeypatch.setattr(similar_cases, "QUICK_SECONDS", 0.01)
    cases, mine = SimilarCases(desk), Cases(desk).find(one.case.hex())

    told: list[str] = []

    class Locking(Silence):
        def step(self, words: str) -> None:
            told.append(words)
            # Another one has the lock, and Lock does not wait for it.
            cases.forget()

    cases.to(mine, progress=Locking())
    assert len(told) == 2
    assert not any((cases._kept, cases._comparison, cases._pictures))
