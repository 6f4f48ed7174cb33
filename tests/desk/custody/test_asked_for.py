"""Two identities under one id: none that opens is taken away, and a custodian is told of both."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.envelope import Custodians
from crypto.header import Kind
from crypto.ids import Day, EnvelopeId, Kid
from crypto.manifest import EvidenceRef, IdentityManifest
from desk import asked_for, custodian
from desk.alarms import Alarm, Sign
from desk.custody_words import digest_of
from desk.disk import Disk
from desk.errors import CustodyRefused, StoreDamaged
from desk.identity import open_identities
from desk.progress import Silence
from desk.renewal import Renewal
from desk.sync import synchronise
from tests.desk.custody.conftest import NAME, Office, office_of
from tests.desk.custody.test_pages import browser, post
from tests.desk.running import done, running
from tests.desk.server import serving
from tests.desk.world import Reporter, World, of_kind, row

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.ids import CaseId, HeaderHash
    from desk.desk import Desk
    from tests.desk.world import Row

OTHER = "Innocent Neighbour"
KEEPER = "custodian 1"


def true_of(office: Office) -> Row:
    (true,) = [one for one in office.server.rows.values() if one.header.kind is Kind.IDENTITY]
    return true


def another_under_its_id(
    office: Office, true: Row, *, case: CaseId | None = None, keys: Custodians | None = None
) -> Row:
    """What whoever has the roster can seal: to these custodians, under the true one's id."""
    world = office.world
    sealer = world.sealer(
        Kind.IDENTITY, case or office.reporter.case, envelope=true.header.envelope
    )
    manifest = IdentityManifest(
        identity_mode="full_identity", identity={"name": OTHER}, safe_contact={}
    )
    keys = keys or Custodians(world.roster.custodian_keys(), world.roster.quorum)
    return row(sealer.seal(manifest.to_json(), keys))


def shows(office: Office, one: Row) -> None:
    """From now on the server has this one under its id."""
    office.server.rows[one.header.envelope] = one


