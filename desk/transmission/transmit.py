"""Hand a case over: build the package, sign it, seal it, and say so in the journal.

Rule: what may be done is asked of the rules before a byte is written (desk.work.allowed); the
journal never names a package that is not there, and no package stays that the journal does not
name; where the program is killed in between, the next start says so.

```
(1) competence   service and legal basis, as whoever made the case ready wrote them
(2) allowed      by the rules, by another operator, not against the reporter's wish
(3) gather       what goes and what does not; the cover; the manifest; the operator's signature
(4) write        sealed to the service's key, or a folder in clear (desk.transmission.writing);
                 before the last bytes what a sealed one holds is remembered, and then, with an
                 identity, the journal says that it was opened
(5) say so       the entry, with the package's SHA-256
```

A request to the custodians is used up by (4), and no sooner: what fails before it costs nothing,
and whatever fails after it says so, or stops the program then.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.package import (
    NOBODY,
    PackageHead,
    PackageId,
    new_package_id,
    package_statement,
)
from desk import acts, outbox, work
from desk.cases import Cases, iso
from desk.errors import CaseMoved, DeskError, TransmissionRefused
from desk.four_eyes import NEED, behind
from desk.rules import RECEIVED
from desk.sentence import Sentence, reason
from desk.transmission import proof, waiting
from desk.transmission.cover import Occasion, cover, print_cover
from desk.transmission.items import (
    LeftOut,
    Load,
    as_json,
    document,
    documents_of,
    files_of,
)
from desk.transmission.possible import (
    STATE,
    Order,
    key_of,
    require_allowed,
    require_possible,
)
from desk.transmission.writing import write_folder, write_sealed
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.ids import Kid
    from desk.cases import Case
    from desk.custody import Agreed
    from desk.desk import Desk
    from desk.rules import Rules
    from desk.store import Envelope

_TRIES = 8


@dataclass(frozen=True, slots=True)
class Transmission:
    """What was handed over: where it lies, its SHA-256, and what it does not hold."""

    path: Path
    sha256: str
    files: int
    left_out: tuple[LeftOut, ...]
    sent: bool

    def to_json(self) -> dict[str, object]:
        """The stable shape of `transmit --json`."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "files": self.files,
            "left_out": [one.to_json() for one in self.left_out],
            "sent": self.sent,
        }


def transmit(desk: Desk, case: Case, order: Order) -> Transmission:
    """Build the package of a case, write it, and append the entry.

    With custodians' letters the case is asked as it is since they were filed (`Agreed.case`): that
    took a while, in which the reporter may have withdrawn it.

    Raises:
        StateUnknown, ActRefused: the rules do not allow it now.
        ServiceKeyRefused: the service has no key here.
        TransmissionRefused: a file is missing, the target cannot be written, the cover not printed.
            Or whatever else, once a request to the custodians is used up: the message says so.
        EvidenceUnsound: a file is not what its manifest says.
        CaseMoved: something came to the case since it was read.
        RosterNotTrusted: no roster is in force today.
    """
    case = order.agreed.case if order.agreed else case
    require_possible(desk, case, order)
    key = None if order.in_clear else key_of(desk, order)
    service = key.kid if key else NOBODY
    package = new_package_id()
    opening = _Opening.begin(desk, case, order.agreed)
    load = _gather(desk, opening.case, order, package, service)
    head = PackageHead(deployment=desk.trust.deployment, package=package, service=service)
    digest = ""
    with Ledger.of(desk).handing(order.target) as ledger:
        try:
            if key is None:
                digest = write_folder(order.target, load, ledger, opening.say)
            else:

                def last_word(made: str) -> None:
                    waiting.remember(desk, case.id, made, load)
                    opening.say()

                digest = write_sealed(order.target, load, head, key, last_word, ledger=ledger)
            sent = _say_so(desk, order, digest, opening)
        except BaseException as error:
            # Where the entry is kept here and goes out later, what it names must stay.
            if digest and _is_named(desk, case, digest):
                raise
            if digest:
                _remove(order.target)
            if opening.is_said:
                raise _used_up(error) from None
            raise
    return Transmission(order.target, digest, load.files, load.left, sent)


@dataclass(slots=True)
class _Opening:
    """That an identity was opened, signed and not in the journal yet; without one, nothing.

    `case` is the case as it reads with that act: the package's journal holds it.
    """

    desk: Desk
    before: Case
    case: Case
    act: Envelope | None = None
    _is_said: bool = False

    @classmethod
    def begin(cls, desk: Desk, case: Case, agreed: Agreed | None) -> _Opening:
        if agreed is None:
            return cls(desk, case, case)
        act = outbox.drafted(desk, agreed.case, acts.IDENTITY_OPENED, agreed.to_facts())
        return cls(desk, agreed.case, Cases(desk).with_draft(agreed.case, act), act)

    def say(self) -> None:
        """Write it into the journal; from here on the request is used up.  Raises CaseMoved."""
        if self.act is not None:
            outbox.keep(self.desk, self.before, self.act)
            self._is_said = True

    @property
    def is_said(self) -> bool:
        """Whether the journal says it; the store knows, where a signal came before the word."""
        if self.act is not None and not self._is_said:
            with suppress(sqlite3.Error):
                self._is_said = bool(self.desk.store.some([self.act.id]))
        return self._is_said


