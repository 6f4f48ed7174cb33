"""Desks to which a server showed one case differently agree on it, and accuse nobody of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from crypto.envelope import Operators
from crypto.header import Kind
from crypto.ids import Day
from desk import words
from desk.alarms import Sign
from desk.cases import Cases
from desk.desk import Desk
from desk.outbox import answer, append
from desk.progress import Silence
from desk.sync import synchronise
from desk.verify import Reply
from desk.work import allowed, set_priority, set_state
from tests.desk.journal import READY
from tests.desk.world import TODAY, Reporter, World, make_desk, row

if TYPE_CHECKING:
    from pathlib import Path

    from desk.cases import Case
    from tests.desk.server import FakeServer

KNOWN: dict[str, Any] = {"identity_mode": "contact_only"}
SENDING = {"state": "transmitted", **READY, "package": "0" * 64}
_FOR_TWO = {Sign.FOUR_EYES, Sign.FOUR_EYES_UNTOLD}


@dataclass
class Two:
    """Two operators' desks, and one case."""

    server: FakeServer
    reporter: Reporter
    desks: tuple[Desk, Desk]

    def sync(self, *which: int) -> None:
        """Of these, or of both until each has what the other wrote."""
        for one in which or (0, 1, 0, 1):
            synchronise(self.desks[one], Silence())

    def case(self, which: int) -> Case:
        """As that desk reads it."""
        return Cases(self.desks[which]).find(self.reporter.case.hex())

    def state(self, which: int, name: str, **facts: str) -> None:
        """Set one, and let both learn of it."""
        set_state(self.desks[which], self.case(which), name, **facts)
        self.sync()


@pytest.fixture
def two(tmp_path: Path, world: World, server: FakeServer, reporter: Reporter) -> Two:
    first = make_desk(tmp_path / "first", world, server.url)
    second = make_desk(tmp_path / "second", world, server.url, keyring=world.operators[1])
    return Two(server, reporter, (first, second))


def signs(case: Case) -> set[Sign]:
    return {one.sign for one in case.alarms}


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.claim("C-FORGED")
def test_an_answer_to_the_report_that_its_authors_desk_shows_first_accuses_nobody(
    two: Two, world: World
) -> None:
    """One desk was shown a forged report first, and its operator answered that."""
    true = two.reporter.report(description="true", **KNOWN)
    forged = Reporter(world, case=two.reporter.case).report(description="forged", **KNOWN)
    two.server.put(*forged)
    two.sync(0)
    two.server.rows.clear()
    two.server.put(*true)
    two.sync(1)
    two.server.put(*forged)
    two.sync()
    two.state(0, "triage")
    two.state(0, "assessment")
    two.state(1, "ready", **READY)
    answer(two.desks[0], two.case(0), "We hand it over.")
    two.sync()
    assert allowed(two.desks[0], two.case(0), SENDING) == ()
    append(two.desks[0], two.case(0), "status", SENDING)
    two.sync()
    assert [two.case(one).state for one in (0, 1)] == ["transmitted", "transmitted"]
    for one in (0, 1):
        assert not signs(two.case(one)) & {*_FOR_TWO, Sign.REPLY_FORGED}
    (said,) = [one for one in two.case(1).messages if isinstance(one, Reply)]
    assert str(words.told(said)) == "answered, to another receipt than this case's"
    assert Sign.REPLY_ELSEWHERE in signs(two.case(1))
    assert two.case(1).unanswered
    assert not two.case(0).unanswered


@pytest.mark.claim("C-FOUR-EYES")
def test_an_answer_that_one_desk_proves_and_another_had_doubts_of_accuses_nobody(
    two: Two, world: World
) -> None:
    """A message began the case; later one desk is shown one forged report, the other two."""
    two.server.put(*two.reporter.follow_up("Help."))
    two.sync()
    answer(two.desks[0], two.case(0), "We read you.")
    two.sync()
    forged = Reporter(world, case=two.reporter.case).report(description="F", **KNOWN)
    other = Reporter(world, case=two.reporter.case).report(description="F2", **KNOWN)

    def one_for_the_first_and_both_for_the_second() -> None:
        for envelope in other:
            two.server.rows.pop(envelope.header.envelope, None)
        two.server.put(*forged)
        two.sync(0)
        two.server.put(*other)
        two.sync(1)

    one_for_the_first_and_both_for_the_second()
    for name in ("triage", "imminent"):
        set_state(two.desks[0], two.case(0), name)
        one_for_the_first_and_both_for_the_second()
    assert allowed(two.desks[0], two.case(0), SENDING) == ()
    append(two.desks[0], two.case(0), "status", SENDING)
    one_for_the_first_and_both_for_the_second()
    assert two.case(1).state == "transmitted"
    assert not signs(two.case(1)) & _FOR_TWO
    assert two.case(1).work.irregular == ()


@pytest.mark.claim("C-WORK")
def test_what_opens_on_one_desk_alone_orders_no_acts(two: Two, world: World) -> None:
    """A report sealed to one operator, of a day far off, that all later words name."""
    two.server.put(*two.reporter.report())
    two.sync()
    left_out = world.operators[1].key.public.kid
    others = [key for key in world.roster.evidence_keys() if key.kid != left_out]
    sealer = world.sealer(Kind.REPORT, two.reporter.case, day=Day(TODAY + 4000))
    manifest = two.desks[0].opener.report(two.case(0).origin.told[0].envelope)
    two.server.put(row(sealer.seal(manifest.to_json(), Operators(tuple(others)))))
    two.sync()
    tomorrow = Desk.open(two.desks[1].home, two.desks[1].keyring, today=lambda: Day(TODAY + 1))
    set_priority(two.desks[0], two.case(0), "P1")
    set_priority(tomorrow, Cases(tomorrow).find(two.reporter.case.hex()), "P4")
    two.sync()
    first, second = two.case(0), two.case(1)
    assert first.known == second.known
    assert [one.envelope.id for one in first.origin.told] != []
    assert len(first.work.conflicts["priority"]) == 2
    assert first.priority == second.priority
    assert [one.node.hash for one in first.work.entries] == [
        one.node.hash for one in second.work.entries
    ]
