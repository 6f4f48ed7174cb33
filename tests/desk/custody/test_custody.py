"""An identity opens when k custodians said yes to this request, and the journal says so."""

from __future__ import annotations

import re
from typing import Any

import pytest

from crypto.custody_letters import REASON_MOST
from crypto.letter import from_text
from crypto.manifest import IDENTITY_LATER
from desk import acts, custodian, custody, telling, work
from desk.cases import Cases
from desk.errors import CaseMoved, CustodyRefused
from desk.outbox import append
from desk.verify import Entry
from tests.desk.custody.conftest import NAME, Office
from tests.desk.world import Reporter


def refusal(match: str) -> Any:
    return pytest.raises(CustodyRefused, match=match)


def journal(office: Office, kind: str) -> list[dict[str, Any]]:
    """What a second operator's desk reads of it."""
    return [dict(one.body.data) for one in office.case("operator 2").work.of(kind)]


def names(opened: custody.Opened) -> list[object]:
    return [one.manifest.identity["name"] for one in opened.identities]


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.parametrize("pair", [(1, 2), (1, 3), (2, 3)])
def test_any_two_of_three_custodians_open_an_identity_and_the_journal_says_so(
    office: Office, pair: tuple[int, int]
) -> None:
    asked = office.ask("They must be warned.")
    opened = office.open(asked, *(office.yes(number, asked.text) for number in pair))
    assert names(opened) == [NAME]
    assert opened.custodians == tuple(f"custodian {n}" for n in pair)
    assert opened.sent
    assert journal(office, acts.IDENTITY_REQUEST) == [
        {"request": asked.id.hex(), "text": "They must be warned."}
    ]
    assert journal(office, acts.IDENTITY_OPENED) == [
        {
            "request": asked.id.hex(),
            "custodians": [f"custodian {n}" for n in pair],
            "text": "They must be warned.",
        }
    ]


@pytest.mark.claim("C-CUSTODY")
def test_one_custodian_of_two_opens_nothing_and_nothing_is_written(office: Office) -> None:
    asked = office.ask()
    yes = office.yes(1, asked.text)
    with refusal("2 custodians must say yes.*Yes: custodian 1. No: nobody"):
        office.open(asked, yes)
    with refusal("2 custodians must say yes"):
        office.open(asked, yes, yes)
    with refusal("No: custodian 2 .“Not without a judge.”"):
        office.open(asked, yes, office.no(2, asked.text))
    assert journal(office, acts.IDENTITY_OPENED) == []
    assert NAME not in repr(office.case())


@pytest.mark.claim("C-CUSTODY")
def test_a_no_does_not_stop_two_others_and_three_may_agree(office: Office) -> None:
    first = office.ask()
    answers = [office.yes(1, first.text), office.no(2, first.text), office.yes(3, first.text)]
    assert office.open(first, *answers).custodians == ("custodian 1", "custodian 3")
    second = office.ask()
    answers = [office.yes(number, second.text) for number in (1, 2, 3)]
    assert len(office.open(second, *answers).custodians) == 3


@pytest.mark.claim("C-CUSTODY")
def test_a_no_is_signed_into_the_journal_once_and_every_desk_reads_by_whom_and_when(
    office: Office,
) -> None:
    asked, other = office.ask("They must be warned."), office.ask("Another.")
    no, yes = office.no(2, asked.text), office.yes(1, asked.text)
    with refusal("2 custodians must say yes"):
        office.open(asked, yes, no)
    filed = {
        "request": asked.id.hex(), "custodian": "custodian 2", "day": "2026-11-22",
        "text": "Not without a judge.",
    }  # fmt: skip
    assert journal(office, acts.IDENTITY_REFUSED) == [filed]
    # Once more, by whichever way: it is there already.
    desk = office.desk("operator 1")
    said = custody.Refusal("custodian 2", "2026-11-22", "Not without a judge.")
    assert custody.file_refusals(desk, office.case(), [no]) == ((said,), True)
    with refusal("2 custodians must say yes"):
        office.open(asked, yes, no)
    assert journal(office, acts.IDENTITY_REFUSED) == [filed]
    # A second custodian's no, which comes without anything to open.
    third = office.no(3, asked.text, "Ask the family first.")
    assert custody.file_refusals(desk, office.case(), [third])[1]
    for name in ("operator 1", "operator 2"):
        first, second = custody.pending(office.desk(name), office.case(name))
        assert first.refusals == (
            said,
            custody.Refusal("custodian 3", "2026-11-22", "Ask the family first."),
        )
        assert (second.id, second.refusals) == (other.id.hex(), ())
    told = [
        telling.act(one.body.type, one.body.data, desk.rules)
        for one in office.case("operator 2").work.of(acts.IDENTITY_REFUSED)
    ]
    assert told == [
        f"filed that custodian {number} refused request {asked.id.hex()[:8]} on 2026-11-22"
        for number in (2, 3)
    ]
    assert office.case("operator 2").alarms == ()


