"""Receipt codes: what people type is understood, a slip is noticed, and a guess meets nothing."""

import hashlib
import hmac
import json
import secrets
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import nacl.bindings
import nacl.pwhash
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.body import DataKey
from crypto.errors import CannotOpen, CodeMalformed, EnvelopeMalformed
from crypto.header import Header, Kind
from crypto.ids import CaseId, Day, Deployment, EnvelopeId, HeaderHash
from crypto.keys import OperatorPublicKey, ReplyPublicKey
from crypto.pepper import Pepper
from crypto.receipt import (
    CODE_DIGITS,
    THREAD_STATE_BYTES,
    ReceiptCode,
    ReceiptSecret,
    ThreadState,
    decoy_thread_state,
    receipt_keys,
    stretch,
)
from crypto.wrap import Operators, OperatorsAndReceipt
from tests.crypto.roster_builder import operator

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "receipt.json").read_text()
)
DEPLOYMENT = Deployment(b"deployment sixte")
KEYS = receipt_keys(ReceiptSecret(b"k" * 32), Pepper(b"p" * 32))
OTHER_KEYS = receipt_keys(ReceiptSecret(b"o" * 32), Pepper(b"p" * 32))
STATE = ThreadState(3, HeaderHash(b"h" * 32), Day(20_800))


def header(kind: Kind = Kind.REPLY, envelope: bytes = b"e" * 16) -> Header:
    return Header(
        kind=kind,
        deployment=DEPLOYMENT,
        case=CaseId(b"c" * 16),
        envelope=EnvelopeId(envelope),
        roster_hash=bytes(32),
        day=Day(20_800),
        parts=1,
        parts_root=bytes(32),
    )


def reply_wraps(reply_key: ReplyPublicKey, place: Header, data_key: DataKey) -> bytes:
    readers = OperatorsAndReceipt([operator(1).evidence, operator(2).evidence], reply_key)
    return readers.wraps(data_key, place.hash)


# What people type.


@pytest.mark.parametrize("vector", VECTORS["typed"], ids=lambda vector: str(vector["name"]))
def test_a_typed_code_is_read_as_the_vectors_say(vector: dict[str, Any]) -> None:
    if vector["expect"] == "ok":
        assert ReceiptCode.parse(vector["typed"]).digits == vector["digits"]
    else:
        with pytest.raises(CodeMalformed) as refusal:
            ReceiptCode.parse(vector["typed"])
        assert str(refusal.value) == vector["expect"]


def test_a_new_code_is_read_back_from_how_it_is_shown() -> None:
    code = ReceiptCode.generate()
    assert len(code.digits) == CODE_DIGITS
    assert code.digits.startswith("1")
    assert [len(group) for group in code.grouped().split(" ")] == [4] * 7
    assert ReceiptCode.parse(code.grouped()) == code


@given(st.text(max_size=60))
def test_no_text_whatever_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(CodeMalformed):
        ReceiptCode.parse(text)


def test_every_single_wrong_digit_is_noticed() -> None:
    code = ReceiptCode.generate().digits
    for place in range(CODE_DIGITS):
        for digit in set("0123456789") - {code[place]}:
            with pytest.raises(CodeMalformed):
                ReceiptCode.parse(code[:place] + digit + code[place + 1 :])


def test_every_two_neighbours_that_changed_places_are_noticed() -> None:
    code = ReceiptCode.generate().digits
    for place in range(CODE_DIGITS - 1):
        one, other = code[place], code[place + 1]
        if one != other:
            with pytest.raises(CodeMalformed):
                ReceiptCode.parse(code[:place] + other + one + code[place + 2 :])


def test_the_digits_of_new_codes_are_even() -> None:
    # Chi-square, 9 degrees of freedom: beyond 45 once in a million runs.
    drawn = Counter("".join(ReceiptCode.generate().digits[1:26] for _ in range(1000)))
    assert sum((drawn[digit] - 2500) ** 2 / 2500 for digit in "0123456789") < 45


def test_the_draw_covers_every_code_and_comes_from_the_systems_randomness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def lowest(below: int) -> int:
        asked.append(below)
        return 0

    monkeypatch.setattr(secrets, "randbelow", lowest)
    assert ReceiptCode.generate().digits[:26] == "1" + "0" * 25
    assert asked == [10**25]


def test_no_secret_is_ever_printed() -> None:
    code = ReceiptCode.generate()
    assert code.digits not in repr(code)
    assert "kkkk" not in repr(ReceiptSecret(b"k" * 32))
    shown = repr(KEYS)
    assert not any(str(value)[2:-1] in shown for value in (KEYS.locator, KEYS._reply_private))
    assert shown == "ReceiptKeys()"