def _say_so(desk: Desk, order: Order, digest: str, opening: _Opening) -> bool:
    """Append the entry that names the package; returns and raises as `work.set_state`."""
    case = opening.case
    for tries in range(_TRIES):
        try:
            return work.set_state(
                desk, case, STATE, service=order.to.service, basis=order.to.basis, package=digest
            )  # fmt: skip
        except CaseMoved:
            if not opening.is_said or tries == _TRIES - 1:
                raise
            # The package is whole and the request used up: what came in this instant is a reason to
            # stop only where the rules, or the reporter's wish, make it one.
            case = Cases(desk).find(case.id.hex())
            require_allowed(desk, case, order.to)
    raise AssertionError  # pragma: no cover - the last try raises


def _used_up(error: BaseException) -> TransmissionRefused:
    why = Sentence("Something failed: {error}.", error=f"{type(error).__name__}: {error}")
    if isinstance(error, DeskError):
        why = reason(error)
    elif not isinstance(error, Exception):
        why = Sentence("It was stopped.")
    return TransmissionRefused(
        Sentence(
            "{why} No package was handed over, and the journal says already that the identity was "
            "opened: the request to the custodians is used up. Ask them anew.",
            why=why,
        )
    )


def _is_named(desk: Desk, case: Case, digest: str) -> bool:
    with suppress(sqlite3.Error):
        now = Cases(desk).find(case.id.hex())
        return any(one.body.data.get("package") == digest for one in now.work.of(acts.STATUS))
    return False


def _gather(desk: Desk, case: Case, order: Order, package: PackageId, service: Kid) -> Load:
    """Everything that will be written, in order; evidence is opened as it is written."""
    me = work.myself(desk)
    # Once: another program may accept a newer one while the cover is printed.
    roster = desk.trust.in_force(desk.today())
    files, left = files_of(desk, case)
    identities = order.agreed.identities if order.agreed else ()
    written = documents_of(desk, case, files, package.hex(), roster, identities)
    inside = Load((*written, *files), left)
    newest = case.next_word.front
    made = behind(newest, order.to.to_facts(), me, desk.rules) or newest
    occasion = Occasion(
        package=package.hex(),
        service=order.to.service,
        basis=order.to.basis,
        operator=me.name,
        prepared=made[-1].signer.name if made else "",
        day=iso(desk.today()),
        has_annex=order.agreed is not None,
    )
    printed = print_cover(cover(desk, case, occasion, inside))
    sheet = document("cover.pdf", printed, "application/pdf", "cover")
    told = _manifest(desk, case, occasion, inside)
    told["service"] = {
        "id": order.to.service,
        "words": dict(desk.rules.services[order.to.service].words),
        "key": "" if service == NOBODY else service.hex(),
    }
    told["items"] = [one.to_json() for one in (sheet, *inside.items)]
    manifest = as_json(told)
    statement = package_statement(desk.trust.deployment, case.id, package, service, manifest)
    signature = as_json({
        "v": 1,
        "signer": desk.keyring.sign.public.kid.hex(),
        "roster": roster.hash.hex(),
        "signature": desk.keyring.sign.sign(statement).hex(),
    })  # fmt: skip
    frame = (
        document(proof.MANIFEST, manifest, "application/json"),
        document(proof.SIGNATURE, signature, "application/json"),
    )
    return Load((*frame, sheet, *inside.items), left)


def _manifest(desk: Desk, case: Case, occasion: Occasion, inside: Load) -> dict[str, object]:
    rules = desk.rules
    return {
        "v": 1,
        "kind": "amana-package",
        "rehearsal": desk.trust.rehearsal,
        "deployment": desk.trust.deployment.hex(),
        "case": case.id.hex(),
        "ref": case.ref,
        "package": occasion.package,
        "day": occasion.day,
        "operator": occasion.operator,
        "basis": {"id": occasion.basis, "words": dict(rules.bases[occasion.basis].words)},
        "rules": rules.digest,
        "lane": _lane(case, rules),
        "contents": inside.digest,
        "left_out": [one.to_json() for one in inside.left],
    }


def _lane(case: Case, rules: Rules) -> dict[str, object]:
    """What the rules say of how it went: whoever receives it can tell whether two agreed."""
    newest = case.next_word.front
    states = list(dict.fromkeys(str(one.body.data["state"]) for one in newest)) or [RECEIVED]
    return {
        "from": states,
        "acts": [one.envelope.id.hex() for one in newest],
        "fast": any(rules.states[one].fast for one in states if one in rules.states),
        "two": NEED in rules.states[STATE].needs,
    }


def _remove(target: Path) -> None:
    with suppress(OSError):
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()
