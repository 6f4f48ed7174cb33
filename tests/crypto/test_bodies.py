"""Statuses, withdrawals, names given later, and what a thread's state remembers of a case."""

import json
from typing import Any

import nacl.bindings
import pytest

from crypto import errors
from crypto.envelope import EnvelopeSealer
from crypto.errors import CannotOpen, ManifestMalformed
from crypto.header import Kind
from crypto.ids import Day, Deployment, EnvelopeId, HeaderHash, WordId, new_case_id, new_word_id
from crypto.keys import ReplyPublicKey
from crypto.manifest import (
    IDENTITY_LATER,
    STATUSES,
    WITHDRAWAL,
    EntryBody,
    EvidenceRef,
    FollowUpBody,
    ReplyBody,
)
from crypto.operator_opening import OperatorPrivateKey, open_data_key
from crypto.pepper import Pepper
from crypto.receipt import THREAD_STATE_BYTES, ReceiptCode, ThreadState, receipt_keys, stretch
from crypto.wrap import OperatorsAndReceipt, has_receipt_wrap, parse_wraps, without_receipt
from tests.vectors.make_bodies import BODIES, FOLLOW_UP_KEY, REPLY_KEY, text

VECTORS: list[dict[str, Any]] = json.loads(BODIES.read_text("utf-8"))
DEPLOYMENT = Deployment(bytes(16))
KEYS = receipt_keys(stretch(ReceiptCode.generate(), DEPLOYMENT), Pepper(bytes(32)))
STATE = ThreadState(3, HeaderHash(b"h" * 32), Day(20_800))
DAY = Day(20_700)
OPERATOR = OperatorPrivateKey.generate()


def follow_up(**more: Any) -> FollowUpBody:
    return FollowUpBody(
        text="",
        evidence=(),
        identity=EvidenceRef(EnvelopeId(b"E" * 16), HeaderHash(b"H" * 32)),
        reply_key=REPLY_KEY,
        follow_up_key=FOLLOW_UP_KEY,
        language="ar",
        **more,
    )


def read(vector: dict[str, Any]) -> Any:
    if vector["of"] == "thread-state":
        raw = bytes.fromhex(vector["body"])
        sealed = nacl.bindings.crypto_box_seal(raw, KEYS.reply_public.raw)
        return KEYS.open_thread_state(sealed)
    of: Any = {"reply": ReplyBody, "entry": EntryBody, "follow-up": FollowUpBody}[vector["of"]]
    return of.from_json(vector["body"].encode())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_body_or_a_state_says_or_is_refused_as_its_vector_expects(vector: dict[str, Any]) -> None:
    if vector["expect"] == "opens":
        found = read(vector)
        said = {name: getattr(found, name) for name in vector["says"]}
        if said.get("word") is not None:
            said["word"] = said["word"].hex()
        assert said == vector["says"]
        return
    with pytest.raises(errors.CryptoError) as refusal:
        read(vector)
    assert type(refusal.value).__name__ == vector["expect"]


def test_the_checked_in_vectors_are_what_the_generator_writes() -> None:
    assert BODIES.read_text("utf-8") == text()


@pytest.mark.parametrize("status", [None, *STATUSES])
def test_a_reply_comes_back_with_its_status(status: str | None) -> None:
    reply = ReplyBody(text="", author_day=DAY, status=status)
    assert ReplyBody.from_json(reply.to_json()) == reply
    assert (b"status" in reply.to_json()) is (status is not None)
    assert "question" not in repr(ReplyBody(text="", author_day=DAY, status="question"))


@pytest.mark.parametrize("word", [None, new_word_id()], ids=["no id", "an id"])
def test_an_answer_and_an_act_come_back_with_their_own_id(word: WordId | None) -> None:
    reply = ReplyBody(text="Yes.", author_day=DAY, word=word)
    assert ReplyBody.from_json(reply.to_json()) == reply
    entry = EntryBody(type="note", data={"text": "Call the bank."}, word=word)
    assert EntryBody.from_json(entry.to_json()) == entry
    for body in (reply, entry):
        assert (b'"word"' in body.to_json()) is (word is not None)


def test_a_status_that_is_none_of_the_five_is_not_written() -> None:
    with pytest.raises(ManifestMalformed):
        ReplyBody(text="", author_day=DAY, status="investigation").to_json()