def test_a_refusal_does_not_repeat_the_code() -> None:
    with pytest.raises(CodeMalformed) as refusal:
        ReceiptCode.parse("1234 5678")
    assert "1234" not in str(refusal.value)


# What is derived.


@pytest.mark.parametrize("vector", VECTORS["derived"], ids=lambda vector: str(vector["name"]))
def test_everything_derived_is_as_the_vectors_say(vector: dict[str, Any]) -> None:
    deployment = Deployment(bytes.fromhex(vector["deployment"]))
    secret = stretch(ReceiptCode.parse(vector["code"]), deployment)
    assert secret.raw.hex() == vector["stretched"]
    keys = receipt_keys(secret, Pepper(bytes.fromhex(vector["pepper"])))
    assert keys.locator.hex() == vector["locator"]
    assert keys._reply_private.hex() == vector["reply_private"]
    assert keys.reply_public.raw.hex() == vector["reply_public"]
    assert keys.follow_up_signing.seed.hex() == vector["follow_up_seed"]
    assert keys.follow_up_public.raw.hex() == vector["follow_up_public"]
    assert keys.first_case_id.hex() == vector["first_case_id"]


@pytest.mark.parametrize("vector", VECTORS["derived"], ids=lambda vector: str(vector["name"]))
def test_the_vectors_can_be_had_without_our_code(vector: dict[str, Any]) -> None:
    # With libsodium's Argon2id and the standard library's HMAC; nothing of crypto.receipt.

    def mac(key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, hashlib.sha256).digest()

    stretched = nacl.pwhash.argon2id.kdf(
        32, vector["code"].encode(), bytes.fromhex(vector["deployment"]), 2, 19 * 1024 * 1024
    )
    lookup = mac(stretched, b"amana/v1/receipt/lookup\0\x01")
    pepper = bytes.fromhex(vector["pepper"])
    part = mac(pepper, b"rk\0" + lookup)
    assert stretched.hex() == vector["stretched"]
    assert lookup.hex() == vector["lookup"]
    assert part.hex() == vector["receipt_part"]
    assert mac(pepper, b"id\0" + lookup).hex() == vector["locator"]
    reply = mac(stretched, b"amana/v1/receipt/reply\0" + part + b"\x01")
    assert reply.hex() == vector["reply_private"]
    assert nacl.bindings.crypto_scalarmult_base(reply).hex() == vector["reply_public"]
    follow_up = mac(stretched, b"amana/v1/receipt/follow-up\0" + part + b"\x01")
    assert follow_up.hex() == vector["follow_up_seed"]
    first_case = mac(stretched, b"amana/v1/receipt/case\0" + part + b"\x01")[:16]
    assert first_case.hex() == vector["first_case_id"]


@pytest.mark.claim("C-PEPPER")
def test_without_the_pepper_a_right_guess_gives_no_key_and_no_locator() -> None:
    secret = ReceiptSecret(b"k" * 32)
    right, guessed = (
        receipt_keys(secret, Pepper(b"p" * 32)),
        receipt_keys(secret, Pepper(bytes(32))),
    )
    assert right.locator != guessed.locator
    assert right.reply_public != guessed.reply_public
    assert right.follow_up_public != guessed.follow_up_public
    assert right.first_case_id != guessed.first_case_id
    # The positive control: with it, the same guess gives all four.
    again = receipt_keys(secret, Pepper(b"p" * 32))
    assert (again.locator, again.reply_public) == (right.locator, right.reply_public)
    assert again.follow_up_public == right.follow_up_public
    assert again.first_case_id == right.first_case_id


@pytest.mark.claim("C-ALIKE")
def test_two_pages_of_one_code_agree_on_the_case_that_a_first_message_would_open() -> None:
    again = receipt_keys(ReceiptSecret(b"k" * 32), Pepper(b"p" * 32))
    assert again.first_case_id == KEYS.first_case_id
    assert len(KEYS.first_case_id) == 16
    assert KEYS.first_case_id != OTHER_KEYS.first_case_id
    # An id stands in clear in headers: it says nothing about the row or the keys of its code.
    for other in (KEYS.locator, KEYS._reply_private, KEYS.follow_up_signing.seed):
        assert bytes(KEYS.first_case_id) not in other


def test_the_same_code_at_two_deployments_is_two_receipts() -> None:
    code = ReceiptCode.generate()
    here, there = stretch(code, DEPLOYMENT), stretch(code, Deployment(bytes(16)))
    assert here.raw != there.raw


# What the holder of a code can open.


