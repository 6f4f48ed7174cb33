"""The receiving side: one changed byte of the sealed file is named, and nothing is then written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crypto.ids import Deployment
from crypto.keyfile import seal_keyfile
from crypto.package import PackageId, PackageSealer, new_package_id, service_from_text
from crypto.package_opening import ServicePrivateKey, open_package
from desk.errors import PackageMalformed, ServiceKeyRefused, TransmissionRefused
from desk.transmission import archive, receiving
from desk.transmission.possible import Order
from desk.transmission.transmit import transmit
from tests.desk.transmission.conftest import SERVICE, UNIT
from tests.desk.world import CHEAP, PASSPHRASE, World

if TYPE_CHECKING:
    from tests.desk.transmission.conftest import Handing


def content_of(sealed: bytes, key: ServicePrivateKey = SERVICE) -> tuple[PackageId, bytes]:
    opened = open_package(key, lambda offset, amount: sealed[offset : offset + amount], len(sealed))
    return opened.head.package, b"".join(opened.content())


def sealed_again(
    content: bytes, package: PackageId, deployment: bytes, key: ServicePrivateKey = SERVICE
) -> bytes:
    """Whoever has the public key can seal what they like to it."""
    out = bytearray()
    sealer = PackageSealer(
        deployment=Deployment(deployment),
        package=package,
        service=key.public,
        length=len(content),
        sink=out.extend,
    )
    sealer.write(content)
    sealer.finish()
    return bytes(out)


def test_the_folder_that_one_stands_in_takes_a_package(
    ready: Handing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ready.transmit().path
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    found = receiving.open_sealed(path, SERVICE, ready.root_line, Path())
    assert found.findings == ()
    assert (tmp_path / "here" / "manifest.json").exists()


def test_the_folder_that_one_stands_in_takes_a_print(
    ready: Handing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    transmit(ready.desk, ready.case, Order(Path(), UNIT, in_clear=True))
    assert (tmp_path / "here" / "manifest.json").exists()


@pytest.mark.claim("C-PACKAGE")
def test_one_changed_byte_anywhere_in_the_sealed_file_is_named(ready: Handing) -> None:
    path = ready.transmit().path
    whole = path.read_bytes()
    regions = {
        "magic": 0, "version": 8, "zeros": 12, "deployment": 20, "package": 40, "kid": 60,
        "wrap": 64, "wrap's end": 179, "salt": 180, "commitment": 220, "length": 236,
        "tar header": 250, "tar content": 236 + 16 * 1024, "middle": len(whole) // 2,
        "padding": len(whole) - 30, "last": len(whole) - 1,
    }  # fmt: skip
    for at in regions.values():
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(TransmissionRefused) as refusal:
            receiving.open_sealed(path, SERVICE, ready.root_line, ready.folder / "opened")
        start, stop = map(int, re.findall(r"ytes (\d+) to (\d+)", str(refusal.value))[0])
        assert start <= at <= stop, refusal.value
        assert stop - start < 16_400
    for cut in (whole[:-1], whole[:16_636], whole[:90], b"", whole + b"\0"):
        path.write_bytes(cut)
        with pytest.raises(TransmissionRefused, match="bytes"):
            receiving.open_sealed(path, SERVICE, ready.root_line, ready.folder / "opened")
    path.write_bytes(whole)
    assert [one.name for one in ready.folder.iterdir()] == ["case.amana"]


def test_another_services_key_does_not_open_it(ready: Handing) -> None:
    path = ready.transmit().path
    other = ServicePrivateKey.generate()
    with pytest.raises(TransmissionRefused, match="another key"):
        receiving.open_sealed(path, other, ready.root_line, ready.folder / "opened")


@pytest.mark.claim("C-PACKAGE")
def test_a_receiver_cannot_pass_it_on_as_if_it_had_been_sealed_to_another(ready: Handing) -> None:
    """What one service opened, sealed by them to a second one: it says whom it was signed for."""
    path = ready.transmit().path
    package, content = content_of(path.read_bytes())
    deployment = ready.desk.trust.deployment
    second = ServicePrivateKey.generate()
    path.write_bytes(sealed_again(content, package, deployment, second))
    found = receiving.open_sealed(path, second, ready.root_line, ready.folder / "opened")
    assert [one.why for one in found.findings] == ["it was signed for another service's key"]
    path.write_bytes(sealed_again(content, new_package_id(), deployment))
    found = receiving.open_sealed(path, SERVICE, ready.root_line, ready.folder / "opened")
    assert [one.why for one in found.findings] == ["it was signed for another package"]
    assert found.code == 1
    assert not (ready.folder / "opened").exists()


@pytest.mark.claim("C-PACKAGE")
def test_a_package_that_no_operator_signed_is_refused(ready: Handing) -> None:
    """All of it rewritten by somebody who has the service's public key and no operator's."""
    path = ready.transmit().path
    package, content = content_of(path.read_bytes())
    lied = content.replace(b'"category": "fraud"', b'"category": "xxxxx"')
    assert lied != content
    path.write_bytes(sealed_again(lied, package, ready.desk.trust.deployment))
    found = receiving.open_sealed(path, SERVICE, ready.root_line, ready.folder / "opened")
    assert [(one.kind, one.what) for one in found.findings] == [("changed", "case.json")]
    path.write_bytes(sealed_again(content, package, ready.desk.trust.deployment))
    stranger = World.make().root_public.to_text()
    found = receiving.open_sealed(path, SERVICE, stranger, ready.folder / "opened")
    assert found.code == 1
    assert not (ready.folder / "opened").exists()


def test_a_folder_that_is_not_empty_a_link_and_a_file_that_is_not_there(ready: Handing) -> None:
    path = ready.transmit().path
    full, link = ready.folder / "full", ready.folder / "link"
    full.mkdir()
    (full / "mine").touch()
    link.symlink_to(full)
    for folder in (full, link):
        with pytest.raises(TransmissionRefused, match="not a new or empty folder"):
            receiving.open_sealed(path, SERVICE, ready.root_line, folder)
    with pytest.raises(TransmissionRefused, match="No such file"):
        receiving.open_sealed(full / "none", SERVICE, ready.root_line, ready.folder / "x")


def hostile(*files: tuple[bytes, bytes], end: bytes = archive.END) -> bytes:
    """An archive of headers and contents as they are given."""
    return b"".join(head + body + archive.padding(len(body)) for head, body in files) + end


def owned(name: str, **lies: object) -> bytes:
    """A header that Python's own tar would write, with something of its own in it."""
    import tarfile  # noqa: PLC0415  # an attacker's tool

    info = tarfile.TarInfo(name)
    for field, value in lies.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.USTAR_FORMAT)


