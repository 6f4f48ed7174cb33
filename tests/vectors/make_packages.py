"""Write packages.json anew: `python -m tests.vectors.make_packages`.

Keys and contents are fixed; salts, data keys and sealed boxes differ at each run.
"""

import base64
import json
from pathlib import Path
from typing import Any

from crypto.ids import Deployment
from crypto.package import PackageId, PackageSealer, package_bytes
from crypto.package_opening import ServicePrivateKey

FILE = Path(__file__).with_name("packages.json")
SERVICE = ServicePrivateKey(bytes([0x41]) * 32)
OTHER = ServicePrivateKey(bytes([0x42]) * 32)
LENGTHS = {"empty": 0, "ends in zeros": 5000, "two chunks": 20_000}


def content_of(length: int) -> bytes:
    """A content that ends in zeros, as a photo may."""
    return (bytes(range(256)) * (length // 256 + 1))[: length - min(length, 100)] + bytes(
        min(length, 100)
    )


def sealed(content: bytes, service: ServicePrivateKey = SERVICE) -> bytes:
    """One package, whole."""
    out = bytearray()
    sealer = PackageSealer(
        deployment=Deployment(bytes(range(16))),
        package=PackageId(bytes(range(16, 32))),
        service=service.public,
        length=len(content),
        sink=out.extend,
    )
    sealer.write(content)
    sealer.finish()
    return bytes(out)


def flipped(package: bytes, at: int) -> bytes:
    """The same with one bit of one byte changed."""
    return package[:at] + bytes([package[at] ^ 1]) + package[at + 1 :]


def packages() -> list[dict[str, Any]]:
    """Those that open, and what is refused, by which name and for which bytes.

    What is refused is told as a change of the one that has two chunks: `flip` the lowest bit of a
    byte, `keep` so many bytes, `add` bytes.
    """
    made = [
        _whole(name, sealed(content_of(length)), "opens", length=length)
        for name, length in LENGTHS.items()
    ]
    made.append(_whole("another service's", sealed(b"x", OTHER), "NotARecipient"))
    end = package_bytes(LENGTHS["two chunks"])
    places = {
        "magic": (0, [0, 64]), "version": (8, [0, 64]), "suite": (9, [0, 64]),
        "zeros": (12, [0, 64]), "deployment": (16, [0, 64]), "package id": (40, [0, 64]),
        "wrap": (70, [64, 180]), "salt": (181, [180, 236]), "commitment": (230, [180, 236]),
        "first chunk": (300, [236, 16_636]), "last chunk": (end - 1, [16_636, end]),
    }  # fmt: skip
    made += [
        {"name": f"changed: {name}", "flip": at, "expect": "PackageUnsound", "bytes": stretch}
        for name, (at, stretch) in places.items()
    ]
    made.append({"name": "changed: kid", "flip": 50, "expect": "NotARecipient"})
    lengths = {
        "cut in a chunk": (end - 5, [end - 5, end]),
        "cut at a chunk": (16_636, [16_636, end]),
        "cut in the wrap": (100, [0, 64]),
        "nothing": (0, [0, 1]),
    }
    made += [
        {"name": name, "keep": kept, "expect": "PackageUnsound", "bytes": stretch}
        for name, (kept, stretch) in lengths.items()
    ]
    grown = {"name": "grown", "add": "00", "expect": "PackageUnsound", "bytes": [end, end + 1]}
    return [*made, grown]


def bytes_of(vector: dict[str, Any], good: bytes) -> bytes:
    """The package that a vector speaks of."""
    if "package" in vector:
        return base64.b64decode(vector["package"])
    if "flip" in vector:
        return flipped(good, vector["flip"])
    return good[: vector.get("keep", len(good))] + bytes.fromhex(vector.get("add", ""))


def _whole(name: str, package: bytes, expect: str, **facts: int) -> dict[str, Any]:
    return {
        "name": name,
        "private_key": SERVICE.raw.hex(),
        "package": base64.b64encode(package).decode(),
        "expect": expect,
        **facts,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(packages(), indent=1) + "\n", "utf-8")
