"""The views of the list: ours, the operator's own, their order and their counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crypto.ids import CaseId, Day
from desk.clocks import Due
from desk.desk import Desk
from desk.errors import SearchRefused
from desk.rules import load
from desk.saved_views import NAME_MOST, OURS, OWN_MOST, SORTS, View, Views, counted, found, narrowed
from desk.work import assign
from tests.desk.listing.rows import a_row
from tests.desk.world import TODAY, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter, World

    Synced = Callable[..., SyncReport]

RULES = load()


def due(days: int) -> Due:
    return Due(RULES.clocks["first_look"], TODAY, Day(TODAY + days), None)


URGENT = a_row(priority="P1", danger=True)
LATE = a_row(priority="P2", due=due(-3), state="triage", unanswered=False)
CLOSED = a_row(priority="P1", danger=True, state="closed", unanswered=False)
ASKED = a_row(state="info_requested", due=due(9), unanswered=False)
ROWS = (ASKED, CLOSED, LATE, URGENT)


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("all", [URGENT, CLOSED, LATE, ASKED]),
        ("mine", []),
        ("urgent", [URGENT]),
        ("due", [LATE]),
        ("waiting", [ASKED]),
        ("unanswered", [URGENT]),
        ("unchecked", [URGENT, LATE, ASKED]),
        ("returned", []),
        ("danger", [URGENT, CLOSED]),
        ("withdrawn", []),
        ("anonymous", [URGENT, CLOSED, LATE, ASKED]),
        ("alarms", []),
    ],
)
def test_our_views_show_what_they_say(desk: Desk, view: str, shown: list[object]) -> None:
    assert found(desk, OURS[view], ROWS) == shown
    assert counted(desk, [OURS[view]], ROWS) == {view: len(shown)}


def test_every_view_of_ours_is_tried() -> None:
    tried = test_our_views_show_what_they_say.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {view for view, _ in tried} == OURS.keys()


A = a_row(id=CaseId(b"a" * 16), day=Day(TODAY - 2), state="triage", assigned="operator 2")
B = a_row(id=CaseId(b"b" * 16), day=Day(TODAY - 1), due=due(5), category="threats", priority="P2")
C = a_row(id=CaseId(b"c" * 16), due=due(1), state="from_a_newer_desk", assigned="operator 1")
D = a_row(id=CaseId(b"d" * 16), day=Day(TODAY - 3), unanswered=False, priority="P9")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("urgency", [B, C, A, D]),
        ("due", [C, B, A, D]),
        ("newest", [C, B, A, D]),
        ("oldest", [D, A, B, C]),
        ("state", [C, B, D, A]),
        ("category", [C, A, D, B]),
        ("assigned", [C, A, B, D]),
        ("ref", [A, B, C, D]),
    ],
)
def test_the_list_is_sorted(desk: Desk, sort: str, order: list[object]) -> None:
    assert found(desk, View("x", "x", sort=sort), [D, C, B, A]) == order


def test_every_sort_is_tried_and_no_other_is_known(desk: Desk) -> None:
    tried = test_the_list_is_sorted.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {sort for sort, _ in tried} == SORTS.keys()
    with pytest.raises(SearchRefused, match="urgency, due"):
        found(desk, View("x", "x", sort="height"), ROWS)


def test_mine_is_what_was_assigned_to_this_desks_operator(
    desk: Desk, reporter: Reporter, sync: Synced, read: Callable[[], Case]
) -> None:
    sync(*reporter.report())
    for who, shown in (("operator 2", 0), ("operator 1", 1), ("", 0)):
        assign(desk, read(), who)
        assert len(found(desk, OURS["mine"], desk.index.rows())) == shown, who


def test_a_custodian_has_no_cases_of_their_own(
    tmp_path: Path, world: World, server: FakeServer
) -> None:
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    assert found(keeper, OURS["mine"], [a_row(assigned=""), a_row(assigned="custodian 1")]) == []


def test_a_view_is_saved_found_replaced_and_forgotten(desk: Desk) -> None:
    views = Views(desk)
    kept = views.save("  Fake   shops ", " boutique category:fraud ", "due")
    assert kept == View(kept.id, "Fake shops", "boutique category:fraud", "due", own=True)
    later = Views(Desk.open(desk.home, desk.keyring, today=lambda: TODAY))
    assert later.own() == (kept,)
    assert later.named("fake SHOPS") == later.named(kept.id) == kept
    assert later.all()[-1] == kept
    again = later.save("FAKE shops", "magasin")
    assert [(one.name, one.search, one.sort) for one in views.own()] == [
        ("FAKE shops", "magasin", "urgency")
    ]
    assert views.forget("fake shops") == again
    assert views.own() == ()
    with pytest.raises(SearchRefused, match=r"There are: all, mine, .*alarms\."):
        views.named("fake shops")
    assert desk.home.views.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("name", "search", "sort", "why"),
    [
        ("", "x", "due", "1 to 60"),
        ("x" * (NAME_MOST + 1), "x", "due", "1 to 60"),
        ("a\x1bb", "x", "due", "1 to 60"),
        ("Mine", "x", "due", "already"),
        ("due today", "x", "due", "already"),
        ("new", "state:nowhere", "due", "knows"),
        ("new", "x", "height", "sorted by"),
    ],
)
def test_a_view_that_could_not_be_shown_is_not_saved(
    desk: Desk, name: str, search: str, sort: str, why: str
) -> None:
    with pytest.raises(SearchRefused, match=why):
        Views(desk).save(name, search, sort)
    assert not desk.home.views.exists()


def test_there_is_an_end_to_views(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.saved_views.OWN_MOST", 2)
    assert OWN_MOST == 50
    views = Views(desk)
    views.save("one", "x")
    views.save("two", "x")
    with pytest.raises(SearchRefused, match="Forget one first"):
        views.save("three", "x")
    views.save("two", "y")
    with pytest.raises(SearchRefused, match="stays"):
        views.forget("mine")


@pytest.mark.parametrize("damage", [b"", b"x" * 5000, None], ids=["empty", "noise", "another's"])
def test_views_that_do_not_open_are_none(desk: Desk, world: World, damage: bytes | None) -> None:
    views = Views(desk)
    views.save("one", "x")
    if damage is None:
        other = desk.home.views.read_bytes()
        ring = world.operators[1]
        assert Views(Desk.open(desk.home, ring, today=lambda: TODAY)).own() == ()
        assert desk.home.views.read_bytes() == other
    else:
        desk.home.views.write_bytes(damage)
        assert views.own() == ()
        views.save("two", "x")
        assert [one.name for one in views.own()] == ["two"]


def test_a_view_that_the_institutions_rules_do_not_know_is_not_offered(desk: Desk) -> None:
    Views(desk).save("handed back", "state:returned")
    rules = (desk.home.folder / "workflow.toml").open("w")
    rules.write(
        'version = 1\n[states.received]\nwords = { en = "R", fr = "R", ar = "R" }\n'
        '[priorities.P1]\nwords = { en = "1", fr = "1", ar = "1" }\nusual = true\n'
    )
    rules.close()
    changed = Desk.open(desk.home, desk.keyring, today=lambda: TODAY)
    views = Views(changed)
    ids = [one.id for one in views.all()]
    assert "waiting" not in ids
    assert "returned" not in ids
    assert "mine" in ids
    # The operator's own stays, and shows nothing until the rules know its words again.
    (own,) = views.own()
    assert counted(changed, views.all(), ROWS)[own.id] == 0
    with pytest.raises(SearchRefused):
        found(changed, own, ROWS)


def test_a_search_within_a_view_narrows_it(desk: Desk) -> None:
    wider = OURS["due"]
    assert narrowed(wider) == wider
    both = narrowed(wider, " money ", "newest")
    assert (both.search, both.sort) == ("due:today is:open money", "newest")
    assert narrowed(OURS["all"], "money").search == "money"
    assert found(desk, both, ROWS) == [LATE]