GOOD = archive.header("a.txt", 1)
HOSTILE = {
    "a path up": hostile((owned("../a", mode=0o644), b"")),
    "an absolute path": hostile((owned("/etc/a", mode=0o644), b"")),
    "a hidden file": hostile((owned(".a", mode=0o644), b"")),
    "two folders deep": hostile((owned("a/b/c", mode=0o644), b"")),
    "a link": hostile((owned("a", mode=0o644, type=b"2", linkname="/etc"), b"")),
    "a folder": hostile((owned("a", mode=0o644, type=b"5"), b"")),
    "a time": hostile((owned("a", mode=0o644, mtime=7), b"")),
    "an owner": hostile((owned("a", mode=0o644, uname="me"), b"")),
    "a mode": hostile((owned("a", mode=0o755), b"")),
    "a checksum": hostile((GOOD[:148] + b"0000000" + GOOD[155:], b"x")),
    "no header": hostile((b"x" * 512, b"")),
    "a name twice": hostile((GOOD, b"x"), (archive.header("A.txt", 1), b"y")),
    "behind a file": GOOD + b"x" + b"\0" * 510 + b"y" + archive.END,
    "behind the end": hostile((GOOD, b"x")) + b"\0",
    "one block at the end": hostile((GOOD, b"x"), end=bytes(512)),
    "something in the end": hostile((GOOD, b"x"), end=bytes(512) + b"x" * 512),
    "no end": hostile((GOOD, b"x"), end=b""),
    "a file cut short": GOOD,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_archive_that_we_would_not_have_written_is_refused(
    tmp_path: Path, world: World, content: bytes
) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(sealed_again(content, new_package_id(), bytes(16)))
    folder = tmp_path / "out" / "opened"
    folder.parent.mkdir()
    with pytest.raises(PackageMalformed):
        receiving.open_sealed(path, SERVICE, world.root_public.to_text(), folder)
    assert list(folder.parent.iterdir()) == []


def test_what_is_no_package_inside_proves_nothing(tmp_path: Path, world: World) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(sealed_again(hostile((GOOD, b"x")), new_package_id(), bytes(16)))
    with pytest.raises(PackageMalformed, match="Nothing is proven"):
        receiving.open_sealed(path, SERVICE, world.root_public.to_text(), tmp_path / "opened")


def test_a_name_or_size_that_cannot_stand_is_not_written() -> None:
    for name, size in (("x" * 100, 0), ("a", -1), ("a", 8**11), ("", 0), ("a/", 0)):
        with pytest.raises(PackageMalformed):
            archive.header(name, size)
    assert archive.length_of([0, 1, 512]) == 512 + 1024 + 1024 + 1024


def test_an_archive_reads_the_same_in_any_pieces() -> None:
    content = hostile((GOOD, b"x"), (archive.header("b/c.txt", 600), b"y" * 600))
    for size in (1, 7, 512, 10_000):
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        found = {name: b"".join(chunks) for name, chunks in archive.members(pieces)}
        assert found == {"a.txt": b"x", "b/c.txt": b"y" * 600}


# --- the service's key


def test_a_service_makes_its_key_once_and_its_passphrase_opens_it(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    key = receiving.make_key(folder, "unit-1", PASSPHRASE, cost=CHEAP)
    assert receiving.read_key(folder / "unit-1.key", PASSPHRASE).raw == key.raw
    assert service_from_text((folder / "unit-1.pub").read_text()) == key.public
    assert (folder / "unit-1.key").stat().st_mode & 0o777 == 0o600
    assert key.raw not in (folder / "unit-1.key").read_bytes()
    with pytest.raises(ServiceKeyRefused, match="exists already"):
        receiving.make_key(folder, "unit-1", PASSPHRASE, cost=CHEAP)
    with pytest.raises(ServiceKeyRefused, match="passphrase does not open"):
        receiving.read_key(folder / "unit-1.key", "another one")


def test_what_is_no_services_key_or_no_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(seal_keyfile({"root": bytes(32)}, PASSPHRASE, cost=CHEAP))
    with pytest.raises(ServiceKeyRefused, match="no service's key"):
        receiving.read_key(tmp_path / "other", PASSPHRASE)
    with pytest.raises(ServiceKeyRefused, match="cannot be read"):
        receiving.read_key(tmp_path / "none", PASSPHRASE)
    for name in ("", "../x", "a b", "é"):
        with pytest.raises(ServiceKeyRefused, match="letters, digits"):
            receiving.make_key(tmp_path, name, PASSPHRASE, cost=CHEAP)
    (tmp_path / "file").touch()
    with pytest.raises(ServiceKeyRefused, match="cannot be written"):
        receiving.make_key(tmp_path / "file" / "x", "a", PASSPHRASE, cost=CHEAP)
