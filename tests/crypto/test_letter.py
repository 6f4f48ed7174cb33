"""Letters between desks: who opens them, who wrote them, and what is none."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.cobblestone import Cobblestone256Encryptor
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_box_seal

import crypto
from crypto import errors
from crypto.errors import (
    CannotOpen,
    LetterMalformed,
    ManifestMalformed,
    RecipientsRefused,
    SignatureInvalid,
)
from crypto.ids import Deployment, Kid
from crypto.keys import SigningPublicKey
from crypto.letter import (
    LETTER_MOST,
    TEXT_MOST,
    Letter,
    LetterKind,
    Reader,
    _context,
    from_text,
    open_letter,
    seal_letter,
    to_text,
)
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.signing import SigningPrivateKey
from tests.vectors.make_custody import CUSTODY, custody_vectors, request_letter

VECTORS: list[dict[str, Any]] = json.loads(CUSTODY.read_text("utf-8"))
DEPLOYMENT = Deployment(b"D" * 16)
READER = OperatorPrivateKey.generate()
KEEPER = CustodianPrivateKey.generate()
WRITER = SigningPrivateKey.generate()
ROLES: dict[str, Any] = {"operator": OperatorPrivateKey, "custodian": CustodianPrivateKey}


def written(body: bytes = b'{"v":1}', kind: LetterKind = LetterKind.ANSWER) -> Letter:
    kids = [READER.public.kid, KEEPER.public.kid]
    return Letter.write(kind, WRITER, deployment=DEPLOYMENT, recipients=kids, body=body)


def sealed(letter: Letter | None = None) -> bytes:
    return seal_letter(letter or written(), [READER.public, KEEPER.public])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_letter_opens_or_is_refused_as_its_vector_expects(vector: dict[str, Any]) -> None:
    private = ROLES[vector["role"]](bytes.fromhex(vector["private_key"]))
    raw = base64.b64decode(vector["letter"])
    if vector["expect"] == "opens":
        assert from_text(vector["text"]) == raw
        letter = open_letter(private, raw)
        public = SigningPublicKey.from_bytes(bytes.fromhex(vector["signer_public_key"]))
        assert letter.verify(public, private.public.kid).decode() == vector["body"]
        assert letter.id.hex() == vector["id"]
        return
    with pytest.raises(errors.CryptoError) as refusal:
        open_letter(private, raw)
    assert type(refusal.value).__name__ == vector["expect"]


def test_the_generator_writes_the_letters_that_are_checked_in() -> None:
    for made, kept in zip(custody_vectors(), VECTORS, strict=True):
        for name in ("name", "role", "private_key", "expect", "id", "body"):
            assert made.get(name) == kept.get(name)


def test_the_formats_example() -> None:
    page = "".join((Path(crypto.__path__[0]) / "FORMAT.md").read_text("utf-8").split())
    assert request_letter()._statement().hex() in page
    assert request_letter().id.hex() in page


@pytest.mark.parametrize("private", [READER, KEEPER], ids=["operator", "custodian"])
@pytest.mark.parametrize("length", [0, 10, 5000, 100_000])
def test_what_was_written_is_what_each_reader_reads(
    private: OperatorPrivateKey | CustodianPrivateKey, length: int
) -> None:
    letter = written(b"x" * length)
    opened = open_letter(private, from_text(to_text(sealed(letter))))
    assert opened == letter
    assert opened.verify(WRITER.public, private.public.kid) == b"x" * length
    assert "xxx" not in repr(opened)


def test_two_letters_of_one_size_class_are_of_one_length_and_nothing_alike() -> None:
    one, other = sealed(written(b"a")), sealed(written(b"b" * 900))
    assert len(one) == len(other)
    assert one[11:] != other[11:]


def test_any_changed_byte_is_refused() -> None:
    whole = sealed()
    for at in (*range(11 + 116), *range(11 + 116, len(whole), 97)):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(errors.CryptoError):
            open_letter(READER, changed)


@given(st.binary(max_size=600))
def test_any_other_bytes_are_no_letter(raw: bytes) -> None:
    for untrusted in (raw, b"AMANALTR" + raw, b"AMANALTR\x01\x01\x01" + raw):
        with pytest.raises((LetterMalformed, errors.NotARecipient)):
            open_letter(READER, untrusted)


def test_a_letter_of_another_length_is_none() -> None:
    whole = sealed()
    ends = (8, 10, 11, 11 + 2 * 116)
    for cut in (*(whole[:end] for end in ends), whole + bytes(2 * LETTER_MOST)):
        with pytest.raises(LetterMalformed):
            open_letter(READER, cut)
    with pytest.raises(CannotOpen):
        open_letter(READER, whole + b"\0")


@pytest.mark.parametrize(
    "change",
    [
        lambda letter: {"signature": letter.signature[:-1] + bytes([letter.signature[-1] ^ 1])},
        lambda _: {"signature": b""},
        lambda _: {"body": '{"v":1} '},
        lambda _: {"deployment": Deployment(bytes(16))},
        lambda _: {"kind": LetterKind.REQUEST},
        lambda letter: {"recipients": letter.recipients[:1]},
        lambda letter: {"recipients": letter.recipients[::-1]},
    ],
    ids=["signature", "no signature", "body", "deployment", "kind", "fewer", "order"],
)
def test_a_signature_holds_for_all_that_was_signed(
    change: Callable[[Letter], dict[str, Any]],
) -> None:
    letter = written()
    values = {name: getattr(letter, name) for name in Letter.__slots__}
    with pytest.raises(SignatureInvalid):
        Letter(**{**values, **change(letter)}).verify(WRITER.public, READER.public.kid)


def test_a_letter_by_another_or_for_another_is_refused() -> None:
    letter = written()
    with pytest.raises(SignatureInvalid):
        letter.verify(SigningPrivateKey.generate().public, READER.public.kid)
    with pytest.raises(SignatureInvalid):
        letter.verify(WRITER.public, OperatorPrivateKey.generate().public.kid)


def test_a_letter_is_sealed_to_those_it_was_written_for_and_no_others() -> None:
    others: list[list[Reader]] = [[READER.public], [KEEPER.public, READER.public]]
    for readers in others:
        with pytest.raises(RecipientsRefused):
            seal_letter(written(), readers)
    for kids in ([], [Kid(bytes(16))] * 2, [Kid(bytes([n]) * 16) for n in range(65)]):
        with pytest.raises(RecipientsRefused):
            Letter.write(
                LetterKind.ANSWER, WRITER, deployment=DEPLOYMENT, recipients=kids, body=b""
            )


def test_a_letter_that_is_too_long_is_not_sealed() -> None:
    with pytest.raises(LetterMalformed):
        sealed(written(b"x" * LETTER_MOST))


def _by_hand(plain: bytes, box: bytes | None = None) -> bytes:
    """Seal as this room does, but whatever a forger wants."""
    kid, key = READER.public.kid, bytes(range(32))
    wrap = kid + crypto_box_seal(box or b"AML1" + kid + key, READER.public.raw)
    head = b"AMANALTR\x01\x02\x01" + wrap
    cipher = Cobblestone256Encryptor(key, _context(head))
    return head + cipher.update(plain) + cipher.finalize()


def test_a_box_of_another_use_and_padding_that_is_none_are_refused() -> None:
    written_json = written().to_json()
    framed = len(written_json).to_bytes(4, "big") + written_json
    good = framed.ljust(4096, b"\0")
    assert open_letter(READER, _by_hand(good)) == written()
    for plain in (framed, good[:-1] + b"x", good + b"\0", b"", b"\xff" * 4096):
        with pytest.raises(CannotOpen):
            open_letter(READER, _by_hand(plain))
    other = b"AMS1" + READER.public.kid + bytes(range(32))
    with pytest.raises(CannotOpen):
        open_letter(READER, _by_hand(good, other))
    with pytest.raises(ManifestMalformed):
        open_letter(READER, _by_hand(((2).to_bytes(4, "big") + b"{}").ljust(4096, b"\0")))


def test_white_space_does_not_matter_in_a_text() -> None:
    text = to_text(sealed())
    assert all(len(line) <= 64 for line in text.splitlines())
    for other in (text.replace("\n", "\r\n"), f"\n\n  {text}\t\n", text.replace("\n", "\n \n")):
        assert from_text(other) == from_text(text)


def test_any_other_text_is_refused() -> None:
    text = to_text(sealed())
    request = to_text(sealed(written(kind=LetterKind.REQUEST)))
    lines = text.splitlines()
    assert lines[-2].endswith("=")
    last = lines[-2]
    at = len(last.rstrip("=")) - 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = last[:at] + alphabet[alphabet.index(last[at]) ^ 1] + last[at + 1 :]
    for other in (
        "",
        "-----BEGIN AMANA CUSTODY ANSWER-----",
        "\n".join(lines[1:]),
        "\n".join(lines[:-1]),
        f"Dear all,\n{text}",
        f"{text}Regards",
        text.replace("ANSWER", "REQUEST"),
        request.replace("BEGIN AMANA CUSTODY REQUEST", "BEGIN AMANA CUSTODY ANSWER"),
        text.replace(lines[1], lines[1] + "é"),
        text.replace(lines[1], lines[1] + "*"),
        text.replace(last, stray),
        text + " " * TEXT_MOST,
    ):
        with pytest.raises(LetterMalformed):
            from_text(other)
