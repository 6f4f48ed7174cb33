"""Packages: what a service opens is what was sealed to it, or else the bytes that are not."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox

from crypto import errors
from crypto.errors import (
    CannotOpen,
    KeyRefused,
    NotARecipient,
    PackageUnsound,
    SealingOutOfOrder,
    SignatureInvalid,
)
from crypto.ids import CaseId, Deployment, Kid
from crypto.keys import ServicePublicKey
from crypto.package import (
    NOBODY,
    PackageHead,
    PackageId,
    PackageSealer,
    new_package_id,
    package_bytes,
    package_statement,
    service_fingerprint,
    service_from_text,
    service_to_text,
)
from crypto.package_opening import ServicePrivateKey, open_package, read_head
from crypto.signing import SigningPrivateKey
from tests.crypto.independent_reader import hkdf_expand_sha256_one_block, read_cobblestone
from tests.crypto.test_format_part_two import FORMAT, UNWRAPPED
from tests.vectors.make_packages import (
    FILE,
    OTHER,
    SERVICE,
    bytes_of,
    content_of,
    flipped,
    packages,
    sealed,
)

VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))


def reading(package: bytes) -> tuple[Callable[[int, int], bytes], int]:
    return lambda offset, amount: package[offset : offset + amount], len(package)


def opened(package: bytes, private: ServicePrivateKey = SERVICE) -> bytes:
    return b"".join(open_package(private, *reading(package)).content())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_a_package_opens_or_is_refused_as_its_vector_expects(vector: dict[str, Any]) -> None:
    good = next(one for one in VECTORS if one["name"] == "two chunks")
    private = ServicePrivateKey(bytes.fromhex(good["private_key"]))
    package = bytes_of(vector, base64.b64decode(good["package"]))
    if vector["expect"] == "opens":
        assert opened(package, private) == content_of(vector["length"])
        return
    with pytest.raises(errors.CryptoError) as refusal:
        opened(package, private)
    assert type(refusal.value).__name__ == vector["expect"]
    if isinstance(refusal.value, PackageUnsound):
        assert [refusal.value.start, refusal.value.stop] == vector["bytes"]


def test_the_generator_writes_the_packages_that_are_checked_in() -> None:
    def facts(vectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: one[name] for name in one if name != "package"} for one in vectors]

    assert facts(packages()) == facts(VECTORS)


def test_an_independent_reader_opens_the_vectors() -> None:
    """From the page alone: nothing of ours but the ids takes part."""
    package = base64.b64decode(VECTORS[1]["package"])
    head = PackageHead.from_bytes(package[:64])
    assert head is not None
    plain = SealedBox(PrivateKey(SERVICE.raw)).decrypt(package[64:180])
    assert plain[:36] == b"AMP1" + head.hash
    key = hkdf_expand_sha256_one_block(plain[36:], b"amana/v1/part-key\0" + head.context)
    padded = read_cobblestone(key, head.context, package[180:])
    assert int.from_bytes(padded[:8], "big") == 5000
    assert padded[8:5008] == content_of(5000)
    assert not any(padded[5008:])


def test_every_changed_byte_is_refused_and_named_within_its_stretch() -> None:
    package = sealed(b"what was handed over" * 40)
    for at in range(len(package)):
        with pytest.raises((PackageUnsound, NotARecipient)) as refusal:
            opened(flipped(package, at))
        if isinstance(refusal.value, PackageUnsound):
            assert refusal.value.start <= at < refusal.value.stop
        else:
            assert 48 <= at < 64


@settings(max_examples=40, deadline=None)
@given(pieces=st.lists(st.binary(max_size=9000), max_size=6))
def test_what_was_written_in_pieces_comes_out_whole(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    out = bytearray()
    sealer = PackageSealer(
        deployment=Deployment(bytes(16)),
        package=new_package_id(),
        service=SERVICE.public,
        length=len(content),
        sink=out.extend,
    )
    for one in pieces:
        sealer.write(one)
    sealer.finish()
    assert len(out) == package_bytes(len(content))
    assert opened(bytes(out)) == content


def test_a_package_says_its_service_and_its_size_class_and_nothing_of_its_content() -> None:
    package = sealed(b"canary" * 100)
    assert b"canary" not in package
    assert len(package) == len(sealed(b""))
    assert read_head(*reading(package)).service == SERVICE.public.kid


def test_another_services_key_opens_nothing() -> None:
    with pytest.raises(NotARecipient):
        opened(sealed(b"x"), OTHER)


def test_padding_other_than_zeros_is_refused() -> None:
    class Sloppy(PackageSealer):
        def spoil(self) -> None:
            self._body.write(b"after the end")

    out = bytearray()
    sealer = Sloppy(
        deployment=Deployment(bytes(16)),
        package=PackageId(bytes(16)),
        service=SERVICE.public,
        length=3,
        sink=out.extend,
    )
    sealer.write(b"abc")
    sealer.spoil()
    sealer.finish()
    with pytest.raises(PackageUnsound) as refusal:
        opened(bytes(out))
    assert (refusal.value.start, refusal.value.stop) == (236, len(out))


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    package = sealed(b"x")
    for kept in (64, 100, 200, 300):
        read_at, _ = reading(package[:kept])
        with pytest.raises(PackageUnsound):
            b"".join(open_package(SERVICE, read_at, len(package)).content())


@pytest.mark.parametrize("written", [b"ab", b"abcd"], ids=["less", "more"])
def test_a_sealer_takes_what_was_announced_and_nothing_else(written: bytes) -> None:
    sealer = PackageSealer(
        deployment=Deployment(bytes(16)),
        package=PackageId(bytes(16)),
        service=SERVICE.public,
        length=3,
        sink=lambda _: None,
    )

    def all_of_it() -> None:
        sealer.write(written)
        sealer.finish()

    with pytest.raises(SealingOutOfOrder):
        all_of_it()


def test_a_package_is_finished_once() -> None:
    sealer = PackageSealer(
        deployment=Deployment(bytes(16)),
        package=PackageId(bytes(16)),
        service=SERVICE.public,
        length=0,
        sink=lambda _: None,
    )
    sealer.finish()
    with pytest.raises(SealingOutOfOrder):
        sealer.finish()


def test_ids_of_another_length_are_refused() -> None:
    with pytest.raises(KeyRefused):
        PackageHead(
            deployment=Deployment(b""), package=PackageId(bytes(16)), service=Kid(bytes(16))
        )
    with pytest.raises(SignatureInvalid):
        package_statement(Deployment(bytes(16)), CaseId(b""), PackageId(bytes(16)), NOBODY, b"{}")
    with pytest.raises(KeyRefused):
        ServicePrivateKey(bytes(31))
    assert PackageHead.from_bytes(bytes(63)) is None


def test_the_examples_of_the_format_are_computed_here_and_found_there() -> None:
    key = ServicePrivateKey(b"\1" * 32).public
    statement = package_statement(
        Deployment(bytes(16)), CaseId(b"\x11" * 16), PackageId(b"\x22" * 16), key.kid, b"{}"
    )
    assert service_to_text(key).strip() in FORMAT
    assert service_fingerprint(key) in FORMAT
    assert key.kid.hex() in FORMAT
    assert SigningPrivateKey(b"\x33" * 32).sign(statement).hex() in UNWRAPPED


def test_a_public_key_file_is_read_as_it_was_written_and_a_changed_character_is_refused() -> None:
    line = service_to_text(SERVICE.public)
    assert service_from_text(line) == SERVICE.public
    for at, character in enumerate(line.strip()):
        changed = line[:at] + ("1" if character != "1" else "2") + line[at + 1 :]
        with pytest.raises(KeyRefused):
            service_from_text(changed)
    with pytest.raises(KeyRefused):
        service_from_text("amana-root+" + line)


def test_a_key_of_another_kind_or_of_low_order_is_no_services_key() -> None:
    weak = "amana-service+00000000+" + base64.b64encode(b"\1" + bytes(32)).decode() + "\n"
    with pytest.raises(KeyRefused, match="low order"):
        service_from_text(weak)
    with pytest.raises(KeyRefused):
        ServicePublicKey(bytes(32))


def test_a_fresh_key_opens_what_is_sealed_to_it_alone() -> None:
    one, other = ServicePrivateKey.generate(), ServicePrivateKey.generate()
    assert one.raw != other.raw
    assert opened(sealed(b"x", one), one) == b"x"


def test_a_key_shows_in_no_repr() -> None:
    assert SERVICE.raw.hex() not in repr(SERVICE)
    assert "x41" not in repr(SERVICE)
    assert "_key" not in repr(open_package(SERVICE, *reading(sealed(b"x"))))
    assert issubclass(PackageUnsound, errors.CryptoError)
    assert not issubclass(PackageUnsound, CannotOpen)
