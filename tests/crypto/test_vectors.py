"""The vectors are data: another implementation can hold itself to them as this one does."""

import base64
import hashlib
import json
from typing import Any

import pytest

from crypto import errors
from crypto.body import DataKey, PartsCheck, open_manifest, open_part
from crypto.header import Header, Kind
from crypto.keys import ReplyPublicKey, SigningPublicKey
from crypto.operator_opening import (
    CustodianPrivateKey,
    OperatorPrivateKey,
    combine_shares,
    open_data_key,
    open_shares,
)
from crypto.padding import padme
from crypto.signing import Statement
from crypto.unwrap import unwrap_data_key
from crypto.wrap import parse_wraps
from tests.crypto.building import in_pieces
from tests.crypto.independent_reader import open_part_independently
from tests.vectors.make_vectors import HERE, MAKERS, THE_SAME_EACH_TIME, text_of


def _load(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return vectors


ENVELOPES = [v for name in ("envelopes", "replies", "identities") for v in _load(name)]


def _data_key(vector: dict[str, Any], header: Header, wraps: bytes) -> DataKey:
    privates = [bytes.fromhex(key) for key in vector["private_keys"]]
    if vector["role"] == "operator":
        return open_data_key(OperatorPrivateKey(privates[0]), header, wraps)
    if vector["role"] == "receipt":
        public = ReplyPublicKey(OperatorPrivateKey(privates[0]).public.raw)
        return unwrap_data_key(privates[0], public, header, parse_wraps(header, wraps)[0])
    custodians = [CustodianPrivateKey(private) for private in privates]
    return combine_shares(s for c in custodians for s in open_shares(c, header, wraps))


def _opened(vector: dict[str, Any], *, with_root: bool) -> dict[str, Any]:
    """Open a vector's envelope whole, as FORMAT.md says, and return what came out."""
    header = Header.from_bytes(bytes.fromhex(vector["header"]))
    data_key = _data_key(vector, header, base64.b64decode(vector["wraps"]))
    parts = [base64.b64decode(part) for part in vector["parts"]]
    if with_root:
        check = PartsCheck(header)
        for index, part in enumerate(parts):
            check.add(index, [part])
        check.conclude()
    contents = [
        b"".join(open_part(data_key, header, index, in_pieces(parts[index]), length))
        for index, length in enumerate(vector["lengths"], 1)
    ]
    return {
        "manifest": open_manifest(data_key, header, parts[0]).decode(),
        "contents_sha256": [hashlib.sha256(content).hexdigest() for content in contents],
    }


@pytest.mark.parametrize("with_root", [True, False], ids=["root", "no root"])
@pytest.mark.parametrize("vector", ENVELOPES, ids=lambda v: v["name"])
def test_an_envelope_opens_or_is_refused_as_its_vector_expects(
    vector: dict[str, Any],
    with_root: bool,  # noqa: FBT001  # pytest hands parameters over by position
) -> None:
    if vector["expect"] == "opens":
        opened = _opened(vector, with_root=with_root)
        assert opened == {name: vector[name] for name in opened}
        return
    # The refusal is of this very name, and not of an ancestor's.
    with pytest.raises(errors.CryptoError) as refusal:
        _opened(vector, with_root=with_root)
    assert type(refusal.value).__name__ == vector["expect"]


@pytest.mark.parametrize(
    "vector", [v for v in ENVELOPES if v["expect"] == "opens"], ids=lambda v: v["name"]
)
def test_the_independent_reader_opens_the_vectors_too(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["header"])
    header = Header.from_bytes(raw)
    data_key = _data_key(vector, header, base64.b64decode(vector["wraps"])).raw
    plain = [
        open_part_independently(data_key, raw, index, base64.b64decode(part))
        for index, part in enumerate(vector["parts"])
    ]
    assert plain[0][4:].rstrip(b"\0").decode() == vector["manifest"]
    for padded, length, digest in zip(
        plain[1:], vector["lengths"], vector["contents_sha256"], strict=True
    ):
        assert hashlib.sha256(padded[:length]).hexdigest() == digest


@pytest.mark.parametrize("vector", _load("headers"), ids=lambda v: v["name"])
def test_a_header_parses_or_is_refused_as_its_vector_expects(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["header"])
    if vector["expect"] == "parses":
        assert Header.from_bytes(raw).hash.hex() == vector["hash"]
        return
    with pytest.raises(errors.CryptoError) as refusal:
        Header.from_bytes(raw)
    assert type(refusal.value).__name__ == vector["expect"]


@pytest.mark.parametrize("vector", _load("padding"), ids=lambda v: str(v["length"]))
def test_a_length_is_padded_as_its_vector_expects(vector: dict[str, Any]) -> None:
    assert padme(vector["length"]) == vector["padded"]


@pytest.mark.parametrize("vector", _load("signatures"), ids=lambda v: v["name"])
def test_a_signature_holds_or_not_as_its_vector_expects(vector: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        name: bytes.fromhex(vector[name]) for name in ("deployment", "case", "envelope", "body")
    } | {name: [bytes.fromhex(x) for x in vector[name]] for name in ("recipients", "parents")}
    public = SigningPublicKey(bytes.fromhex(vector["public_key"]))
    signature = bytes.fromhex(vector["signature"])
    statement = Statement(kind=Kind(vector["kind"]), **fields)
    if vector["expect"] == "holds":
        statement.verify(public, signature)
        return
    with pytest.raises(errors.SignatureInvalid):
        statement.verify(public, signature)


@pytest.mark.parametrize("name", THE_SAME_EACH_TIME)
def test_the_checked_in_vectors_are_what_the_generator_writes(name: str) -> None:
    assert (HERE / f"{name}.json").read_text("utf-8") == text_of(MAKERS[name]())


@pytest.mark.parametrize("name", sorted(set(MAKERS) - set(THE_SAME_EACH_TIME)))
def test_the_generator_writes_the_envelopes_that_are_checked_in(name: str) -> None:
    """Salts and sealed boxes differ at each run; everything else must not."""
    fresh = MAKERS[name]()
    for made, kept in zip(fresh, _load(name), strict=True):
        for field in ("name", "role", "private_keys", "lengths", "contents_sha256", "expect"):
            assert made[field] == kept[field]


def test_the_vectors_hold_every_failure_that_the_format_names() -> None:
    expected = {vector["expect"] for vector in ENVELOPES}
    assert expected == {
        "opens",
        "CannotOpen",
        "EnvelopeMalformed",
        "NotARecipient",
        "SharesInsufficient",
        "SuiteUnavailable",
    }
