"""Write bulletins.json anew: `python -m tests.vectors.make_bulletins`.

The file is the reference and this is how it came about.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from crypto.bulletin import BulletinStatement, to_pem
from crypto.ids import Day, Deployment
from crypto.signing import SigningPrivateKey

BULLETINS = Path(__file__).with_name("bulletins.json")
KEY = SigningPrivateKey.from_seed(bytes(range(32)))
OTHER = SigningPrivateKey.from_seed(bytes(32))
STATEMENT = BulletinStatement(
    deployment=Deployment(bytes(range(16))),
    roster=bytes(range(32)),
    signer=KEY.public.kid,
    issued=Day(20_779),
    first=Day(19_877),
    last=Day(19_968),
    files={"figures.csv": hashlib.sha256(b"a").digest(), "page.html": hashlib.sha256(b"").digest()},
)


def bulletin_vectors() -> dict[str, Any]:
    """A good statement, and each way in which one is refused."""
    good = STATEMENT.to_bytes().decode()
    lines = good.splitlines(keepends=True)
    bad = {
        "another label": good.replace("v1", "v2", 1),
        "a line is missing": "".join(lines[:4] + lines[5:]),
        "no file": "".join(lines[:7]),
        "too many files": good + "".join(f"{'0' * 64}  z{n:02}\n" for n in range(15)),
        "files out of order": "".join([*lines[:7], lines[8], lines[7]]),
        "a file twice": good + lines[8],
        "a path for a name": good.replace("  figures.csv", "  ../figures.csv"),
        "capital digits": good.replace(lines[8][:64], lines[8][:64].upper()),
        "no last line end": good[:-1],
        "Windows line ends": good.replace("\n", "\r\n"),
        "a day that is none": good.replace("2024-09-02", "2024-09-31"),
        "ends before it begins": good.replace("from 2024-06-03", "from 2024-09-03"),
        "not ASCII": good.replace("figures", "fígures"),
        "too long": good + " " * 4096,
        "empty": "",
    }
    return {
        "seed": KEY.seed.hex(),
        "public": KEY.public.raw.hex(),
        "pem": to_pem(KEY.public),
        "statement": good,
        "signature": STATEMENT.sign(KEY).hex(),
        "refused": [{"name": name, "statement": text} for name, text in bad.items()],
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(bulletin_vectors(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    BULLETINS.write_text(text(), encoding="utf-8")