@pytest.mark.parametrize(
    "more", [{}, {"type": WITHDRAWAL}, {"type": IDENTITY_LATER, "identity_mode": "full_identity"}]
)
def test_a_follow_up_comes_back_with_its_type(more: dict[str, str]) -> None:
    body = follow_up(**more)
    assert FollowUpBody.from_json(body.to_json()) == body


@pytest.mark.parametrize(
    "more",
    [
        {"type": "erase"},
        {"type": ""},
        {"identity_mode": "contact_only"},
        {"type": WITHDRAWAL, "identity_mode": "contact_only"},
        {"type": IDENTITY_LATER},
        {"type": IDENTITY_LATER, "identity_mode": "x" * 257},
    ],
)
def test_a_follow_up_of_no_type_of_ours_is_not_written(more: dict[str, str]) -> None:
    with pytest.raises(ManifestMalformed):
        follow_up(**more).to_json()


# The thread's state.


@pytest.mark.parametrize("withdrawn", [False, True])
@pytest.mark.parametrize("no_files", [False, True])
def test_what_a_state_remembers_comes_back_and_shows_in_no_length(
    *, no_files: bool, withdrawn: bool
) -> None:
    for sequence in (0, 2**24 - 1):
        state = ThreadState(
            sequence, HeaderHash(bytes(32)), Day(2**32 - 1), no_files=no_files, withdrawn=withdrawn
        )
        sealed = KEYS.seal_thread_state(state)
        assert len(sealed) == THREAD_STATE_BYTES
        assert KEYS.open_thread_state(sealed) == state


@pytest.mark.parametrize("bit", range(2, 8))
def test_a_flag_that_this_version_does_not_know_is_refused(bit: int) -> None:
    raw = b"AMT1" + bytes([1 << bit]) + bytes(39)
    sealed = nacl.bindings.crypto_box_seal(raw, KEYS.reply_public.raw)
    with pytest.raises(CannotOpen):
        KEYS.open_thread_state(sealed)


# A reply that its reader wants gone.


@pytest.mark.claim("C-UNREAD")
def test_a_reply_without_the_receipts_wrap_opens_for_the_operators_and_never_for_the_code() -> None:
    readers = OperatorsAndReceipt([OPERATOR.public], ReplyPublicKey(KEYS.reply_public.raw))
    sealer = EnvelopeSealer(
        kind=Kind.REPLY,
        deployment=DEPLOYMENT,
        case=new_case_id(),
        roster_hash=bytes(32),
        day=DAY,
    )
    sealed = sealer.seal(b'{"v":1}', readers)
    assert has_receipt_wrap(sealed.header, sealed.wraps)
    # Positive control: the code opens it while its wrap is there.
    whole = open_data_key(OPERATOR, sealed.header, sealed.wraps).raw
    assert KEYS.open_reply(sealed.header, sealed.wraps).raw == whole
    left = without_receipt(sealed.header, sealed.wraps)
    assert not has_receipt_wrap(sealed.header, left)
    assert without_receipt(sealed.header, left) == left
    assert [wrap.kid for wrap in parse_wraps(sealed.header, left)] == [OPERATOR.public.kid]
    assert open_data_key(OPERATOR, sealed.header, left).raw == whole
    with pytest.raises(CannotOpen):
        KEYS.open_reply(sealed.header, left)
    assert not has_receipt_wrap(sealed.header, b"")


@pytest.mark.claim("C-STATUS")
def test_a_status_without_a_text_is_of_the_same_size_outside_as_one_with_a_text() -> None:
    readers = OperatorsAndReceipt([OPERATOR.public], KEYS.reply_public)
    sizes = set()
    for reply in (
        ReplyBody(text="", author_day=DAY, status="received"),
        ReplyBody(text="", author_day=DAY, status="question"),
        ReplyBody(text="Which bank was it?" * 50, author_day=DAY),
    ):
        sealer = EnvelopeSealer(
            kind=Kind.REPLY,
            deployment=DEPLOYMENT,
            case=new_case_id(),
            roster_hash=bytes(32),
            day=DAY,
        )
        sealed = sealer.seal(reply.to_json(), readers)
        sizes.add((len(sealed.manifest), len(sealed.wraps)))
    assert len(sizes) == 1
