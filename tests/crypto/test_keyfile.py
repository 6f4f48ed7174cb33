"""Key files: the passphrase opens them, nothing else does, and none can exhaust the machine."""

import json
import struct
import time
from typing import NoReturn

import nacl.bindings
import pytest
from argon2.exceptions import HashingError

from crypto import keyfile
from crypto.errors import KeyFileRefused
from crypto.keyfile import KeyFileCost, open_keyfile, seal_keyfile

CHEAP = KeyFileCost(memory_kib=8, passes=1, lanes=1)
SECRETS = {"evidence": b"e" * 32, "sign": b"s" * 32, "empty": b""}


def test_the_passphrase_gives_the_secrets_back() -> None:
    assert (
        open_keyfile(seal_keyfile(SECRETS, "a passphrase", cost=CHEAP), "a passphrase") == SECRETS
    )


def test_the_default_cost_is_256_mib_and_three_passes_and_stands_in_the_file() -> None:
    sealed = seal_keyfile(SECRETS, "a passphrase")
    assert sealed[:8] == b"AMANAKEY"
    assert struct.unpack(">BIIB", sealed[8:18]) == (1, 256 * 1024, 3, 1)
    assert open_keyfile(sealed, "a passphrase") == SECRETS


def test_another_passphrase_opens_nothing() -> None:
    sealed = seal_keyfile(SECRETS, "a passphrase", cost=CHEAP)
    for other in ("a passphras", "A passphrase", "a passphrase ", ""):
        with pytest.raises(KeyFileRefused):
            open_keyfile(sealed, other)


def test_a_passphrase_typed_on_another_system_is_the_same() -> None:
    composed, decomposed = "é" * 8, "e\N{COMBINING ACUTE ACCENT}" * 8
    assert open_keyfile(seal_keyfile(SECRETS, composed, cost=CHEAP), decomposed) == SECRETS


def test_every_byte_of_a_file_counts_and_all_refusals_are_one() -> None:
    sealed = seal_keyfile({"k": b"x"}, "a passphrase", cost=CHEAP)
    refusals = set()
    # A changed cost may cost more, never too much: the three fields are tried below.
    for index in [*range(9), *range(18, len(sealed))]:
        altered = bytearray(sealed)
        altered[index] ^= 1
        with pytest.raises(KeyFileRefused) as refusal:
            open_keyfile(bytes(altered), "a passphrase")
        refusals.add(str(refusal.value))
    assert len(refusals) == 1


def test_every_cut_of_a_file_is_refused() -> None:
    sealed = seal_keyfile({"k": b"x"}, "a passphrase", cost=CHEAP)
    for length in range(0, len(sealed), 7):
        with pytest.raises(KeyFileRefused):
            open_keyfile(sealed[:length], "a passphrase")


@pytest.mark.parametrize(
    ("memory_kib", "passes", "lanes"),
    [
        (2**32 - 1, 1, 1),
        (2**20 + 1, 1, 1),
        (7, 1, 1),
        (15, 1, 2),
        (8, 0, 1),
        (8, 11, 1),
        (8, 2**32 - 1, 1),
        (8, 1, 0),
        (4096, 1, 5),
    ],
)
def test_a_hostile_file_cannot_choose_the_cost(memory_kib: int, passes: int, lanes: int) -> None:
    sealed = seal_keyfile(SECRETS, "a passphrase", cost=CHEAP)
    hostile = sealed[:9] + struct.pack(">IIB", memory_kib, passes, lanes) + sealed[18:]
    began = time.process_time()
    with pytest.raises(KeyFileRefused):
        open_keyfile(hostile, "a passphrase")
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize("cost", [{"lanes": 0}, {"lanes": 5}, {"passes": 0}, {"memory_kib": 0}])
def test_a_cost_out_of_bounds_cannot_be_asked_for(cost: dict[str, int]) -> None:
    with pytest.raises(KeyFileRefused, match="out of bounds"):
        KeyFileCost(**cost)


def test_a_whole_file_of_another_version_is_refused() -> None:
    sealed = seal_keyfile(SECRETS, "a passphrase", cost=CHEAP)
    key = keyfile._key_of("a passphrase", CHEAP, sealed[18:34])
    encrypt = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt
    for head in (sealed[:58], b"AMANAKEX" + sealed[8:58], sealed[:8] + b"\2" + sealed[9:58]):
        own = head + encrypt(b'{"v":1,"secrets":{}}', head, head[34:], key)
        if head == sealed[:58]:
            assert open_keyfile(own, "a passphrase") == {}, "the control must open"
        else:
            with pytest.raises(KeyFileRefused):
                open_keyfile(own, "a passphrase")


def test_a_cost_within_bounds_but_not_the_one_sealed_is_refused() -> None:
    sealed = seal_keyfile(SECRETS, "a passphrase", cost=CHEAP)
    with pytest.raises(KeyFileRefused):
        open_keyfile(sealed[:9] + struct.pack(">IIB", 16, 1, 1) + sealed[18:], "a passphrase")


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"[]",
        b'{"v":1}',
        b'{"v":2,"secrets":{}}',
        b'{"v":1,"secrets":[]}',
        b'{"v":1,"secrets":{"a":1}}',
        b'{"v":1,"secrets":{"a":"?"}}',
        b'{"v":1,"secrets":{},"x":1}',
    ],
)
def test_what_another_program_sealed_is_refused(body: bytes) -> None:
    sealed = seal_keyfile(SECRETS, "a passphrase", cost=CHEAP)
    head, nonce = sealed[:58], sealed[34:58]
    key = keyfile._key_of("a passphrase", CHEAP, sealed[18:34])
    encrypt = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt
    own = encrypt(json.dumps({"v": 1, "secrets": {"a": ""}}).encode(), head, nonce, key)
    assert open_keyfile(head + own, "a passphrase") == {"a": b""}, "the control must open"
    with pytest.raises(KeyFileRefused):
        open_keyfile(head + encrypt(body, head, nonce, key), "a passphrase")


def test_what_cannot_be_sealed_is_refused() -> None:
    for passphrase in ("", "\ud800"):
        with pytest.raises(KeyFileRefused):
            seal_keyfile(SECRETS, passphrase, cost=CHEAP)
    with pytest.raises(KeyFileRefused):
        seal_keyfile({"k": bytes(70_000)}, "a passphrase", cost=CHEAP)


def test_a_machine_with_too_little_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal_keyfile(SECRETS, "a passphrase", cost=CHEAP)

    def no_memory(*_: object, **__: object) -> NoReturn:
        raise HashingError("Memory allocation error")

    monkeypatch.setattr(keyfile, "hash_secret_raw", no_memory)
    with pytest.raises(KeyFileRefused, match="memory"):
        open_keyfile(sealed, "a passphrase")


def test_no_two_files_share_a_salt_or_a_nonce() -> None:
    first, second = (seal_keyfile(SECRETS, "a passphrase", cost=CHEAP) for _ in range(2))
    assert first[18:34] != second[18:34]
    assert first[34:58] != second[34:58]
