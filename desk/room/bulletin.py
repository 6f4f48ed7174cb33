"""The public bulletin: a few figures of days that are over, protected, rounded and signed.

Rule: what is published is what desk.room.disclosure lets through, in every file alike; shares are
computed from the rounded counts; rows stand in a fixed order, whatever their size.  Two bulletins
of days that overlap could be subtracted from each other, so the second is refused.  The days are
noted before the first byte is written, and stay noted where the writing failed: what may have been
seen counts as published.

```
(1) draft      what would be public, in memory; refused where it may not be
(2) sign       the statement, in memory; the folder is made
(3) note       the days, durably
(4) write      the files; what a failure leaves is removed, and the days stay noted
```
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crypto.bulletin import BulletinStatement, to_pem
from crypto.errors import CryptoError
from crypto.ids import Day, date_of
from desk.config import write_private
from desk.damage import DAMAGED
from desk.errors import DeskError, StoreDamaged
from desk.export import inside
from desk.locks import alone
from desk.room import words
from desk.room.disclosure import LEAST, STEP
from desk.room.period import Period
from desk.room.public import Line, lines
from desk.sentence import Sentence, Several, reason
from desk.work import myself

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desk.desk import Desk
    from desk.room.fact import Fact
    from desk.rules import Rules

STATEMENT, SIGNATURE, KEY = "bulletin.txt", "bulletin.sig", "signer.pem"
FILES = ("bulletin.csv", "bulletin.html", "bulletin.json")
_BESIDE = (STATEMENT, SIGNATURE, KEY)
FILE_MOST = 4 * 1024 * 1024
_PUBLISHED = "bulletins"
_OTHER_SECONDS = 10.0


class BulletinRefused(DeskError):
    """The bulletin cannot be published so; the message says why."""


class BulletinOverlaps(BulletinRefused):
    """Some of these days were published from this desk; `overlapping` publishes them again."""


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


@dataclass(frozen=True, slots=True)
class Draft:
    """What a bulletin would say: its public lines, and its files by name, unsigned."""

    lines: tuple[Line, ...]
    files: dict[str, bytes]

    @property
    def kept_back(self) -> int:
        """How many counts show as a dash."""
        return sum(one.count is None for one in self.lines)

    @property
    def seen(self) -> str:
        """A name for exactly this draft: whoever signs what they looked at gives it back."""
        told = b"".join(hashlib.sha256(content).digest() for content in self.files.values())
        return hashlib.sha256(told).hexdigest()


# --- publishing


def draft(desk: Desk, facts: Iterable[Fact], edition: Edition, folder: Path | None = None) -> Draft:
    """Make what `publish` would write, into that folder where one is named, and write nothing.

    Raises:
        BulletinRefused: as `publish`.
    """
    _require_publishable(desk, edition, folder)
    return _drafted(desk, facts, edition)


def published(desk: Desk) -> tuple[Period, ...]:
    """The days of every bulletin of this desk, those included that may not have come out whole."""
    return tuple(Period(Day(first), Day(last)) for first, last in _published(desk))


def publish(
    desk: Desk, facts: Iterable[Fact], edition: Edition, folder: Path, seen: str = ""
) -> tuple[Line, ...]:
    """Write the bulletin's files into a folder, and sign them; remembers which days it was about.

    With `seen`, only if the draft is still the one of that name (`Draft.seen`).

    Raises:
        BulletinRefused: the period is not over, was published, the folder is not empty, or the
            figures are not those that were seen.
        ActRefused, RosterNotTrusted: this desk's operator may not sign today.
    """
    # Between what is noted and what is asked of it, no other window may publish.
    with alone(desk.home.publishing, _OTHER_SECONDS) as is_mine:
        if not is_mine:
            raise BulletinRefused(
                Sentence("Another window of this desk is publishing. Nothing was written.")
            )
        _require_publishable(desk, edition, folder)
        made = _drafted(desk, facts, edition)
        if seen and seen != made.seen:
            raise BulletinRefused(
                Sentence(
                    "The figures are not those that were shown any more: something came meanwhile. "
                    "Look at them again, and sign then. Nothing was written."
                )
            )
        signed = {**made.files, **_signature(desk, edition.period, made.files)}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritten(folder, error) from None
        told = [*_published(desk), (edition.period.first, edition.period.last)]
        desk.store.note(_PUBLISHED, json.dumps(told))
        _write(folder, signed)
    return made.lines


def _drafted(desk: Desk, facts: Iterable[Fact], edition: Edition) -> Draft:
    found = lines(facts, edition.period, desk.rules, edition.tags)
    rehearsal = desk.trust.rehearsal
    files = rendered(found, edition.period, desk.today(), desk.rules, rehearsal=rehearsal)
    return Draft(found, files)


def _signature(desk: Desk, period: Period, files: dict[str, bytes]) -> dict[str, bytes]:
    """What stands beside the files: the statement that names them, its signature, the key."""
    today, operator = desk.today(), myself(desk).operator
    statement = BulletinStatement(
        deployment=desk.trust.deployment,
        roster=desk.trust.in_force(today).hash,
        signer=operator.sign.kid,
        issued=today,
        first=period.first,
        last=period.last,
        files={name: hashlib.sha256(content).digest() for name, content in files.items()},
    )
    return {
        STATEMENT: statement.to_bytes(),
        SIGNATURE: statement.sign(desk.keyring.sign),
        KEY: to_pem(operator.sign).encode(),
    }


def _write(folder: Path, signed: dict[str, bytes]) -> None:
    """Write every file, or leave none; the days stay noted all the same.

    The folder may be one that others read, or that is copied elsewhere as it fills: that nobody saw
    what is removed here cannot be known, and a note too many costs a question, one too few a count.
    """
    try:
        for name, content in signed.items():
            write_private(folder / name, content)
    except OSError as error:
        with suppress(OSError):
            for name in signed:
                (folder / name).unlink(missing_ok=True)
                (folder / f"{name}.new").unlink(missing_ok=True)
        raise BulletinRefused(
            Sentence(
                "{why} What was written was removed again, and the days count as published: "
                "somebody may have read it.",
                why=reason(_unwritten(folder, error)),
            )
        ) from None


def _unwritten(folder: Path, error: OSError) -> BulletinRefused:
    return BulletinRefused(
        Sentence(
            "{path} cannot be written: {why}.",
            path=str(error.filename or folder), why=str(error.strerror),
        )
    )  # fmt: skip


def check(desk: Desk, folder: Path) -> Proven:
    """Prove a published bulletin with the rosters of this desk; gives what was signed, and by whom.

    Raises:
        BulletinWrong: a file is missing, changed or added, or no operator of ours signed it.
    """
    try:
        statement = BulletinStatement.from_bytes(_read(folder, STATEMENT))
        signer = desk.trust.signer(statement.signer, statement.roster, statement.issued)
        if signer is None or statement.deployment != desk.trust.deployment:
            raise BulletinWrong(
                Sentence("No operator of a roster that this desk believes signed it.")
            )
        statement.verify(signer.key, _read(folder, SIGNATURE))
    except CryptoError:
        raise BulletinWrong(
            Sentence("The signature does not hold over {file}.", file=STATEMENT)
        ) from None
    for name, digest in statement.files.items():
        if hashlib.sha256(_read(folder, name)).digest() != digest:
            raise BulletinWrong(Sentence("{file} is not the file that was signed.", file=name))
    # Not in the statement, and the one file that somebody without a desk believes.
    if _read(folder, KEY) != to_pem(signer.key).encode():
        raise BulletinWrong(
            Sentence(
                "{file} is not the key of {operator}, who signed it.",
                file=KEY, operator=signer.name,
            )
        )  # fmt: skip
    for added in sorted({one.name for one in folder.iterdir()} - {*statement.files, *_BESIDE}):
        raise BulletinWrong(Sentence("{file} was added to what was signed.", file=ascii(added)))
    return Proven(statement, signer.name)


def _read(folder: Path, name: str) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            return file.read(FILE_MOST)
    except OSError:
        raise BulletinWrong(
            Sentence("{file} cannot be read in {path}.", file=name, path=str(folder))
        ) from None


def _published(desk: Desk) -> list[tuple[int, int]]:
    kept = desk.store.noted(_PUBLISHED) or "[]"
    try:
        return [(int(first), int(last)) for first, last in json.loads(kept)]
    except (TypeError, ValueError):
        raise StoreDamaged(DAMAGED) from None


def _require_publishable(desk: Desk, edition: Edition, folder: Path | None) -> None:
    period, tags = edition.period, edition.tags
    if period.last >= desk.today():
        raise BulletinRefused(
            Sentence("A bulletin is about days that are over: choose an earlier last day.")
        )
    for tag in tags:
        if tag not in desk.rules.tags:
            known = Several(", ", desk.rules.tags)
            raise BulletinRefused(
                Sentence("There is no mark {mark}: {known}.", mark=repr(tag), known=known)
            )
    if len(set(tags)) != len(tags):
        raise BulletinRefused(Sentence("A mark is named twice."))
    if folder is not None:
        _require_free(desk, folder)
    for first, last in _published(desk):
        if not edition.overlapping and first <= period.last and period.first <= last:
            raise BulletinOverlaps(
                Sentence(
                    "A bulletin of some of these days was published from this desk. Whoever "
                    "subtracts one from the other could learn what both keep back. Choose other "
                    "days."
                )
            )


def _require_free(desk: Desk, folder: Path) -> None:
    try:
        if desk.home.holds(folder):
            raise BulletinRefused(inside(folder))
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise _unwritten(folder, error) from None
    if taken:
        raise BulletinRefused(Sentence("{path} is not an empty folder.", path=str(folder)))


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