@pytest.mark.claim("C-CUSTODY")
def test_what_was_refused_is_filed_beside_what_was_opened(office: Office) -> None:
    asked = office.ask()
    answers = [office.yes(1, asked.text), office.no(2, asked.text), office.yes(3, asked.text)]
    office.open(asked, *answers)
    case = office.case("operator 2")
    kinds = [one.body.type for one in case.timeline if isinstance(one, Entry)]
    assert kinds == [acts.IDENTITY_REQUEST, acts.IDENTITY_REFUSED, acts.IDENTITY_OPENED]
    assert case.work.of(acts.IDENTITY_REFUSED)[0].signer.name == "operator 1"


def test_only_a_no_to_ones_own_request_about_this_case_is_filed(office: Office) -> None:
    asked, desk = office.ask(), office.desk("operator 1")
    with refusal("custodian 1 said yes"):
        custody.file_refusals(
            desk, office.case(), [office.no(2, asked.text), office.yes(1, asked.text)]
        )
    other = Office(office.folder, office.world, office.server, Reporter(office.world), office.desks)
    other.report("Somebody Else")
    with refusal("answered about another case"):
        custody.file_refusals(desk, other.case(), [office.no(2, asked.text)])
    with refusal("custodian's desk"):
        custody.file_refusals(office.desk("custodian 1"), office.case(), [])
    assert journal(office, acts.IDENTITY_REFUSED) == []


def test_a_refusal_that_cannot_be_sent_waits_like_every_act(office: Office) -> None:
    asked, desk = office.ask(), office.desk("operator 1")
    no = office.no(2, asked.text)
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    assert not custody.file_refusals(desk, office.case(), [no])[1]
    office.server.answers.clear()
    office.desk("operator 1")
    assert len(journal(office, acts.IDENTITY_REFUSED)) == 1


@pytest.mark.claim("C-CUSTODY")
def test_an_answer_serves_its_own_request_alone_and_that_once(office: Office) -> None:
    first, second = office.ask("Once."), office.ask("Twice.")
    ones = [office.yes(number, first.text) for number in (1, 2)]
    twos = [office.yes(number, second.text) for number in (1, 2)]
    with refusal("custodian 2 answered another request"):
        office.open(first, ones[0], twos[1])
    assert [one.reason for one in custody.pending(office.desk("operator 1"), office.case())] == [
        "Once.",
        "Twice.",
    ]
    office.open(first, *ones)
    with refusal("opened already, on 2026-11-22"):
        office.open(first, *ones)
    (left,) = custody.pending(office.desk("operator 1"), office.case())
    assert (left.reason, left.mine, left.text) == ("Twice.", True, second.text)
    assert names(office.open(second, *twos)) == [NAME]
    assert custody.pending(office.desk("operator 1"), office.case()) == ()


@pytest.mark.claim("C-CUSTODY")
def test_of_two_that_open_at_once_one_sees_the_name(office: Office) -> None:
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    desk, case = office.desk("operator 1"), office.case()
    assert custody.open_identity(desk, case, asked.id, answers).identities
    # What the other had read, it had read before.
    with pytest.raises(CaseMoved):
        custody.open_identity(desk, case, asked.id, answers)
    assert len(journal(office, acts.IDENTITY_OPENED)) == 1


@pytest.mark.claim("C-CUSTODY")
def test_an_opening_that_is_signed_twice_is_named_on_every_desk(office: Office) -> None:
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    office.open(asked, *answers)
    desk, case = office.desk("operator 1"), office.case()
    (opened,) = case.work.of(acts.IDENTITY_OPENED)
    # As a desk would that was changed.
    append(desk, case, acts.IDENTITY_OPENED, dict(opened.body.data))
    (twice,) = office.case("operator 2").work.irregular
    assert [why.rule for why in twice.why] == ["once"]


@pytest.mark.claim("C-CUSTODY")
def test_an_answer_about_one_case_opens_no_other(office: Office) -> None:
    other = Office(office.folder, office.world, office.server, Reporter(office.world), office.desks)
    other.report("Somebody Else")
    asked, elsewhere = office.ask(), other.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    with refusal("answered about another case"):
        other.open(elsewhere, *answers)
    with refusal("no such request of this desk's operator"):
        other.open(asked, *answers)


@pytest.mark.claim("C-CUSTODY")
def test_what_was_answered_to_one_operator_opens_nothing_for_another(office: Office) -> None:
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    office.ask(by="operator 2")
    with refusal("no such request of this desk's operator"):
        office.open(asked, *answers, by="operator 2")
    with refusal("not sealed to this desk"):
        own = custody.ask(office.desk("operator 2"), office.case("operator 2"), "Mine.")
        office.open(own, *answers, by="operator 2")
    assert names(office.open(asked, *answers)) == [NAME]


