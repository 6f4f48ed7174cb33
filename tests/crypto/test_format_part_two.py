"""Every worked example of FORMAT.md's second part is computed here and found there."""

import os
import secrets
import struct
from pathlib import Path

import pytest

import crypto
from crypto.ids import Deployment
from crypto.keyfile import KeyFileCost, open_keyfile, seal_keyfile
from crypto.pepper import Pepper
from crypto.receipt import ReceiptCode, receipt_keys, stretch
from crypto.roster import sign_roster
from crypto.spool import SpoolWriter
from crypto.token import TokenKey, seal_token
from crypto.transport import sign_request
from tests.crypto.roster_builder import ROOT, ROOT_PUBLIC, draft, operator, signing

FORMAT = "".join(path.read_text() for path in Path(crypto.__path__[0]).glob("FORMAT*.md"))
UNWRAPPED = "".join(FORMAT.split())


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Randomness that is 00 01 02 … at each draw."""
    monkeypatch.setattr(secrets, "token_bytes", lambda length: bytes(range(length)))


def test_a_value_that_is_not_there_is_not_found() -> None:
    assert bytes(range(99)).hex() not in UNWRAPPED


def test_the_receipts_example() -> None:
    code = ReceiptCode.parse("1234567890123456789012345627")
    assert code.grouped() in FORMAT
    secret = stretch(code, Deployment(bytes(range(16))))
    keys = receipt_keys(secret, Pepper(bytes(range(32, 64))))
    for value in (
        secret.raw,
        keys.locator,
        keys._reply_private,
        keys.reply_public.raw,
        keys.follow_up_signing.seed,
        keys.follow_up_public.raw,
        keys.first_case_id,
    ):
        assert value.hex() in FORMAT


def test_the_thread_states_example() -> None:
    assert struct.pack(">4sI32sI", b"AMT1", 3, b"h" * 32, 20_800).hex() in FORMAT


def test_the_rosters_example() -> None:
    roster = sign_roster(draft(), ROOT)
    assert roster.hash.hex() in FORMAT
    for line in roster.note.decode().splitlines()[-3:]:
        assert line in FORMAT
    for text in (ROOT_PUBLIC.to_text(), ROOT_PUBLIC.fingerprint, operator(1).fingerprint):
        assert text.strip() in FORMAT


@pytest.mark.usefixtures("counted")
def test_the_key_files_example() -> None:
    cost = KeyFileCost(memory_kib=8, passes=1, lanes=1)
    sealed = seal_keyfile({"sign": bytes(32)}, "a passphrase", cost=cost)
    assert sealed.hex() in UNWRAPPED
    assert open_keyfile(sealed, "a passphrase") == {"sign": bytes(32)}


def test_the_signed_requests_example() -> None:
    key = signing("api 1")
    assert key.seed.hex() in FORMAT
    headers = sign_request(
        key,
        method="POST",
        authority="sync.example:8001",
        path="/v1/envelopes",
        query="",
        body=b'{"header":"AAAA"}',
        created=1_800_000_000,
        nonce=b"n" * 16,
    )
    assert headers["Content-Digest"] in FORMAT
    assert headers["Signature-Input"].removeprefix("amana=") in FORMAT
    assert headers["Signature"] in FORMAT


def test_the_spools_example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(secrets, "token_bytes", lambda count: bytes(range(count)))
    fd = os.open(tmp_path / "spool", os.O_RDWR | os.O_CREAT)
    writer = SpoolWriter(fd)
    writer.write(b"twenty bytes of vide")
    writer.finish()
    assert os.pread(fd, 100, 0).hex() in FORMAT
    os.close(fd)


@pytest.mark.usefixtures("counted")
def test_the_tokens_example() -> None:
    assert seal_token(TokenKey(b"k" * 32), "write", b"payload") in FORMAT
