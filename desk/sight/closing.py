"""Put a file in quarantine: the one act, for the command line and for the pages.

Rule: all that shows the same is named in acts of its own, so that every digest of it is closed on
every desk, in any case.  All of them are kept before the first is sent: whoever stops the program
while it sends has closed all.  What is closed stays closed (desk.quarantine).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk import acts
from desk.cases import Cases
from desk.errors import ActRefused
from desk.evidence import views
from desk.outbox import drafted, keep, send
from desk.quarantine import family, kin_of
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView


def close(desk: Desk, case: Case, file: FileView, custodian: str, text: str = "") -> bool:
    """Put a file, and what was made from it, in quarantine: from here on nothing opens it.

    Returns:
        True when the server has all of it, False when something waits for the next sync.

    Raises:
        ActRefused: the roster names no such person, or the file is closed already.
            Or nothing of the file can be read here, not even its digest.
    """
    if file.closing is not None:
        raise ActRefused("This file is in quarantine already. Nothing was written.")
    if file.manifest is None:
        raise ActRefused("Nothing of this file can be read here. Nothing was written.")
    named = custodian.strip()
    if named not in custodians(desk):
        known = Several(", ", custodians(desk))
        raise ActRefused(
            Sentence(
                "The roster names nobody so. It names: {known}. Nothing was written.", known=known
            )
        )
    files = {one.id: one for one in views(desk, case)}
    kin = family(file.id, kin_of(list(files.values())))
    for name in (file.id, *sorted(kin - {file.id})):
        one = files.get(name)
        # What the case does not have, or nobody can read here, is closed when it is named so.
        if one is None or one.manifest is None:
            continue
        data: dict[str, Json] = {
            "file": name, "sha256": one.sha256, "custodian": named, "text": text.strip(),
        }  # fmt: skip
        last = drafted(desk, case, acts.QUARANTINE, data)
        keep(desk, case, last)
        case = Cases(desk).find(case.id.hex())
    return send(desk, last)


def custodians(desk: Desk) -> tuple[str, ...]:
    """Whom an act can name: the roster's custodians, and then its operators."""
    roster = desk.trust.in_force(desk.today())
    keepers = [one.label for one in roster.custodians]
    return (*keepers, *(one.label for one in roster.operators))
