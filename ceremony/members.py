"""From enrolment files to the members of the next roster.  Pure: no file, no key, no clock."""

from collections.abc import Sequence

from crypto.enrolment import Enrolment
from crypto.ids import Day, Deployment
from crypto.keys import OperatorPublicKey
from crypto.roster import NO_PREVIOUS, Custodian, Operator, Roster, RosterDraft

SUITE = 1


def next_roster(  # noqa: PLR0913  # each is one decision of the keyholder
    enrolments: Sequence[Enrolment],
    *,
    deployment: Deployment,
    previous: Roster | None,
    not_before: Day,
    days: int,
    quorum: int | None,
    rehearsal: bool,
) -> RosterDraft:
    """Make a roster of these members, to follow `previous`.

    A member whose signing key the previous roster knew keeps their number; a number is given to
    nobody else while its holder is in the roster.  Without a quorum: a majority.
    """
    operators: list[Operator] = []
    custodians: list[Custodian] = []
    for number, one in zip(_numbers(enrolments, previous), enrolments, strict=True):
        if isinstance(one.key, OperatorPublicKey):
            operators.append(Operator(number, one.label, one.key, one.sign, one.api))
        else:
            custodians.append(Custodian(number, one.label, one.key, one.sign, one.api))
    return RosterDraft(
        deployment=deployment,
        epoch=1 if previous is None else previous.epoch + 1,
        not_before=not_before,
        not_after=Day(not_before + days),
        previous=NO_PREVIOUS if previous is None else previous.hash,
        suite=SUITE,
        quorum=quorum or len(custodians) // 2 + 1,
        rehearsal=rehearsal,
        operators=tuple(operators),
        custodians=tuple(custodians),
    )


def renewed(previous: Roster, *, not_before: Day, days: int) -> RosterDraft:
    """Make the roster of the same members and quorum for the next epoch."""
    return RosterDraft(
        deployment=previous.deployment,
        epoch=previous.epoch + 1,
        not_before=not_before,
        not_after=Day(not_before + days),
        previous=previous.hash,
        suite=previous.suite,
        quorum=previous.quorum,
        rehearsal=previous.rehearsal,
        operators=previous.operators,
        custodians=previous.custodians,
    )


def _numbers(enrolments: Sequence[Enrolment], previous: Roster | None) -> list[int]:
    known = {one.sign: one.number for one in previous.members} if previous else {}
    highest = max(known.values(), default=0)
    numbers = []
    for one in enrolments:
        if one.sign not in known:
            highest += 1
            known[one.sign] = highest
        numbers.append(known[one.sign])
    return numbers
