"""Put a package on the disk: sealed to the service in one file, or a folder in clear.

Rule: everything that can fail is done before the last word is asked for.  Until then a sealed file
lacks its first bytes, which alone hold its key, and a folder lacks the identity annex: what a
killed program left is opened by nobody, and tells nobody's name.  Whatever it was killed at, the
next start finds the rest and removes it (desk.unfinished).

```
(1) lay down   all of it, under a name of quarantine on the very disk that was named, the place of
               what is withheld held free
(2) settle     onto the disk, which has room from here on; the target's name is taken
(3) ask        `last_word`: with an identity, the journal says that it was opened
(4) complete   what was withheld, in its place; the true name
```
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from crypto.package import HEAD_BYTES, WRAP_BYTES, PackageHead, PackageSealer
from desk.durable import settle
from desk.errors import TransmissionRefused
from desk.sentence import Sentence
from desk.transmission import archive, proof
from desk.transmission.items import ANNEX
from desk.transmission.naming import building

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from crypto.keys import ServicePublicKey
    from desk.transmission.items import Load
    from desk.unfinished import Ledger

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_WITHHELD = HEAD_BYTES + WRAP_BYTES


def write_sealed(  # noqa: PLR0913  # what a hand-over is made of
    target: Path,
    load: Load,
    head: PackageHead,
    key: ServicePublicKey,
    last_word: Callable[[str], object],
    *,
    ledger: Ledger,
) -> str:
    """Write the sealed file; return the SHA-256 of all of it, which `last_word` is told, too.

    Raises:
        TransmissionRefused: the target cannot be written; nothing of it stays.
    """
    try:
        with (
            ledger.sealing(target) as unproven,
            os.fdopen(os.open(unproven, _NEW, 0o600), "w+b") as file,
        ):
            withheld = bytearray()

            def lay_down(sealed: bytes) -> None:
                kept = sealed[: _WITHHELD - len(withheld)]
                withheld.extend(kept)
                file.write(bytes(len(kept)) + sealed[len(kept) :])

            digest = _seal(load, head, key, lay_down)
            _settle_file(file)
            with _taken(target):
                last_word(digest)
                file.seek(0)
                file.write(withheld)
                _settle_file(file)
                unproven.replace(target)
                settle(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from None
    return digest


def write_folder(target: Path, load: Load, ledger: Ledger, last_word: Callable[[], object]) -> str:
    """Write the readable folder; return the SHA-256 of its manifest.  Raises as `write_sealed`."""
    try:
        with building(ledger, target) as made:
            for one in load.items:
                place = made.place / one.path
                place.parent.mkdir(mode=0o700, exist_ok=True)
                with os.fdopen(os.open(place, _NEW, 0o600), "wb") as file:
                    for chunk in one.chunks() if one.path != ANNEX else [bytes(one.size)]:
                        file.write(chunk)
                    _settle_file(file)
            wrong = [one.what for one in proof.verify_folder(made.place).findings]
            annex = [one for one in load.items if one.path == ANNEX]
            if wrong != [one.path for one in annex]:
                raise TransmissionRefused("What was written is not what was to be written.")
            with made.named(last=proof.MANIFEST):
                last_word()
                for one in annex:
                    _complete(made.place / one.path, b"".join(one.chunks()))
    except OSError as error:
        raise _unwritable(target, error) from None
    return load.items[0].sha256


def _seal(
    load: Load, head: PackageHead, key: ServicePublicKey, sink: Callable[[bytes], object]
) -> str:
    sealer = PackageSealer(
        deployment=head.deployment,
        package=head.package,
        service=key,
        length=archive.length_of(one.size for one in load.items),
        sink=sink,
    )
    for one in load.items:
        sealer.write(archive.header(one.path, one.size))
        for chunk in one.chunks():
            sealer.write(chunk)
        sealer.write(archive.padding(one.size))
    sealer.write(archive.END)
    return sealer.finish().hex()


@contextmanager
def _taken(target: Path) -> Iterator[None]:
    """The target's name, taken only where it is free (a stick may know no hard links)."""
    os.close(os.open(target, _NEW, 0o600))
    try:
        yield
    except BaseException:
        with suppress(OSError):
            target.unlink()
        raise


def _complete(place: Path, content: bytes) -> None:
    """Write into the place that was held free, and read it again."""
    with place.open("r+b") as file:
        file.write(content)
        _settle_file(file)
        file.seek(0)
        if file.read() != content:
            raise TransmissionRefused("What was written is not what was to be written.")


def _unwritable(target: Path, error: OSError) -> TransmissionRefused:
    return TransmissionRefused(
        Sentence("{path} cannot be written: {why}.", path=str(target), why=str(error.strerror))
    )


def _settle_file(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
