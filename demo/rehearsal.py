"""Hold a rehearsal: keys, a ceremony, a gateway, each made by the program that makes it really.

Nothing here seals, signs or opens: this room runs programs as programs.  Every key it has made
carries the word rehearsal, and the roster says so to the site, which says so to the reporter.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Announce = Callable[[str], None]

# Nobody compares fingerprints with himself: the rehearsal says yes to that question.
TERM = ("--days", "30", "--yes")
RENEW_WITHIN_DAYS = 7
OPERATORS = ("operator-1", "operator-2")
CUSTODIAN = "custodian-1"


class RehearsalFailed(Exception):
    """A program of the rehearsal did not do its part; the message is what it printed."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the rehearsal keeps things, all below AMANA_HOME."""

    home: Path

    @property
    def passphrase(self) -> Path:
        """One passphrase for every rehearsal key: it protects nothing real."""
        return self.home / "rehearsal-passphrase"

    @property
    def root(self) -> Path:
        """The root's folder; in earnest it would be on a machine without a network."""
        return self.home / "root"

    @property
    def roster(self) -> Path:
        """The newest signed roster."""
        return self.home / "roster.note"

    @property
    def gateway(self) -> Path:
        """What the server keeps, and nothing of anybody else."""
        return self.home / "gateway"

    def desk(self, name: str) -> Path:
        """One operator's or custodian's own machine."""
        return self.home / "desks" / name

    def enrolment(self, name: str) -> Path:
        """The public keys that a desk hands to the root."""
        return self.home / "enrolments" / f"{name}.json"


def program(name: str) -> str:
    """The path of one of our own programs, in the environment that runs the rehearsal."""
    return str(Path(sys.executable).parent / name)


def run(arguments: list[str], **environment: str) -> str:
    """Run one of our programs to its end.

    Returns:
        What it printed.

    Raises:
        RehearsalFailed: with what it printed, when it did not exit with 0.
    """
    done = subprocess.run(  # noqa: S603  # our own programs, arguments of our own making
        [program(arguments[0]), *arguments[1:]],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RehearsalFailed(f"{' '.join(arguments[:2])}: {done.stderr.strip() or done.stdout}")
    return done.stdout


def prepare(places: Places, announce: Announce) -> None:
    """Make what is missing and keep what is there; renew a roster that is about to end."""
    places.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not places.passphrase.exists():
        write_private(places.passphrase, f"rehearsal {secrets.token_hex(8)}\n")
    if not places.root.exists():
        announce("making the offline root's key")
        run(["amana-root", "init", "--rehearsal", "--out", str(places.root), *phrase(places)])
    for name in (*OPERATORS, CUSTODIAN):
        make_desk(places, name, announce)
    if not places.roster.exists():
        announce("signing the roster: two operators, one custodian")
        run(["amana-root", "roster", *roster_arguments(places)])
    renew_if_ending(places, announce)
    if not (places.gateway / "roster.note").exists():
        announce("preparing the gateway")
        run(["amana-gateway", "init", *gateway_arguments(places)])
    # In earnest a timer does this once a day: uploads that were never part of a report go.
    run(["amana-gateway", "expire", "--home", str(places.home)])


def make_desk(places: Places, name: str, announce: Announce) -> None:
    """Make one desk's keys, unless it has them."""
    enrolment = places.enrolment(name)
    if enrolment.exists():
        return
    announce(f"making the keys of {name}")
    enrolment.parent.mkdir(mode=0o700, exist_ok=True)
    places.desk(name).mkdir(mode=0o700, parents=True, exist_ok=True)
    kind = ["--custodian"] if name == CUSTODIAN else []
    arguments = ["--label", f"rehearsal {name}", "--out", str(enrolment), *phrase(places)]
    run(["amana-desk", "keygen", *kind, *arguments], AMANA_DESK_HOME=str(places.desk(name)))


def renew_if_ending(places: Places, announce: Announce) -> None:
    """Sign the roster anew when it has a week left or less, and hand it to the gateway."""
    shown = json.loads(run(["amana-root", "show", "--json", str(places.roster)]))
    last = dt.date.fromisoformat(shown["not_after"])
    if (last - dt.datetime.now(tz=dt.UTC).date()).days > RENEW_WITHIN_DAYS:
        return
    announce("the roster is about to expire: signing it anew")
    new = places.roster.with_suffix(".new")
    new.unlink(missing_ok=True)
    files = ["--root", str(places.root), "--previous", str(places.roster), "--out", str(new)]
    run(["amana-root", "renew", *files, *TERM, *phrase(places)])
    new.replace(places.roster)
    if (places.gateway / "roster.note").exists():
        run(["amana-gateway", "roster", str(places.roster), "--home", str(places.home)])


def roster_arguments(places: Places) -> list[str]:
    """Who stands in the roster, and for how long."""
    enrolled = [a for name in OPERATORS for a in ("--enrol", str(places.enrolment(name)))]
    custody = ["--custodian", str(places.enrolment(CUSTODIAN))]
    where = ["--root", str(places.root), "--out", str(places.roster)]
    return [*where, *TERM, *enrolled, *custody, *phrase(places)]


def gateway_arguments(places: Places) -> list[str]:
    """What the gateway is given: public things only."""
    public = ["--root-public", str(places.root / "root.pub"), "--roster", str(places.roster)]
    return [*public, "--home", str(places.home)]


def phrase(places: Places) -> list[str]:
    """The passphrase's file, never the passphrase: arguments can be read by everybody."""
    return ["--passphrase-file", str(places.passphrase)]


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, and never for a moment anybody else."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
