"""The specification's worked example is recomputed, with no code of ours where bytes are made."""

import hashlib
import re
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.public import PrivateKey, SealedBox

import crypto
from crypto.body import DataKey, open_manifest
from crypto.header import Header
from crypto.operator_opening import OperatorPrivateKey, open_data_key
from tests.crypto.independent_reader import (
    derive_stream_keys,
    header_hash,
    hkdf_expand_sha256_one_block,
)

TEXT = (Path(crypto.__file__).parent / "FORMAT.md").read_text("utf-8")


def _example() -> dict[str, bytes]:
    part_one = TEXT.split("\n# Part 2")[0].split("\n## A worked example\n")[1]
    found = re.findall(r"^([a-z_0-9 ]+?) += ((?:[0-9a-f]+\n *)+)", part_one, re.MULTILINE)
    return {name: bytes.fromhex(value) for name, value in found}


def test_every_value_of_the_worked_example_follows_from_the_ones_before() -> None:
    x = _example()
    kid = hashlib.sha256(b"amana/v1/kid\0\1" + x["public"]).digest()[:16]
    context = b"amana/v1/part\0" + x["header"][12:60] + x["header"][10:11] + bytes(4)
    part_key = hkdf_expand_sha256_one_block(x["edk"], b"amana/v1/part-key\0" + context)
    key, base, commitment = derive_stream_keys(x["k_0"], x["ctx_0"], x["salt"])
    chunk = AESGCM(key).encrypt(base, x["plain start"].ljust(4096, b"\0"), None)
    stream = x["salt"] + x["commitment"] + chunk
    digest = hashlib.sha256(stream).digest()

    assert bytes(PrivateKey(x["private"]).public_key) == x["public"]
    assert kid == x["kid"]
    assert context == x["ctx_0"]
    assert part_key == x["k_0"]
    assert commitment == x["commitment"]
    assert digest == x["ct_0 sha256"]
    root = hashlib.sha256(b"amana/v1/parts\0\0\0\0\1" + digest).digest()
    assert root == x["parts_root"] == x["header"][100:132]
    assert header_hash(x["header"]) == x["hh"]
    assert x["wrap inside"] == b"AMW1" + x["hh"] + kid + x["edk"]
    assert x["wrap"][:16] == kid
    assert SealedBox(PrivateKey(x["private"])).decrypt(x["wrap"][16:]) == x["wrap inside"]

    header = Header.from_bytes(x["header"])
    data_key = open_data_key(OperatorPrivateKey(x["private"]), header, x["wrap"])
    assert data_key.raw == x["edk"]
    assert open_manifest(DataKey(x["edk"]), header, stream) == b'{"v":1}'


def test_the_example_is_found_whole() -> None:
    lengths = {name: len(value) for name, value in _example().items()}
    assert (lengths["header"], lengths["wrap"], lengths["ctx_0"]) == (140, 148, 67)
    assert len(lengths) == 15
