"""What custodians are asked and answer, field by field."""

import json
from typing import Any

import pytest

from crypto.custody import Share
from crypto.custody_letters import (
    IDENTITIES_MOST,
    REASON_MOST,
    CustodyAnswer,
    CustodyRequest,
    IdentityShares,
)
from crypto.errors import ManifestMalformed
from crypto.ids import CaseId, Day, EnvelopeId, HeaderHash, Kid
from crypto.manifest import EvidenceRef

KEEPER = Kid(b"K" * 16)


def ref(number: int = 1) -> EvidenceRef:
    return EvidenceRef(EnvelopeId(bytes([number]) * 16), HeaderHash(b"H" * 32))


def share(number: int = 1) -> Share:
    return Share(KEEPER, bytes([number]) * 16, b"secret share of thirty-two bytes")


def request(**changes: Any) -> CustodyRequest:
    usual: dict[str, Any] = {
        "case": CaseId(b"C" * 16),
        "identities": (ref(1), ref(2)),
        "operator": Kid(b"O" * 16),
        "label": "operator 1",
        "reason": "They must be called.",
        "day": Day(20_700),
        "roster_hash": b"R" * 32,
    }
    return CustodyRequest(**{**usual, **changes})


def answer(**changes: Any) -> CustodyAnswer:
    usual: dict[str, Any] = {
        "case": CaseId(b"C" * 16),
        "request": b"Q" * 32,
        "custodian": KEEPER,
        "label": "custodian 1",
        "day": Day(20_700),
        "identities": (IdentityShares(ref(), (share(1), share(2))),),
    }
    return CustodyAnswer(**{**usual, **changes})


def test_a_request_comes_back_and_no_two_are_the_same() -> None:
    one = request()
    assert CustodyRequest.from_json(one.to_json()) == one
    assert one != request()
    assert "called" not in repr(one)


def test_an_answer_comes_back_and_its_shares_show_nowhere() -> None:
    yes = answer()
    again = CustodyAnswer.from_json(yes.to_json())
    assert again.agreed
    (item,) = again.identities
    assert [(one.holder, one.subset, one.value) for one in item.shares] == [
        (one.holder, one.subset, one.value) for one in yes.identities[0].shares
    ]
    assert "secret" not in repr(again) + repr(item)
    no = answer(identities=(), reason="Not yet.")
    assert CustodyAnswer.from_json(no.to_json()) == no
    assert not no.agreed


@pytest.mark.parametrize(
    "changes",
    [
        {"identities": ()},
        {"identities": (ref(1), ref(1))},
        {"identities": tuple(ref(n) for n in range(IDENTITIES_MOST + 1))},
        {"reason": ""},
        {"reason": " \n"},
        {"reason": "x" * (REASON_MOST + 1)},
        {"day": Day(0)},
        {"day": Day(2**20)},
        {"label": "x" * 257},
    ],
    ids=["none", "twice", "many", "empty", "blank", "long", "no day", "late day", "label"],
)
def test_a_request_that_cannot_be_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ManifestMalformed):
        request(**changes).to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"identities": ()},
        {"reason": "no"},
        {"identities": (), "reason": "x" * (REASON_MOST + 1)},
        {"identities": (IdentityShares(ref(), ()),)},
        {"identities": (IdentityShares(ref(), (share(), share())),)},
        {"identities": (IdentityShares(ref(), tuple(share(n) for n in range(65))),)},
        {"identities": (IdentityShares(ref(), (share(),)), IdentityShares(ref(), (share(),)))},
        {"day": Day(0)},
    ],
    ids=["neither", "both", "long", "no share", "share twice", "shares", "identity twice", "day"],
)
def test_an_answer_that_cannot_be_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ManifestMalformed):
        answer(**changes).to_json()


@pytest.mark.parametrize("of", [request, answer], ids=["request", "answer"])
def test_every_field_is_needed_and_no_other_is_taken(of: Any) -> None:
    good = json.loads(of().to_json())
    parse = type(of()).from_json
    bad = [{key: value for key, value in good.items() if key != name} for name in good]
    bad += [{**good, "more": 1}, {**good, "v": 2}]
    bad += [{**good, name: 1} for name in good if isinstance(good[name], str | list)]
    bad += [{**good, name: value[:-2]} for name, value in good.items() if name in HEXED]
    bad += [{**good, "day": 0}, {**good, "identities": [good["identities"][0]] * 2}]
    bad += [{**good, "identities": [{**good["identities"][0], "more": 1}]}]
    for one in bad:
        with pytest.raises(ManifestMalformed):
            parse(json.dumps(one).encode())


HEXED = ("case", "operator", "roster_hash", "nonce", "request", "custodian")


def test_what_was_not_written_is_not_read_either() -> None:
    good = json.loads(answer().to_json())
    item = good["identities"][0]
    for changed in (
        {**good, "reason": "yes and no"},
        {**good, "identities": []},
        {**good, "identities": [{**item, "shares": []}]},
        {**good, "identities": [{**item, "shares": [{**item["shares"][0], "more": 1}]}]},
        {**good, "identities": [{**item, "shares": [{**item["shares"][0], "value": "00"}]}]},
    ):
        with pytest.raises(ManifestMalformed):
            CustodyAnswer.from_json(json.dumps(changed).encode())
    with pytest.raises(ManifestMalformed):
        CustodyRequest.from_json(request().to_json().replace(b"They must be called.", b""))
