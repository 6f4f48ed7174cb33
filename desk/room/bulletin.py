"""The public bulletin: a few figures of days that are over, protected, rounded and signed.

Rule: what is published is what desk.room.disclosure lets through, in every file alike; shares are
computed from the rounded counts; rows stand in a fixed order, whatever their size.  Two bulletins
of days that overlap could be subtracted from each other, so the second is refused.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crypto.bulletin import BulletinStatement, to_pem
from crypto.errors import CryptoError
from crypto.ids import date_of
from desk.config import write_private
from desk.errors import DeskError
from desk.room import words
from desk.room.disclosure import LEAST, STEP
from desk.room.public import Line, lines
from desk.work import myself

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crypto.ids import Day
    from desk.desk import Desk
    from desk.room.fact import Fact
    from desk.room.period import Period
    from desk.rules import Rules

STATEMENT, SIGNATURE, KEY = "bulletin.txt", "bulletin.sig", "signer.pem"
FILES = ("bulletin.csv", "bulletin.html", "bulletin.json")
_BESIDE = (STATEMENT, SIGNATURE, KEY)
FILE_MOST = 4 * 1024 * 1024
_PUBLISHED = "bulletins"


class BulletinRefused(DeskError):
    """The bulletin cannot be published so; the message says why."""


class BulletinWrong(DeskError):
    """A published bulletin is not what was signed; the message names what differs."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What is to be published: which days, and which marks of terrorism reports.

    `overlapping` is the wish to publish days once more in spite of the warning.
    """

    period: Period
    tags: tuple[str, ...] = ()
    overlapping: bool = False


@dataclass(frozen=True, slots=True)
class Proven:
    """A bulletin that holds: what was signed, and the label of the operator who did."""

    statement: BulletinStatement
    signer: str

    @property
    def text(self) -> str:
        """The days that it is about."""
        return f"{date_of(self.statement.first)}..{date_of(self.statement.last)}"

    def to_json(self) -> dict[str, object]:
        """What `bulletin --json` prints of it."""
        return {
            "v": 1,
            "from": str(date_of(self.statement.first)),
            "to": str(date_of(self.statement.last)),
            "issued": str(date_of(self.statement.issued)),
            "signer": self.signer,
            "files": sorted(self.statement.files),
        }


# --- publishing


def publish(desk: Desk, facts: Iterable[Fact], edition: Edition, folder: Path) -> tuple[Line, ...]:
    """Write the bulletin's files into a folder, and sign them; remembers which days it was about.

    Raises:
        BulletinRefused: the period is not over, was published, or the folder is not empty.
        ActRefused, RosterNotTrusted: this desk's operator may not sign today.
    """
    today = desk.today()
    period = edition.period
    _require_publishable(desk, edition, folder)
    operator = myself(desk).operator
    found = lines(facts, period, desk.rules, edition.tags)
    files = rendered(found, period, today, desk.rules, rehearsal=desk.trust.rehearsal)
    statement = BulletinStatement(
        deployment=desk.trust.deployment,
        roster=desk.trust.in_force(today).hash,
        signer=operator.sign.kid,
        issued=today,
        first=period.first,
        last=period.last,
        files={name: hashlib.sha256(content).digest() for name, content in files.items()},
    )
    beside = (
        statement.to_bytes(),
        statement.sign(desk.keyring.sign),
        to_pem(operator.sign).encode(),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {**files, **dict(zip(_BESIDE, beside, strict=True))}.items():
            write_private(folder / name, content)
    except OSError as error:
        raise BulletinRefused(f"{error.filename or folder}: {error.strerror}.") from None
    told = [*_published(desk), (period.first, period.last)]
    desk.store.note(_PUBLISHED, json.dumps(told))
    return found


def check(desk: Desk, folder: Path) -> Proven:
    """Prove a published bulletin with the rosters of this desk; gives what was signed, and by whom.

    Raises:
        BulletinWrong: a file is missing, changed or added, or no operator of ours signed it.
    """
    try:
        statement = BulletinStatement.from_bytes(_read(folder, STATEMENT))
        signer = desk.trust.signer(statement.signer, statement.roster, statement.issued)
        if signer is None or statement.deployment != desk.trust.deployment:
            raise BulletinWrong("No operator of a roster that this desk believes signed it.")
        statement.verify(signer.key, _read(folder, SIGNATURE))
    except CryptoError:
        raise BulletinWrong(f"The signature does not hold over {STATEMENT}.") from None
    for name, digest in statement.files.items():
        if hashlib.sha256(_read(folder, name)).digest() != digest:
            raise BulletinWrong(f"{name} is not the file that was signed.")
    # Not in the statement, and the one file that somebody without a desk believes.
    if _read(folder, KEY) != to_pem(signer.key).encode():
        raise BulletinWrong(f"{KEY} is not the key of {signer.name}, who signed it.")
    for added in sorted({one.name for one in folder.iterdir()} - {*statement.files, *_BESIDE}):
        raise BulletinWrong(f"{added!a} was added to what was signed.")
    return Proven(statement, signer.name)


def _read(folder: Path, name: str) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            return file.read(FILE_MOST)
    except OSError:
        raise BulletinWrong(f"{name} cannot be read in {folder}.") from None


def _published(desk: Desk) -> Iterator[tuple[int, int]]:
    for first, last in json.loads(desk.store.noted(_PUBLISHED) or "[]"):
        yield int(first), int(last)


def _require_publishable(desk: Desk, edition: Edition, folder: Path) -> None:
    period, tags = edition.period, edition.tags
    if period.last >= desk.today():
        raise BulletinRefused("A bulletin is about days that are over: choose an earlier last day.")
    for tag in tags:
        if tag not in desk.rules.tags:
            raise BulletinRefused(f"There is no mark {tag!r}: {', '.join(desk.rules.tags)}.")
    if len(set(tags)) != len(tags):
        raise BulletinRefused("A mark is named twice.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BulletinRefused(f"{folder} is not an empty folder.")
    for first, last in _published(desk):
        if not edition.overlapping and first <= period.last and period.first <= last:
            raise BulletinRefused(
                "A bulletin of some of these days was published from this desk. Whoever subtracts "
                "one from the other could learn what both keep back. Choose other days."
            )


# --- the files


def rendered(
    found: Sequence[Line], period: Period, issued: Day, rules: Rules, *, rehearsal: bool
) -> dict[str, bytes]:
    """The three files, by name; nothing but the public lines goes into them."""
    told = {
        "v": 1,
        "rehearsal": rehearsal,
        "from": str(date_of(period.first)),
        "to": str(date_of(period.last)),
        "issued": str(date_of(issued)),
        "least": LEAST,
        "rounded_to": STEP,
        "figures": [
            {"table": one.table, "id": one.id, "count": one.count, "of": one.of,
             "percent": one.percent}
            for one in found
        ],
    }  # fmt: skip
    tables: dict[str, list[Line]] = {}
    for one in found:
        tables.setdefault(one.table, []).append(one)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("bulletin.html").render(
        told=told, tables=tables, title=lambda name: words.public_title(name, rules),
        name=words.public_row, number=words.number, least=LEAST, step=STEP, files=FILES,
        statement=STATEMENT, signature=SIGNATURE, key=KEY,
    )  # fmt: skip
    return {
        "bulletin.csv": _csv(found).encode(),
        "bulletin.html": page.encode(),
        "bulletin.json": (json.dumps(told, indent=1) + "\n").encode(),
    }


def _csv(found: Sequence[Line]) -> str:
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\r\n")
    out.writerow(("table", "row", "count", "of", "percent"))
    for one in found:
        cells = ("" if cell is None else cell for cell in (one.count, one.of, one.percent))
        out.writerow([one.table, one.id, *cells])
    return written.getvalue()