def request_for(office: Office, one: Row, by: str = "operator 2") -> str:
    """A request for what the server put there, by a colleague whose desk was changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("desk.custody._wanted", lambda _: [one])
        return office.ask("Trust me.", by=by).text


def synced(desk: Desk) -> list[Sign]:
    return [one.sign for one in synchronise(desk, Silence()).alarms]


def here(desk: Desk, case: CaseId) -> set[HeaderHash]:
    return {ref.header_hash for ref in asked_for.identities_of(desk.store, case)}


def changed(one: Row) -> Alarm:
    return Alarm(Sign.ENVELOPE_CHANGED, one.header.case.hex(), one.id.hex())


# --- both are kept


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.claim("C-RENEWED")
def test_the_true_one_comes_though_a_forged_one_that_opens_came_first(office: Office) -> None:
    true = true_of(office)
    asked = office.ask()
    forged = another_under_its_id(office, true)
    shows(office, forged)
    desk = office.desk(KEEPER)
    shows(office, true)
    for _ in range(2):
        # Nobody has said which of the two is the true one.
        assert synced(desk) == [Sign.ENVELOPE_CHANGED]
        assert here(desk, office.reporter.case) == {forged.header.hash}
    with pytest.raises(CustodyRefused, match="holds another identity under the id"):
        custodian.read(desk, asked.text)
    for _ in range(2):
        assert synced(desk) == [Sign.ENVELOPE_CHANGED]
    assert here(desk, office.reporter.case) == {forged.header.hash, true.header.hash}
    asking = custodian.read(desk, asked.text)
    assert asking.contested == ((true.header.hash, (forged.header.hash,)),)
    with pytest.raises(CustodyRefused, match="say so with your yes"):
        custodian.agree(desk, asking)
    letters = [custodian.agree(desk, asking, compared=True), office.yes(2, asked.text)]
    (opened,) = office.open(asked, *letters).identities
    assert opened.manifest.identity["name"] == NAME


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.claim("C-RENEWED")
@pytest.mark.parametrize("then", ["alternates", "shows the false one for good"])
def test_a_server_and_one_colleague_take_no_identity_that_opens_from_a_custodian(
    office: Office, then: str
) -> None:
    true = true_of(office)
    desk = office.desk(KEEPER)
    honest = office.ask()
    second = office.yes(2, honest.text)
    false = another_under_its_id(office, true)
    text = request_for(office, false)
    with pytest.raises(CustodyRefused, match="Nothing was answered, and nothing here is replaced"):
        custodian.read(desk, text)
    shows(office, false)
    for _ in range(3):
        assert synced(desk) == [Sign.ENVELOPE_CHANGED]
        if then == "alternates":
            shows(office, true)
            assert synced(desk) == []
            shows(office, false)
    # It stays until somebody clears it, as it is not known who is at fault.
    assert desk.store.alarms() == (changed(true),)
    (kept,) = of_kind(desk, Kind.IDENTITY)
    assert kept.header == true.header
    # Whoever brings either request, the custodian is told that there are two.
    for letter, named, other in ((honest.text, true, false), (text, false, true)):
        asking = custodian.read(desk, letter)
        assert asking.contested == ((named.header.hash, (other.header.hash,)),)
    agreed = custodian.agree(desk, custodian.read(desk, honest.text), compared=True)
    (opened,) = office.open(honest, agreed, second).identities
    assert opened.manifest.identity["name"] == NAME


@pytest.mark.claim("C-RENEWED")
def test_one_that_does_not_open_gives_way_to_the_one_that_does_without_being_asked_for(
    office: Office,
) -> None:
    true = true_of(office)
    strangers = World.make(custodians=3, quorum=2).roster.custodian_keys()
    shut = another_under_its_id(office, true, keys=Custodians(strangers, 2))
    shows(office, shut)
    desk = office.desk(KEEPER)
    shows(office, true)
    assert synced(desk) == []
    assert here(desk, office.reporter.case) == {true.header.hash}
    # And stays, whatever a request says of the other.
    text = request_for(office, shut)
    with pytest.raises(CustodyRefused, match="holds another identity"):
        custodian.read(desk, text)
    shows(office, shut)
    assert synced(desk) == [Sign.ENVELOPE_CHANGED]
    assert of_kind(desk, Kind.IDENTITY)[0].header == true.header


def test_one_that_was_put_first_into_another_case_stands_in_no_ones_way(office: Office) -> None:
    true, elsewhere = true_of(office), Reporter(office.world)
    asked = office.ask()
    forged = another_under_its_id(office, true, case=elsewhere.case)
    shows(office, forged)
    desk = office.desk(KEEPER)
    shows(office, true)
    with pytest.raises(CustodyRefused, match="holds another identity under the id"):
        custodian.read(desk, asked.text)
    synced(desk)
    assert here(desk, office.reporter.case) == {true.header.hash}
    assert here(desk, elsewhere.case) == {forged.header.hash}
    assert custodian.read(desk, asked.text).contested


def test_what_is_kept_beside_is_mended_too_where_its_wraps_came_wrong(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = true_of(office)
    asked = office.ask()
    shows(office, another_under_its_id(office, true))
    desk = office.desk(KEEPER)
    with pytest.raises(CustodyRefused):
        custodian.read(desk, asked.text)
    shows(office, true)
    # First with nothing of its own for anybody, then on a full disk, then as it is.
    office.server.left_out.add(true.id)
    with monkeypatch.context() as full:
        full.setattr(Disk, "left_for_words", property(lambda _: 0))
        assert Sign.NO_ROOM_FOR_WORDS in synced(desk)
    assert len(here(desk, office.reporter.case)) == 1
    synced(desk)
    with pytest.raises(CustodyRefused, match="no share"):
        custodian.agree(desk, custodian.read(desk, asked.text), compared=True)
    office.server.left_out.clear()
    for _ in range(2):
        synced(desk)
        assert custodian.agree(desk, custodian.read(desk, asked.text), compared=True)
    assert len(asked_for.beside(desk.store, EnvelopeId(true.id))) == 1


def test_what_is_not_as_it_was_sealed_or_has_parts_is_not_kept_beside(office: Office) -> None:
    true = true_of(office)
    asked = office.ask()
    shows(office, another_under_its_id(office, true))
    desk = office.desk(KEEPER)
    with pytest.raises(CustodyRefused):
        custodian.read(desk, asked.text)
    spoilt = replace(true, manifest=bytes(len(true.manifest)))
    shows(office, spoilt)
    synced(desk)
    assert len(here(desk, office.reporter.case)) == 1
    shows(office, true)
    synced(desk)
    assert len(here(desk, office.reporter.case)) == 2
    # What names parts is no identity, whoever asks for it; nor is what is of another kind.
    (first,) = of_kind(desk, Kind.IDENTITY)
    (kept,) = asked_for.beside(desk.store, first.id)
    renewal = Renewal(desk)
    assert [renewal.beside(kept) for _ in range(2)] == [None, None]
    fresh = replace(kept, header=replace(kept.header, day=Day(kept.header.day + 1)))
    asked_for.remember(desk.store, Kid(bytes(16)), [EvidenceRef(fresh.id, fresh.header.hash)])
    assert Renewal(desk).beside(fresh) == fresh
    assert Renewal(desk).beside(replace(fresh, sizes=(5,))) is None
    report = replace(fresh, header=replace(fresh.header, kind=Kind.REPORT))
    asked_for.remember(desk.store, Kid(bytes(16)), [EvidenceRef(report.id, report.header.hash)])
    assert Renewal(desk).beside(report) is None


# --- what is remembered


def test_only_what_lies_here_under_another_header_is_remembered(office: Office) -> None:
    desk, asked = office.desk(KEEPER), office.ask()
    assert custodian.read(desk, asked.text).contested == ()
    later = Reporter(office.world)
    elsewhere = later.identity("Somebody")
    with pytest.raises(CustodyRefused, match="not on this desk as it says"):
        custodian.read(desk, request_for(office, elsewhere))
    assert asked_for.asked_for(desk.store) == frozenset()


def test_an_operators_desk_keeps_nothing_beside_anything(office: Office) -> None:
    """Its own reports say which is the true one."""
    desk, false = office.desk("operator 1"), another_under_its_id(office, true_of(office))
    asked_for.remember(desk.store, office.world.operators[1].key.public.kid, [false.ref])
    shows(office, false)
    assert synced(desk) == [Sign.ENVELOPE_CHANGED]
    assert asked_for.beside(desk.store, EnvelopeId(false.id)) == ()


def refs(start: int, count: int) -> list[EvidenceRef]:
    return [
        EvidenceRef(EnvelopeId(number.to_bytes(16, "big")), bytes(32))  # type: ignore[arg-type]
        for number in range(start, start + count)
    ]


def test_no_operator_pushes_out_what_a_colleagues_requests_named(office: Office) -> None:
    store = office.desk(KEEPER).store
    mine, theirs = Kid(bytes(16)), Kid(b"\1" * 16)
    (first,) = refs(0, 1)
    asked_for.remember(store, mine, [first])
    many = refs(1, asked_for.MOST)
    asked_for.remember(store, theirs, many)
    # What is named again is the newest again, and of their own the oldest are forgotten.
    asked_for.remember(store, theirs, many[:1])
    asked_for.remember(store, theirs, refs(1_000, 5))
    known = {envelope for envelope, _ in asked_for.asked_for(store)}
    assert first.id.hex() in known
    assert len(known) == asked_for.MOST + 1
    assert many[0].id.hex() in known
    assert not known & {one.id.hex() for one in many[1:6]}


def test_one_that_took_the_firsts_place_counts_as_it_is_there(office: Office) -> None:
    desk = office.desk(KEEPER)
    (kept,) = of_kind(desk, Kind.IDENTITY)
    asked_for.keep_beside(desk.store, replace(kept, wraps=b""))
    assert list(asked_for.identities_of(desk.store, kept.case).values()) == [kept]
    assert asked_for.others_of(desk.store, kept) == ()


@pytest.mark.parametrize("spoilt", ["{", "[1]", '{"header": "AA=="}', '{"header": 1}', "[[1]]"])
def test_what_this_disk_spoilt_is_said_and_not_taken_for_what_it_is_not(
    office: Office, spoilt: str
) -> None:
    store = office.desk(KEEPER).store
    store.note("identity-beside:" + "00" * 16 + ":00", spoilt)
    with pytest.raises(StoreDamaged):
        asked_for.beside(store, EnvelopeId(bytes(16)))
    store.note("identity-asked-for:00", spoilt)
    if not spoilt.startswith('{"'):
        with pytest.raises(StoreDamaged):
            asked_for.asked_for(store)


# --- what a custodian is told


@pytest.fixture
def two(office: Office) -> str:
    """A desk that holds both, and the honest operator's request."""
    true = true_of(office)
    asked = office.ask()
    shows(office, another_under_its_id(office, true))
    desk = office.desk(KEEPER)
    shows(office, true)
    with pytest.raises(CustodyRefused):
        custodian.read(desk, asked.text)
    synced(desk)
    return asked.text


