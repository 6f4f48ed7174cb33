"""Claims C-FOUR-EYES, C-CUT: nobody is accused while something they answered is not here."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.ids import HeaderHash
from crypto.manifest import EntryBody
from desk import unread
from desk.alarms import Sign
from desk.cases import Cases
from desk.errors import NoSuchCase, ServerUnreachable
from desk.fold import FOUR_EYES, fold
from desk.order import Node
from desk.progress import Silence
from desk.rules import load
from desk.sync import synchronise
from desk.telling import contradictions
from desk.trust import Signer
from desk.verify import Entry
from tests.desk.journal import READY, Journal
from tests.desk.world import JPEG, TODAY, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crypto.ids import CaseId
    from desk.cases import Case
    from desk.desk import Desk
    from desk.store import Envelope
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter, Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

NOWHERE = HeaderHash(b"\x07" * 32)
"""What no envelope is."""
_FOR_TWO = {Sign.FOUR_EYES, Sign.FOUR_EYES_UNTOLD}


def signs(case: Case) -> set[Sign]:
    return {one.sign for one in case.alarms}


def said(
    journal: Journal, kind: str, data: dict[str, Any], *parents: Row | HeaderHash, by: int
) -> Row:
    """An act that names just these."""
    named = [one if isinstance(one, bytes) else one.header.hash for one in parents]
    journal.last = journal.world.by_operator(
        Kind.ENTRY, journal.reporter.case, EntryBody(type=kind, data=data).to_json(),
        parents=named, signer=journal.world.operators[by].sign,
    )  # fmt: skip
    return journal.last


def assessed(journal: Journal) -> list[Row]:
    """What comes before a case can be made ready."""
    return [
        journal.state("triage", by=0), journal.state("assessment", by=0),
        journal.state("seriousness_check", by=0),
    ]  # fmt: skip


TRANSMITTED = {"state": "transmitted", **READY}
NOTE = {"text": "Looked at it."}


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize("hand", [0, 1], ids=["another's hand", "the same hand"])
def test_an_act_is_judged_once_all_that_it_answers_is_here(
    desk: Desk, journal: Journal, report: list[Row], sync: Synced, read: Read, hand: int
) -> None:
    """The server holds back one note: whoever transmitted may have known of it that all was well.

    What is against the rules is said as soon as the note is here, and not before.
    """
    rows = [*assessed(journal), journal.state("ready", by=1, **READY)]
    note = journal.act("note", NOTE, by=0)
    sync(*report, *rows, journal.state("transmitted", by=hand, **READY))
    assert signs(read()) == {Sign.FOUR_EYES_UNTOLD, Sign.PARENT_MISSING}
    assert not read().work.irregular
    assert "Nobody here can tell" in " ".join(contradictions(read(), desk.rules))
    sync(note)
    assert signs(read()) == ({Sign.FOUR_EYES} if hand else set())
    assert bool(read().work.irregular) is bool(hand)
    assert not read().work.untold


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize("way", ["itself", "a note", "a hidden note"])
def test_naming_what_exists_nowhere_stays_marked_for_good(
    journal: Journal, report: list[Row], sync: Synced, read: Read, way: str
) -> None:
    """Who made it ready transmits it, too, and names a hash, so that nobody could tell."""
    before = assessed(journal)
    ready = journal.state("ready", by=1, **READY)
    note = said(journal, "note", NOTE, ready, NOWHERE, by=1)
    names: dict[str, list[Row | HeaderHash]] = {
        "itself": [ready, NOWHERE], "a note": [note], "a hidden note": [before[-1]],
    }  # fmt: skip
    sent = said(journal, "status", TRANSMITTED, *names[way], by=1)
    sync(*report, *before, ready, note, sent)
    for _ in range(2):
        assert Sign.PARENT_MISSING in signs(read())
        # What it left out by its own account, without the hash, is judged by that account.
        assert signs(read()) & _FOR_TWO == (
            {Sign.FOUR_EYES} if way == "a hidden note" else {Sign.FOUR_EYES_UNTOLD}
        )
        sync()
    untold = [one.words for one in read().alarms if one.sign is Sign.FOUR_EYES_UNTOLD]
    assert all("a second operator must look at it" in one for one in untold)


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize("hand", [0, 1], ids=["another's hand", "the same hand"])
def test_what_gave_way_to_the_act_before_is_not_asked_for(
    journal: Journal, report: list[Row], sync: Synced, read: Read, hand: int
) -> None:
    """Whatever it was that is missing: whoever made it ready knew of it."""
    before = assessed(journal)
    ready = said(journal, "status", {"state": "ready", **READY}, before[-1], NOWHERE, by=1)
    sync(*report, *before, ready, said(journal, "status", TRANSMITTED, ready, by=hand))
    assert signs(read()) == {Sign.PARENT_MISSING, *([Sign.FOUR_EYES] if hand else [])}
    assert not read().work.untold


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
@pytest.mark.parametrize("kind", ["note", "answer", "a state that leads there"])
def test_an_own_word_that_it_does_not_say_it_knew_is_hidden(
    journal: Journal, world: World, report: list[Row], sync: Synced, read: Read, kind: str,
    *, torn: bool,
) -> None:  # fmt: skip
    """Op 2 made it ready and took that back; op 1 says they saw it, and transmits all the same."""
    before = assessed(journal)
    ready = journal.state("ready", by=1, **READY)
    back = journal.state("assessment", by=1)
    names: list[Row | HeaderHash] = [back, NOWHERE] if torn else [back]
    if kind == "answer":
        knew = world.reply(
            journal.reporter.case, "It was taken back.", journal.reporter.reply_key,
            parents=[one if isinstance(one, bytes) else one.header.hash for one in names],
            signer=world.operators[0].sign,
        )  # fmt: skip
    else:
        data = NOTE if kind == "note" else {"state": "ready", **READY}
        knew = said(journal, "note" if kind == "note" else "status", data, *names, by=0)
    sync(*report, *before, ready, back, knew, said(journal, "status", TRANSMITTED, ready, by=0))
    assert signs(read()) & _FOR_TWO == {Sign.FOUR_EYES_UNTOLD if torn else Sign.FOUR_EYES}


@pytest.mark.claim("C-FOUR-EYES")
def test_a_word_that_its_author_wrote_knowing_of_it_is_not_hidden(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    before = assessed(journal)
    ready = journal.state("ready", by=1, **READY)
    sent = journal.state("transmitted", by=0, **READY)
    note = journal.act("note", NOTE, by=0)
    apart = said(journal, "note", NOTE, ready, by=1)
    sync(*report, *before, ready, sent, note, apart)
    assert not signs(read())


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize("kind", ["note", "status"])
def test_of_an_earlier_key_the_states_that_lead_there_count_alone(kind: str) -> None:
    """A server may keep from the desk with the new key what the old one said."""
    world = World.make(operators=3)
    one, other, later = (Signer(operator) for operator in world.roster.operators)
    object.__setattr__(later.operator, "label", one.operator.label)
    entries: list[Entry] = []
    nodes: dict[HeaderHash, Node] = {}

    def act(signer: Signer, kind: str, data: dict[str, Any], *parents: HeaderHash) -> HeaderHash:
        name = HeaderHash(bytes([len(nodes) + 1]) * 32)
        nodes[name] = node = Node(name, TODAY, parents, by_operator=True)
        body = EntryBody(type=kind, data=data)
        entries.append(Entry(None, node, body, signer))  # type: ignore[arg-type]  # never opened
        return name

    first = act(other, "status", {"state": "triage"})
    last = act(other, "status", {"state": "assessment"}, first)
    ready = act(other, "status", {"state": "ready", **READY}, last)
    act(one, kind, NOTE if kind == "note" else {"state": "ready", **READY}, last)
    act(later, "status", TRANSMITTED, ready)
    folded = fold(entries, nodes, load(), anonymous=False)
    assert any(irregular.broke(FOUR_EYES) for irregular in folded.irregular) is (kind == "status")


@pytest.mark.claim("C-WORK")
def test_other_rules_wait_for_what_is_missing_as_well_and_are_no_alarm(
    desk: Desk, journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    triage, assessment = journal.state("triage"), journal.state("assessment")
    checked = journal.state("seriousness_check")
    ready = journal.state("ready", **READY)
    sync(*report, checked, ready)
    assert signs(read()) == {Sign.PARENT_MISSING}
    assert not read().work.irregular
    (line,) = contradictions(read(), desk.rules)
    assert "Nobody here can tell" in line
    sync(triage, assessment)
    assert (signs(read()), contradictions(read(), desk.rules)) == (set(), [])


@pytest.mark.claim("C-WORK")
def test_an_earlier_check_may_be_what_is_missing(
    journal: Journal, report: list[Row], sync: Synced, read: Read
) -> None:
    triage, assessment = journal.state("triage"), journal.state("assessment")
    checked = journal.state("seriousness_check")
    back = journal.state("assessment")
    ready = journal.state("ready", **READY)
    sync(*report, triage, assessment, back, ready)
    assert [[why.rule for why in one.why] for one in read().work.untold] == [
        ["leads_to"], ["checked"],
    ]  # fmt: skip
    assert not read().work.irregular
    sync(checked)
    assert (read().work.untold, read().work.irregular) == ((), ())


@pytest.mark.claim("C-FOUR-EYES")
def test_a_message_that_cannot_be_believed_here_is_not_missing(
    journal: Journal, reporter: Reporter, world: World, report: list[Row], sync: Synced, read: Read
) -> None:
    before = assessed(journal)
    ready = journal.state("ready", by=1, **READY)
    forged = reporter.follow_up("Mine.", signer=world.operators[0].sign)
    sync(
        *report, *before, ready, *forged,
        said(journal, "status", TRANSMITTED, ready, forged[0].header.hash, by=0),
    )  # fmt: skip
    assert Sign.FOLLOW_UP_FORGED in signs(read())
    assert not signs(read()) & _FOR_TWO


# A list that is not read to its end


@pytest.fixture
def broken(
    desk: Desk, server: FakeServer, journal: Journal, reporter: Reporter,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[int], None]:  # fmt: skip
    """Sync one page after another of a case that was handed over, and end after some."""
    file = reporter.evidence("a.jpg", "image/jpeg", JPEG)
    report = reporter.report([file])
    journal.last = report[0]
    rows = [*assessed(journal), journal.state("ready", by=1, **READY)]
    copy = reporter.evidence("b.jpg", "image/jpeg", JPEG)
    closed = {
        "file": copy.header.envelope.hex(), "sha256": hashlib.sha256(JPEG).hexdigest(),
        "custodian": server.world.operators[1].label, "text": "",
    }  # fmt: skip
    server.put(
        *report, *rows, journal.act("note", NOTE, by=0), journal.act("quarantine", closed, by=0),
        journal.state("transmitted", by=0, **READY), *reporter.follow_up("More.", [copy]),
    )  # fmt: skip
    server.page = 1

    def sync(pages: int) -> None:
        index, left = desk.client.index, iter(range(pages))

        def some(after: str | None) -> Any:
            if next(left, None) is None:
                raise ServerUnreachable("cut")
            return index(after)

        with monkeypatch.context() as patch:
            patch.setattr(desk.client, "index", some)
            synchronise(desk, Silence())

    return sync


def rows_signs(desk: Desk) -> Sequence[set[Sign]]:
    return [{alarm.sign for alarm in one.alarms} for one in desk.index.rows()]


@pytest.mark.claim("C-CUT")
def test_a_list_that_broke_off_accuses_nobody(
    desk: Desk, server: FakeServer, read: Read, broken: Callable[[int], None]
) -> None:
    pages = len(server.rows)
    for place in range(1, pages):
        with pytest.raises(ServerUnreachable):
            broken(place)
        try:
            assert signs(read()) <= {Sign.LIST_NOT_READ}, place
        except NoSuchCase:
            assert place < 2
        assert all(one <= {Sign.LIST_NOT_READ} for one in rows_signs(desk))
    broken(pages + 1)
    assert signs(read()) == set()
    assert rows_signs(desk) == [set()]


@pytest.mark.claim("C-CUT")
def test_what_is_still_missing_is_told_when_the_list_was_read(
    desk: Desk, server: FakeServer, reporter: Reporter, journal: Journal, sync: Synced, read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """And again not while the next one is being read."""
    file = reporter.evidence("a.jpg", "image/jpeg", JPEG)
    report = reporter.report([file])
    journal.last = report[0]
    server.put(report[0], report[1])
    sync()
    found = {Sign.EVIDENCE_MISSING}
    assert (signs(read()), rows_signs(desk)) == (found, [found])
    number = unread.reading(desk.store)
    unread.begin(desk.store)
    assert (signs(read()), rows_signs(desk)) == ({Sign.LIST_NOT_READ}, [{Sign.LIST_NOT_READ}])
    unread.end(desk.store)
    unread.end(desk.store)
    assert (signs(read()), rows_signs(desk)) == (found, [found])
    # A list that was read between two looks of one reader.
    assert unread.is_unread(desk.store, number) is True
    assert unread.is_unread(desk.store, number + 2) is False
    of_case = desk.store.of_case

    def meanwhile(case: CaseId) -> tuple[Envelope, ...]:
        found = of_case(case)
        unread.begin(desk.store)
        unread.end(desk.store)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "of_case", meanwhile)
        assert signs(read()) == {Sign.LIST_NOT_READ}
    assert [signs(one) for one in Cases(desk).all()] == [found]
