"""The states of a case, as data.

Rule: the server never learns a state; it is the fold of the case's signed entries.
Which state may follow which is left to the institution: here is the list of names.
"""

from crypto.manifest import STATUSES
from desk.errors import StateUnknown

RECEIVED = "received"
UNKNOWN = "unknown"
"""The state of a case whose newest entry names none of ours: of a newer desk, or made up."""

STATES: dict[str, str] = {
    RECEIVED: "Received",
    "triage": "Triage",
    "imminent": "Imminent danger",
    "assessment": "Assessment",
    "info_requested": "Question asked",
    "seriousness_check": "Seriousness check",
    "ready": "Ready to transmit",
    "transmitted": "Transmitted",
    "returned": "Returned",
    "prosecutor_informed": "Prosecutor informed",
    "instructed": "Instructed",
    "investigation": "Investigation",
    "closed": "Closed",
    "duplicate": "Duplicate",
    "out_of_scope": "Out of scope",
}

PUBLIC: dict[str, str] = dict(
    zip(
        STATUSES,
        (
            "Received",
            "Being examined",
            "We have a question",
            "Sent to the competent service",
            "Closed",
        ),
        strict=True,
    )
)
"""The five words that a reporter sees, in their own language; apart from the states above."""
NEEDS_WORDS: dict[str, str] = {
    "question": "A question needs its text: what is asked.",
    "closed": "Closing needs a text: the reason, and what the reporter can do next.",
}
"""Statuses that say nothing without a text, and what is missing then."""

STATUS_ENTRY = "status"
STATE_FIELD = "state"


def parse_state(untrusted: str) -> str:
    """The state's name from what an operator typed: any case, spaces or dashes for underscores.

    Raises:
        StateUnknown: there is no such state; the message lists them.
    """
    name = untrusted.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in STATES:
        raise StateUnknown(f"No state is called that. The states are: {', '.join(STATES)}.")
    return name


def parse_public(untrusted: str) -> str:
    """A public status's name from what an operator typed, as `parse_state` reads a state.

    Raises:
        StateUnknown: it is none of the five; the message lists them.
    """
    name = untrusted.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in PUBLIC:
        raise StateUnknown(f"The reporter's page has no such status. It has: {', '.join(PUBLIC)}.")
    return name


def public_words(name: str) -> str:
    """How a public status reads to an operator, in the English of the reporter's page."""
    return PUBLIC[name]


def state_words(name: str) -> str:
    """How a state reads to an operator; what is not one of ours is never repeated."""
    return STATES.get(name, "Unknown state")