def digests(office: Office) -> list[str]:
    desk = office.desk(KEEPER)
    return sorted(digest_of(one) for one in here(desk, office.reporter.case))


def test_the_command_says_that_there_are_two_and_gives_no_yes_before_they_were_compared(
    office: Office, two: str, tmp_path: Path, phrase: Path
) -> None:
    run = running(office.desk(KEEPER).home.folder, phrase)
    request, yes = tmp_path / "request", tmp_path / "yes"
    request.write_text(two)
    for said in (
        run("custody", "read", str(request)),
        run("custody", "agree", str(request), "--to", str(yes)),
    ):
        assert "This desk holds another identity under the same id" in said.stderr
        assert "compare with a colleague custodian" in said.stderr
        assert all(one in said.stderr for one in digests(office))
    assert not yes.exists()
    told = json.loads(done(run("custody", "read", str(request), "--json")))
    (pair,) = told["contested"]
    assert sorted([pair["named"], *pair["others"]]) == digests(office)
    # The named one is what an operator's desk reads aloud.
    assert pair["named"] == digest_of(true_of(office).header.hash)
    done(run("custody", "refuse", str(request), "--reason", "Not yet.", "--to", str(yes)))
    yes.unlink()
    said = run("custody", "agree", str(request), "--compared", "--to", str(yes))
    assert (said.exit_code, "holds another" in said.stderr) == (0, False)
    assert "BEGIN AMANA CUSTODY ANSWER" in yes.read_text()


