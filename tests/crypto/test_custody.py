"""Any k custodians together hold the key of an identity, and fewer hold random bytes."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_box_seal

from crypto.custody import split, subset_of, xor
from crypto.envelope import Custodians
from crypto.errors import CannotOpen, NotARecipient, RecipientsRefused, SharesInsufficient
from crypto.header import Kind
from crypto.ids import Kid
from crypto.operator_opening import (
    CustodianPrivateKey,
    OperatorPrivateKey,
    combine_shares,
    open_data_key,
    open_shares,
)
from crypto.unwrap import unwrap_share
from crypto.wrap import Wrap
from tests.crypto.building import Room, Sealed, open_all

HOLDERS = [Kid(bytes([n]) * 16) for n in range(1, 9)]
SECRET = bytes(range(32))


@given(st.integers(1, 5), st.integers(1, 5))
def test_every_quorum_of_custodians_rebuilds_the_key_and_none_smaller_does(n: int, k: int) -> None:
    k = min(n, k)
    shares = split(SECRET, HOLDERS[:n], k)
    assert len(shares) == math.comb(n, k) * k
    for size in range(1, n + 1):
        for present in itertools.combinations(HOLDERS[:n], size):
            mine = [share for share in shares if share.holder in present]
            if size >= k:
                assert combine_shares(mine).raw == SECRET
            else:
                with pytest.raises(SharesInsufficient):
                    combine_shares(mine)


def test_with_one_custodian_missing_of_each_subset_the_rest_is_random() -> None:
    seen = {xor([s.value for s in split(SECRET, HOLDERS[:3], 3)[:2]]) for _ in range(50)}
    assert len(seen) == 50
    assert SECRET not in seen


@pytest.mark.parametrize(
    ("holders", "quorum"),
    [
        ([], 1),
        (HOLDERS[:1], 0),
        (HOLDERS[:2], 3),
        ([HOLDERS[0], HOLDERS[0]], 1),
        (HOLDERS, 3),  # 56 subsets of 3: 168 shares
    ],
)
def test_a_quorum_that_cannot_be_is_refused(holders: list[Kid], quorum: int) -> None:
    assert len(split(SECRET, HOLDERS, 2)) == 56
    with pytest.raises(RecipientsRefused):
        split(SECRET, holders, quorum)


def test_a_subset_is_named_by_its_members_and_not_by_their_order() -> None:
    assert subset_of(HOLDERS[:3]) == subset_of([HOLDERS[2], HOLDERS[0], HOLDERS[1]])
    assert subset_of(HOLDERS[:3]) != subset_of(HOLDERS[:2])


def _sealed_identity(room: Room, custodians: list[CustodianPrivateKey], quorum: int) -> Sealed:
    to = Custodians([c.public for c in custodians], quorum)
    return room.seal(kind=Kind.IDENTITY, manifest=b'{"v":1,"identity":{}}', to=to)


@pytest.mark.claim("C-IDENTITY")
@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 3), (3, 2)])
def test_an_identity_opens_for_a_quorum_of_its_custodians(n: int, k: int) -> None:
    n, k = max(n, k), min(n, k)
    room = Room()
    custodians = [CustodianPrivateKey.generate() for _ in range(n)]
    sealed = _sealed_identity(room, custodians, k)
    assert len(sealed.envelope.wraps) == 164 * math.comb(n, k) * k
    for present in itertools.combinations(custodians, k):
        shares = [s for c in present for s in open_shares(c, sealed.header, sealed.envelope.wraps)]
        data_key = combine_shares(shares)
        assert open_all(data_key, sealed.header, sealed) == [b'{"v":1,"identity":{}}']


@pytest.mark.claim("C-IDENTITY")
def test_one_custodian_of_two_does_not_open_an_identity() -> None:
    custodians = [CustodianPrivateKey.generate() for _ in range(3)]
    sealed = _sealed_identity(Room(), custodians, 2)
    shares = open_shares(custodians[0], sealed.header, sealed.envelope.wraps)
    with pytest.raises(SharesInsufficient):
        combine_shares(shares)


@pytest.mark.claim("C-IDENTITY")
def test_an_operator_cannot_open_an_identity_nor_a_stranger_a_share() -> None:
    room = Room()
    custodian = CustodianPrivateKey.generate()
    sealed = _sealed_identity(room, [custodian], 1)
    for operator in (room.operator, OperatorPrivateKey(custodian.raw)):
        with pytest.raises(NotARecipient):
            open_data_key(operator, sealed.header, sealed.envelope.wraps)
    with pytest.raises(NotARecipient):
        open_shares(CustodianPrivateKey.generate(), sealed.header, sealed.envelope.wraps)


def test_a_custodian_opens_nothing_but_shares() -> None:
    room = Room()
    report = room.seal(kind=Kind.REPORT)
    with pytest.raises(NotARecipient):
        open_shares(CustodianPrivateKey(room.operator.raw), report.header, report.envelope.wraps)


def test_a_share_moved_to_another_identity_does_not_open() -> None:
    room = Room()
    custodians = [CustodianPrivateKey.generate() for _ in range(2)]
    one, other = (_sealed_identity(room, custodians, 2) for _ in range(2))
    with pytest.raises(CannotOpen):
        open_shares(custodians[0], one.header, other.envelope.wraps)


@pytest.mark.parametrize("more", [-1, 1])
def test_a_share_of_another_length_is_none(more: int) -> None:
    custodian = CustodianPrivateKey.generate()
    header = _sealed_identity(Room(), [custodian], 1).header
    kid = custodian.public.kid
    inner = b"AMS1" + header.hash + kid + bytes(48 + more)
    wrap = Wrap(kid, crypto_box_seal(inner, custodian.public.raw))
    with pytest.raises(CannotOpen):
        unwrap_share(custodian.raw, custodian.public, header, wrap)


def test_a_false_share_gives_a_key_that_opens_nothing() -> None:
    room = Room()
    custodians = [CustodianPrivateKey.generate() for _ in range(2)]
    one, other = (_sealed_identity(room, custodians, 2) for _ in range(2))
    mixed = [
        *open_shares(custodians[0], one.header, one.envelope.wraps),
        *open_shares(custodians[1], other.header, other.envelope.wraps),
    ]
    with pytest.raises(CannotOpen):
        open_all(combine_shares(mixed), one.header, one)


def test_a_share_does_not_show_in_a_traceback() -> None:
    shares = split(SECRET, HOLDERS[:1], 1)
    assert shares[0].value == SECRET
    assert repr(SECRET)[2:-1] not in repr(shares)