def test_the_holder_of_the_code_opens_a_reply() -> None:
    place, data_key = header(), DataKey.generate()
    wraps = reply_wraps(KEYS.reply_public, place, data_key)
    assert KEYS.open_reply(place, wraps).raw == data_key.raw


def test_the_holder_of_another_code_opens_nothing() -> None:
    place = header()
    wraps = reply_wraps(KEYS.reply_public, place, DataKey.generate())
    with pytest.raises(CannotOpen):
        OTHER_KEYS.open_reply(place, wraps)


@pytest.mark.claim("C-FORGED")
def test_a_reply_moved_under_another_header_does_not_open() -> None:
    wraps = reply_wraps(KEYS.reply_public, header(), DataKey.generate())
    with pytest.raises(CannotOpen):
        KEYS.open_reply(header(envelope=b"f" * 16), wraps)


def test_only_a_reply_is_opened_with_a_receipt() -> None:
    place = header(Kind.ENTRY)
    wraps = reply_wraps(KEYS.reply_public, place, DataKey.generate())
    with pytest.raises(CannotOpen):
        KEYS.open_reply(place, wraps)


def test_a_reply_without_a_receipts_wrap_in_front_does_not_open() -> None:
    place, data_key = header(), DataKey.generate()
    wraps = reply_wraps(KEYS.reply_public, place, data_key)
    operators = Operators([operator(1).evidence]).wraps(data_key, place.hash)
    own = OperatorPublicKey(KEYS.reply_public.raw)
    named = Operators([own]).wraps(data_key, place.hash)
    for others in (b"", operators, operators + wraps[:148], named):
        with pytest.raises(CannotOpen):
            KEYS.open_reply(place, others)


def test_wraps_that_are_none_are_malformed() -> None:
    with pytest.raises(EnvelopeMalformed):
        KEYS.open_reply(header(), bytes(147))


# The thread's state.


def test_a_threads_state_comes_back_and_has_one_size() -> None:
    for state in (STATE, ThreadState(0, HeaderHash(bytes(32)), Day(0))):
        sealed = KEYS.seal_thread_state(state)
        assert len(sealed) == THREAD_STATE_BYTES
        assert KEYS.open_thread_state(sealed) == state


def test_another_receipt_does_not_open_a_threads_state() -> None:
    with pytest.raises(CannotOpen):
        OTHER_KEYS.open_thread_state(KEYS.seal_thread_state(STATE))


def test_every_byte_of_a_threads_state_counts_and_every_cut_is_refused() -> None:
    sealed = KEYS.seal_thread_state(STATE)
    for index in range(len(sealed)):
        altered = bytearray(sealed)
        altered[index] ^= 1
        for untrusted in (bytes(altered), sealed[:index]):
            with pytest.raises(CannotOpen):
                KEYS.open_thread_state(untrusted)


def test_something_else_sealed_to_the_receipt_is_no_threads_state() -> None:
    packed = struct.pack(">4sI32sI", b"AMT1", 3, b"h" * 32, 20_800)
    seal = nacl.bindings.crypto_box_seal
    assert KEYS.open_thread_state(seal(packed, KEYS.reply_public.raw)) == STATE
    for other in (b"AMW1" + packed[4:], packed + b"\0", packed[:-1]):
        with pytest.raises(CannotOpen):
            KEYS.open_thread_state(seal(other, KEYS.reply_public.raw))


@pytest.mark.parametrize(
    ("sequence", "last", "day"),
    [(-1, 32, 0), (2**24, 32, 0), (0, 31, 0), (0, 32, -1), (0, 32, 2**32)],
)
def test_a_state_that_does_not_fit_is_a_mistake_of_the_caller(
    sequence: int, last: int, day: int
) -> None:
    with pytest.raises(ValueError, match=r"24|32"):
        KEYS.seal_thread_state(ThreadState(sequence, HeaderHash(bytes(last)), Day(day)))


@pytest.mark.claim("C-ALIKE")
def test_a_decoy_looks_like_a_state_and_opens_for_nobody() -> None:
    decoys = [decoy_thread_state() for _ in range(64)]
    states = [KEYS.seal_thread_state(STATE) for _ in range(64)]
    assert {len(sealed) for sealed in decoys + states} == {THREAD_STATE_BYTES}
    # A sealed box begins with a curve point, whose highest bit is never set; drawn bytes have it
    # set half of the time, and would tell a decoy from a state.
    assert {sealed[31] >> 7 for sealed in decoys} == {sealed[31] >> 7 for sealed in states} == {0}
    assert len(set(decoys)) == 64
    with pytest.raises(CannotOpen):
        KEYS.open_thread_state(decoys[0])
