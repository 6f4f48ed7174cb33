"""Letters that are not what they must be: forged, moved, of somebody else; each with its reason."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from crypto.custody_letters import CustodyAnswer, CustodyRequest
from crypto.header import Kind
from crypto.ids import Day
from crypto.letter import Letter, LetterKind, from_text, open_letter, seal_letter, to_text
from crypto.manifest import EvidenceRef
from desk import custodian, custody
from desk.errors import CustodyRefused
from desk.keyring import Keyring
from tests.desk.custody.conftest import NAME, Office
from tests.desk.world import TODAY, of_kind


def refusal(match: str) -> Any:
    return pytest.raises(CustodyRefused, match=match)


def names(opened: custody.Opened) -> list[object]:
    return [one.manifest.identity["name"] for one in opened.identities]


def forged(ring: Keyring, office: Office, body: bytes, kind: LetterKind, readers: list[Any]) -> str:
    letter = Letter.write(
        kind,
        ring.sign,
        deployment=office.world.root_public.deployment,
        recipients=[one.kid for one in readers],
        body=body,
    )
    return to_text(seal_letter(letter, readers))


def request_body(office: Office, **changes: Any) -> bytes:
    asked = office.ask()
    letter = open_letter(office.world.operators[0].key, from_text(asked.text))
    genuine = CustodyRequest.from_json(letter.body.encode())
    return dataclasses.replace(genuine, **changes).to_json()


def keepers(office: Office) -> list[Any]:
    return list(office.world.roster.custodian_keys())


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"label": "operator 2"}, "does not hold"),
        ({"operator": bytes(16)}, "does not hold"),
        ({"roster_hash": bytes(32)}, "does not believe"),
        ({"day": Day(TODAY - 31)}, "30 days are the most"),
        ({"day": Day(TODAY + 2)}, "30 days are the most"),
        ({"case": bytes(16)}, "not on this desk as it says"),
        ({"identities": (EvidenceRef(bytes(16), bytes(32)),)}, "not on this desk as it says"),  # type: ignore[arg-type]
    ],
    ids=["label", "key", "roster", "old", "ahead", "case", "identity"],
)
def test_a_request_that_is_not_what_it_must_be_is_refused_with_the_reason(
    office: Office, changes: dict[str, Any], match: str
) -> None:
    body = request_body(office, **changes)
    text = forged(office.world.operators[0], office, body, LetterKind.REQUEST, keepers(office))
    with refusal(match):
        custodian.read(office.desk("custodian 1"), text)


def test_the_wrong_header_of_a_true_identity_is_refused(office: Office) -> None:
    (one,) = of_kind(office.desk("custodian 1"), Kind.IDENTITY)
    body = request_body(office, identities=(EvidenceRef(one.id, bytes(32)),))  # type: ignore[arg-type]
    text = forged(office.world.operators[0], office, body, LetterKind.REQUEST, keepers(office))
    with refusal("holds another identity under the id"):
        custodian.read(office.desk("custodian 1"), text)


@pytest.mark.claim("C-CUSTODY")
def test_a_request_by_a_stranger_a_custodian_or_with_another_key_is_refused(
    office: Office,
) -> None:
    body = request_body(office)
    stranger = Keyring.generate("operator 1")
    swapped = dataclasses.replace(office.world.operators[0], sign=office.world.operators[0].api)
    for ring, match in (
        (stranger, "no operator of the roster"),
        (office.world.custodians[1], "no operator of the roster"),
        (office.world.operators[1], "does not hold"),
        (swapped, "does not hold"),
    ):
        text = forged(ring, office, body, LetterKind.REQUEST, keepers(office))
        with refusal(match):
            custodian.read(office.desk("custodian 1"), text)


def test_a_body_that_is_none_is_refused(office: Office) -> None:
    for ring, kind, readers in ((office.world.operators[0], LetterKind.REQUEST, keepers(office)),):
        text = forged(ring, office, b"{}", kind, readers)
        with refusal("does not hold"):
            custodian.read(office.desk("custodian 1"), text)


def test_what_is_no_letter_or_another_is_refused_with_words(office: Office) -> None:
    keeper, asked = office.desk("custodian 1"), office.ask()
    yes = office.yes(1, asked.text)
    for text, match in (
        ("Dear custodian, please open it.", "no letter between desks"),
        (asked.text[: len(asked.text) // 2], "no letter between desks"),
        (yes, "not sealed to this desk"),
    ):
        with refusal(match):
            custodian.read(keeper, text)
    with refusal("of the other kind"):
        office.open(asked, asked.text)
    with refusal("of the other kind"):
        custody.request_id(office.desk("operator 1"), yes)
    assert custody.request_id(office.desk("operator 1"), asked.text) == asked.id


def test_a_letter_of_another_installation_is_refused(office: Office) -> None:
    body = request_body(office)
    readers = keepers(office)
    letter = Letter.write(
        LetterKind.REQUEST,
        office.world.operators[0].sign,
        deployment=bytes(16),  # type: ignore[arg-type]
        recipients=[one.kid for one in readers],
        body=body,
    )
    with refusal("another installation"):
        custodian.read(office.desk("custodian 1"), to_text(seal_letter(letter, readers)))


def answer_body(office: Office, number: int, text: str, **changes: Any) -> bytes:
    key = office.world.operators[0].key
    letter = open_letter(key, from_text(office.yes(number, text)))
    genuine = CustodyAnswer.from_json(letter.body.encode())
    return dataclasses.replace(genuine, **changes).to_json()


def _answering(office: Office) -> list[Any]:
    return [office.world.roster.operators[0].evidence]


@pytest.mark.claim("C-CUSTODY")
def test_an_answer_that_is_not_what_it_must_be_is_refused(office: Office) -> None:
    asked = office.ask()
    good = office.yes(2, asked.text)
    stranger = Keyring.generate("custodian 1", custodian=True)
    other = office.world.custodians[2].key.public.kid
    for ring, changes, match in (
        (stranger, {}, "no custodian of the roster"),
        (office.world.operators[1], {}, "no custodian of the roster"),
        (office.world.custodians[1], {}, "does not hold"),
        (office.world.custodians[0], {"label": "custodian 2"}, "does not hold"),
        (office.world.custodians[0], {"custodian": other}, "does not hold"),
    ):
        body = answer_body(office, 1, asked.text, **changes)
        text = forged(ring, office, body, LetterKind.ANSWER, _answering(office))
        with refusal(match):
            office.open(asked, good, text)


@pytest.mark.claim("C-CUSTODY")
def test_a_false_share_opens_nothing_and_does_not_stop_two_true_ones(office: Office) -> None:
    asked = office.ask()
    letter = open_letter(office.world.operators[0].key, from_text(office.yes(1, asked.text)))
    genuine = CustodyAnswer.from_json(letter.body.encode())
    (held,) = genuine.identities
    false = tuple(dataclasses.replace(one, value=bytes(32)) for one in held.shares)
    body = dataclasses.replace(
        genuine, identities=(dataclasses.replace(held, shares=false),)
    ).to_json()
    liar = forged(office.world.custodians[0], office, body, LetterKind.ANSWER, _answering(office))
    two, three = office.yes(2, asked.text), office.yes(3, asked.text)
    for answers in itertools.permutations([liar, two]):
        with refusal("do not open this identity"):
            office.open(asked, *answers)
    assert names(office.open(asked, liar, two, three)) == [NAME]


def test_shares_of_what_the_case_does_not_have_open_nothing(office: Office) -> None:
    asked = office.ask()
    answers = []
    for number in (1, 2):
        letter = open_letter(
            office.world.operators[0].key, from_text(office.yes(number, asked.text))
        )
        genuine = CustodyAnswer.from_json(letter.body.encode())
        moved = dataclasses.replace(
            genuine.identities[0],
            ref=EvidenceRef(bytes(16), bytes(32)),  # type: ignore[arg-type]
        )
        body = dataclasses.replace(genuine, identities=(moved,)).to_json()
        ring = office.world.custodians[number - 1]
        answers.append(forged(ring, office, body, LetterKind.ANSWER, _answering(office)))
    with refusal("name no identity of this case"):
        office.open(asked, *answers)


def test_whoever_says_yes_and_no_is_spoken_with(office: Office) -> None:
    asked = office.ask()
    yes, no = office.yes(1, asked.text), office.no(1, asked.text)
    for answers in ((yes, no), (no, yes)):
        with refusal("said yes and no"):
            office.open(asked, *answers)
