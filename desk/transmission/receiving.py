"""What the receiving service does: open the sealed file, prove it, and only then put it there.

Rule: nothing is written under the folder's name before all of it was proven; what is not proven is
removed, and what is wrong is named.  This part needs no desk and no server: a key and root.pub.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crypto.errors import KeyFileRefused, NotARecipient, PackageUnsound
from crypto.keyfile import open_keyfile, seal_keyfile
from crypto.package import service_to_text
from crypto.package_opening import ServicePrivateKey, open_package
from desk.errors import PackageMalformed, ServiceKeyRefused, TransmissionRefused
from desk.transmission import archive, proof
from desk.transmission.naming import building
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.keyfile import KeyFileCost

NOWHERE = Ledger()
_KEY_MOST = 64 * 1024
_SECRET = "service"  # noqa: S105  # its name in the key file
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def make_key(
    folder: Path, name: str, passphrase: str, *, cost: KeyFileCost | None = None
) -> ServicePrivateKey:
    """Make a service's key pair: `NAME.key`, sealed under the passphrase, and `NAME.pub`.

    Raises:
        ServiceKeyRefused: the name is none, a file is there already, or the folder is not writable.
    """
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ServiceKeyRefused("A key's name is letters, digits, - and _.")
    key = ServicePrivateKey.generate()
    sealed = seal_keyfile({_SECRET: key.raw}, passphrase, cost=cost)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for end, content in (("key", sealed), ("pub", service_to_text(key.public).encode())):
            with os.fdopen(os.open(folder / f"{name}.{end}", _NEW, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except FileExistsError as error:
        raise ServiceKeyRefused(
            f"{error.filename} exists already: making a new key would destroy what was sealed to "
            "the old one."
        ) from None
    except OSError as error:
        raise ServiceKeyRefused(f"{folder} cannot be written: {error.strerror}.") from None
    return key


def read_key(path: Path, passphrase: str) -> ServicePrivateKey:
    """Open a service's key file.

    Raises:
        ServiceKeyRefused: it cannot be read, or the passphrase does not open it.
    """
    try:
        with path.open("rb") as file:
            untrusted = file.read(_KEY_MOST)
        return ServicePrivateKey(open_keyfile(untrusted, passphrase)[_SECRET])
    except OSError as error:
        raise ServiceKeyRefused(f"{path} cannot be read: {error.strerror}.") from None
    except (KeyFileRefused, KeyError):
        raise ServiceKeyRefused(
            f"The passphrase does not open {path}, or it is no service's key."
        ) from None


def open_sealed(
    sealed: Path, key: ServicePrivateKey, root_line: str, folder: Path, ledger: Ledger = NOWHERE
) -> proof.Proof:
    """Open a sealed package into a folder, if all of it is proven.

    Until then it lies on that folder's own disk, in a folder which `ledger` knows of.

    Returns:
        What was proven; where something is wrong, its findings, and nothing was written.

    Raises:
        TransmissionRefused: the file does not open (its message names the bytes), or the folder
            cannot take it.
        PackageMalformed: it opens, and what is inside is not a package's content.
    """
    folder = folder.absolute()
    try:
        if folder.is_symlink() or (folder.exists() and any(folder.iterdir())):
            raise TransmissionRefused(f"{folder} is not a new or empty folder.")
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with building(ledger, folder) as made:
            head = _unpack(sealed, key, made.place)
            found = proof.verify_folder(made.place, root_line)
            wrong = [] if found.findings else list(_misled(found, head, key))
            if wrong:
                found = found._replace(findings=tuple(wrong))
            if not found.findings:
                with made.named(last=proof.MANIFEST):
                    pass
    except proof.Wrong as why:
        raise PackageMalformed(f"Nothing is proven: {why}.") from None
    except OSError as error:
        raise TransmissionRefused(
            f"{error.filename or folder}: {error.strerror}. Nothing of it stays in {folder}."
        ) from None
    return found


def _unpack(sealed: Path, key: ServicePrivateKey, folder: Path) -> str:
    """Write what is inside; return the package's id as its head says it, in hex."""
    with sealed.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            package = open_package(
                key, lambda offset, amount: os.pread(file.fileno(), amount, offset), size
            )
            for name, chunks in archive.members(package.content()):
                place = folder / name
                place.parent.mkdir(mode=0o700, exist_ok=True)
                with os.fdopen(os.open(place, _NEW, 0o600), "wb") as out:
                    for chunk in chunks:
                        out.write(chunk)
                    out.flush()
                    os.fsync(out.fileno())
        except NotARecipient:
            raise TransmissionRefused(
                f"{sealed} is sealed to another key than this one, or bytes 48 to 63 of it were "
                "changed. Nothing was written."
            ) from None
        except PackageUnsound as unsound:
            raise TransmissionRefused(f"{sealed}: {unsound}. Nothing was written.") from None
    return package.head.package.hex()


def _misled(found: proof.Proof, head: str, key: ServicePrivateKey) -> list[proof.Finding]:
    """What only the holder of the sealed file can see: a package that was sealed to another."""
    said = found.manifest
    wrong = []
    if said["service"]["key"] != key.public.kid.hex():
        wrong.append(
            proof.Finding("signature", proof.MANIFEST, "it was signed for another service's key")
        )
    if said["package"] != head:
        wrong.append(
            proof.Finding("signature", proof.MANIFEST, "it was signed for another package")
        )
    return wrong