def test_a_request_by_word_of_mouth_is_in_the_journal_and_opens_nothing(office: Office) -> None:
    assert work.ask_identity(office.desk("operator 1"), office.case(), "I called them.")
    assert journal(office, acts.IDENTITY_REQUEST) == [{"text": "I called them."}]
    assert custody.pending(office.desk("operator 1"), office.case()) == ()


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.parametrize(
    "answer", [(400, b'{"error": "no"}'), (401, b'{"error": "stale"}'), (413, b"{}"), (503, b"{}")]
)
def test_what_the_journal_says_was_opened_is_shown_whatever_the_server_answers(
    office: Office, answer: tuple[int, bytes]
) -> None:
    asked = office.ask()
    answers = [office.yes(number, asked.text) for number in (1, 2)]
    desk, case = office.desk("operator 1"), office.case()
    office.server.answers["/v1/envelopes"] = answer
    opened = custody.open_identity(desk, case, asked.id, answers)
    assert (names(opened), opened.sent) == ([NAME], False)
    office.server.answers.clear()
    # The entry that was kept says that it was opened: the same answers serve no second time.
    with refusal("opened already"):
        office.open(asked, *answers)
    office.desk("operator 1")
    assert len(journal(office, acts.IDENTITY_OPENED)) == 1


def test_without_the_server_the_entry_waits_and_goes_out_with_the_next_sync(
    office: Office,
) -> None:
    desk, case = office.desk("operator 1"), office.case()
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    asked = custody.ask(desk, case, "Offline.")
    assert not asked.sent
    office.server.answers.clear()
    answers = [office.yes(number, asked.text) for number in (2, 3)]
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    opened = custody.open_identity(desk, Cases(desk).find(case.id.hex()), asked.id, answers)
    assert (names(opened), opened.sent) == ([NAME], False)
    office.server.answers.clear()
    office.desk("operator 1")
    assert len(journal(office, acts.IDENTITY_OPENED)) == 1


def test_a_name_that_was_given_later_is_asked_for_with_the_first(office: Office) -> None:
    assert office.case().report is not None
    locked = office.reporter.identity("A Later Name")
    office.server.put(
        *office.reporter.follow_up("nothing of the kind"),
        office.reporter.follow_up(
            "",
            body_changes={
                "type": IDENTITY_LATER,
                "identity_mode": "contact_only",
                "identity": locked.ref,
            },
        )[0],
        locked,
    )
    asked = office.ask()
    keeper = office.desk("custodian 1")
    assert len(custodian.read(keeper, asked.text).envelopes) == 2
    opened = office.open(asked, *(office.yes(number, asked.text) for number in (1, 2)))
    assert sorted(map(str, names(opened))) == ["A Later Name", NAME]


def test_an_anonymous_report_has_nothing_to_open(office: Office) -> None:
    office.reporter = Reporter(office.world)
    office.server.put(*office.reporter.report())
    with refusal("neither a name nor a contact"):
        office.ask()
    office.reporter = Reporter(office.world)
    report, locked = office.reporter.report(identity_mode="contact_only")
    office.server.put(report)
    with refusal("not on this machine as they sealed it"):
        office.ask()
    office.server.put(locked)
    assert office.ask().sent


def test_a_case_that_began_with_a_message_can_be_asked_about(office: Office) -> None:
    office.reporter = Reporter(office.world)
    locked = office.reporter.identity(NAME)
    how = {"type": IDENTITY_LATER, "identity_mode": "contact_only", "identity": locked.ref}
    office.server.put(office.reporter.follow_up("", body_changes=how)[0], locked)
    asked = office.ask()
    opened = office.open(asked, *(office.yes(number, asked.text) for number in (1, 3)))
    assert names(opened) == [NAME]


@pytest.mark.parametrize("reason", ["", " \n", "x" * (REASON_MOST + 1)])
def test_a_reason_is_needed_to_ask_and_to_refuse(office: Office, reason: str) -> None:
    with refusal("A reason is needed"):
        office.ask(reason)
    asked = office.ask()
    with refusal("A reason is needed"):
        office.no(1, asked.text, reason)


def test_a_custodian_asks_and_opens_nothing_and_an_operator_answers_nothing(
    office: Office,
) -> None:
    asked = office.ask()
    keeper, desk = office.desk("custodian 1"), office.desk("operator 1")
    with refusal("custodian's desk"):
        custody.ask(keeper, office.case(), "x")
    with refusal("custodian's desk"):
        custody.open_identity(keeper, office.case(), asked.id, [])
    own = custodian.read(desk, asked.text)
    assert own.operator.label == "operator 1"
    with refusal("operator's desk"):
        custodian.agree(desk, own)
    with refusal("operator's desk"):
        custodian.refuse(desk, own, "no")


def test_a_request_tells_whoever_finds_it_nothing(office: Office) -> None:
    asked = office.ask("The victim must be reached.")
    raw = from_text(asked.text)
    case = office.reporter.case
    for secret in (b"victim", case, case.hex().encode(), b"operator 1"):
        assert secret not in raw
        assert secret not in asked.text.encode()
    assert re.fullmatch(r"[\x20-\x7e\n]+", asked.text)