def test_the_page_says_that_there_are_two_and_asks_for_a_tick(office: Office, two: str) -> None:
    client = browser(office, KEEPER)
    page = html.unescape(post(client, "/custody/read", pasted=two).text)
    assert "This desk holds another identity under the same id" in page
    assert all(one in page for one in digests(office))
    assert 'name="compared"' in page
    # Somebody whose page was drawn before the second one came has not read of it.
    refused = post(client, "/custody/answer", letter=two, answer="yes")
    assert (refused.status_code, 'name="compared"' in refused.text) == (422, True)
    assert "compare as is said there" in html.unescape(refused.text)
    given = post(client, "/custody/answer", letter=two, answer="yes", compared="yes")
    assert "BEGIN AMANA CUSTODY ANSWER" in given.text


def test_where_there_is_one_nobody_is_asked_to_compare(office: Office) -> None:
    asked = office.ask()
    page = post(browser(office, KEEPER), "/custody/read", pasted=asked.text).text
    assert "another identity" not in page
    assert 'name="compared"' not in page


@pytest.mark.claim("C-FORGED")
def test_one_custodian_who_is_enough_is_shown_both_and_told_not_to_believe_a_request_alone(
    tmp_path: Path, phrase: Path
) -> None:
    world = World.make(custodians=1, quorum=1)
    with serving(world) as server:
        office = office_of(tmp_path, world, server)
        true = true_of(office)
        asked, case = office.ask(), office.reporter.case
        shows(office, another_under_its_id(office, true))
        desk = office.desk(KEEPER)
        shows(office, true)
        with pytest.raises(CustodyRefused, match="holds another identity"):
            open_identities(desk, case, asked.text)
        synced(desk)
        every = open_identities(desk, case)
        assert {one.manifest.identity["name"] for one, _ in every.identities} == {NAME, OTHER}
        assert (every.differ, every.is_contested) == (True, False)
        named = open_identities(desk, case, asked.text)
        assert [one.manifest.identity["name"] for one, _ in named.identities] == [NAME]
        assert "Act on it only when another operator has told you" in named.standing
        request = tmp_path / "request"
        request.write_text(asked.text)
        run = running(desk.home.folder, phrase)
        said = run("identity", case.hex(), "--request", str(request))
        assert "Act on it only when another operator" in re.sub(r"\s+", " ", said.output)
        told = json.loads(done(run("identity", case.hex(), "--request", str(request), "--json")))
        assert told["contested"] is True
        path = f"/case/{case.hex()}/identity/alone"
        page = html.unescape(post(browser(office, KEEPER), path, pasted=asked.text).text)
        assert '<p class="bad">Named by the request' in page
