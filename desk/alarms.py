"""What the desk shouts about: signs that the server, or somebody behind it, is not honest.

Rule: an alarm never stops the list.  A case that something forged was put into is
shown, the forged thing is not, and the alarm says so in words an operator can act on.
A server can invent signs: no more than MOST of one are kept, and that there were more is one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

MOST = 2_000
"""Alarms of one sign that are kept one by one; whoever can invent envelopes can invent more."""
_KEY_DIGITS = 32


class Sign(StrEnum):
    """The signs a desk knows; their values are stable and appear in `--json`."""

    # about the server as a whole
    ROSTER_WENT_BACKWARDS = "roster-went-backwards"
    ROSTER_REFUSED = "roster-refused"
    ROSTER_FORKED = "roster-forked"
    ROSTER_HISTORY_MISSING = "roster-history-missing"
    ROSTER_HISTORY_REFUSED = "roster-history-refused"
    TOO_MANY = "more-than-are-kept"
    DISK_TOO_FULL = "disk-too-full"
    NO_ROOM_FOR_WORDS = "no-room-for-words"
    # seen while syncing
    MISSING = "missing-that-was-there"
    WRAP_LEFT_OUT = "wrap-left-out"
    ROSTER_UNKNOWN = "roster-unknown"
    ROSTER_OUTDATED = "roster-outdated"
    ENVELOPE_CHANGED = "envelope-changed"
    ENVELOPE_MALFORMED = "envelope-malformed"
    FOREIGN_DEPLOYMENT = "foreign-deployment"
    PARTS_REFUSED = "parts-refused"
    ANSWER_REFUSED = "answer-refused"
    SENDING_FAILED = "sending-failed"
    NOT_LET_THROUGH = "not-let-through"
    WRITTEN_LOST = "written-here-lost"
    COPY_LOST = "copy-lost"
    # seen while proving the files (desk.soundness)
    FILE_DAMAGED = "file-damaged"
    FILE_UNSOUND = "file-unsound"
    # seen while reading a case
    CANNOT_OPEN = "cannot-open"
    REPORT_TWICE = "report-twice"
    REPORT_MISSING = "report-missing"
    EVIDENCE_NOT_NAMED = "evidence-not-named"
    EVIDENCE_SWAPPED = "evidence-swapped"
    EVIDENCE_MISSING = "evidence-missing"
    IDENTITY_NOT_NAMED = "identity-not-named"
    IDENTITY_SWAPPED = "identity-swapped"
    IDENTITY_MISSING = "identity-missing"
    KEYS_CHANGED = "keys-changed"
    FOLLOW_UP_FORGED = "follow-up-forged"
    FOLLOW_UP_UNPROVEN = "follow-up-unproven"
    REPLY_FORGED = "reply-forged"
    REPLY_ELSEWHERE = "reply-elsewhere"
    ENTRY_FORGED = "entry-forged"
    SIGNER_UNKNOWN = "signer-unknown"
    SIGNED_TOO_LATE = "signed-too-late"
    STATE_UNKNOWN = "state-unknown"
    ACT_MALFORMED = "act-malformed"
    FOUR_EYES = "four-eyes"
    FOUR_EYES_UNTOLD = "four-eyes-untold"
    LIST_NOT_READ = "list-not-read"
    QUARANTINE_UNFOUNDED = "quarantine-unfounded"
    REPLY_MISDATED = "reply-misdated"
    PARENT_MISSING = "parent-missing"


WORDS: dict[Sign, str] = {
    Sign.ROSTER_WENT_BACKWARDS: (
        "The server offered an older list of keys than one this desk had already seen. Nothing "
        "was fetched then. What it offered is kept in the desk's folder, under refused-rosters. "
        "This stays until you clear it."
    ),
    Sign.ROSTER_REFUSED: (
        "The server's list of keys is not one the pinned root signed, or it is not in force today "
        "(it ran out, or this machine's clock is wrong). Nothing was fetched then. The next sync "
        "that gets a good list ends this."
    ),
    Sign.ROSTER_FORKED: (
        "The server's list of keys is another one of a number that this desk had seen, or followed "
        "from another past: the root signed two lists of one number, or somebody else holds its "
        "key. Nothing was fetched then, and what was offered is kept in the desk's folder, under "
        "refused-rosters. Speak with the keyholder of the root before you trust either. This stays "
        "until you clear it, also once the server shows the list that this desk knows."
    ),
    Sign.ROSTER_HISTORY_MISSING: (
        "The server does not have every earlier list of keys. What was signed or sealed under a "
        "missing one cannot be judged here. The keyholder of the root has them all."
    ),
    Sign.ROSTER_HISTORY_REFUSED: (
        "An earlier list of keys that the server gave is not the one that the next list follows. "
        "It was not believed, and what was signed under it cannot be judged here."
    ),
    Sign.TOO_MANY: (
        "The server gave more signs of one kind than this desk keeps one by one, and may have "
        "invented them to hide one among them. Ask who runs the server, and prove the cases."
    ),
    Sign.DISK_TOO_FULL: (
        "This machine's disk has too little room left for the files that the server has. Reports "
        "and messages still come, and nothing is lost: make room, and sync again. If nothing so "
        "large is expected, somebody may be filling the disk: look at the newest cases, and ask "
        "who runs the server."
    ),
    Sign.NO_ROOM_FOR_WORDS: (
        "This machine's disk is all but full: the server's list was not read to its end, and new "
        "reports may be among what was not read, one of danger to life too. Make room now, and "
        "sync again. If nothing explains it, somebody may be filling the disk: ask who runs the "
        "server."
    ),
    Sign.MISSING: "The server no longer has this envelope. This desk keeps its copy.",
    Sign.WRAP_LEFT_OUT: (
        "This desk's key is in the roster the envelope was sealed under, and its wrap was left "
        "out: others may read what this desk may not."
    ),
    Sign.ROSTER_UNKNOWN: (
        "This envelope was sealed under a list of keys that the root is not known to have signed, "
        "and not to this desk."
    ),
    Sign.ROSTER_OUTDATED: (
        "This envelope was sealed under an older list of keys, without this desk, when a newer one "
        "with this desk had begun. That is honest until the server was given the newer one, and "
        "a trick from then on."
    ),
    Sign.ENVELOPE_CHANGED: (
        "The server shows other bytes under an id that this desk already holds. The first ones "
        "were kept."
    ),
    Sign.ENVELOPE_MALFORMED: "The server sent something that is not an envelope.",
    Sign.FOREIGN_DEPLOYMENT: "An envelope of another deployment was put among ours. Not kept.",
    Sign.PARTS_REFUSED: (
        "A file arrived that is not the one its envelope was sealed with: swapped, cut short or "
        "changed on the way. Not kept; the next sync asks again."
    ),
    Sign.FILE_DAMAGED: (
        "A sealed file was damaged on this machine, or changed, or is gone: a failing disk, or "
        "somebody at this machine. It counts as not fetched, and the next sync fetches it again; "
        "if it was made here and not sent yet, it is lost. If this comes back, do not trust the "
        "disk."
    ),
    Sign.FILE_UNSOUND: (
        "This file is whole as it was sealed, and is not what its own manifest says it is: "
        "whoever sealed it was not honest, or had a fault. Nothing opens or exports it, and "
        "fetching it again does not help. Ask who runs the site."
    ),
    Sign.ANSWER_REFUSED: (
        "The server does not take what this desk wrote. It is kept here, each sync tries again, "
        "and what this desk writes in this case waits with it. Ask who runs the server what it is "
        "refused for: its size, perhaps."
    ),
    Sign.SENDING_FAILED: (
        "Something on this machine keeps what this desk wrote from being sent: a disk that is full "
        "or failing, most likely. It is kept here, each sync tries again, and what this desk "
        "writes in this case waits with it. Do not write it again."
    ),
    Sign.NOT_LET_THROUGH: (
        "The connection broke while this desk sent this, and held for other things: something on "
        "the way to the server, or the server, may let it not through, for its size perhaps. It is "
        "kept here, each sync tries again, and what this desk writes in this case waits with it. "
        "Do not write it again. If this stays, ask who runs the network and the server."
    ),
    Sign.WRITTEN_LOST: (
        "Something that this desk wrote was spoilt on this machine before the server had it: a "
        "failing disk, or somebody at this machine. It never goes out, and neither does what this "
        "desk had written after it in this case. Ask a colleague what reached them, and say the "
        "rest again. If this comes back, do not trust the disk."
    ),
    Sign.COPY_LOST: (
        "A copy that was made here was lost or spoilt on this machine before the server had it. "
        "Its entry goes out without it: make the copy again."
    ),
    Sign.CANNOT_OPEN: (
        "This envelope does not open with this desk's key: its wrap or its content comes from "
        "another envelope, or was changed."
    ),
    Sign.REPORT_TWICE: (
        "There is more than one report in this case, or one beside the message that it began with: "
        "one of them was put here."
    ),
    Sign.REPORT_MISSING: (
        "This case has no report of its own on this machine: it began with a message to an unused "
        "code, or the server is holding the report back."
    ),
    Sign.EVIDENCE_NOT_NAMED: (
        "A file lies in this case that no report or message of it names. It is not shown."
    ),
    Sign.EVIDENCE_SWAPPED: (
        "A file's envelope is not the one that the report named when it was sealed. It is not "
        "shown."
    ),
    Sign.EVIDENCE_MISSING: (
        "The report names a file that is not on this machine. Sync again; if this stays, the "
        "server is holding it back."
    ),
    Sign.IDENTITY_NOT_NAMED: "An identity lies in this case that nothing in it names.",
    Sign.IDENTITY_SWAPPED: "The identity is not the one that the report named when it was sealed.",
    Sign.IDENTITY_MISSING: "The report names an identity envelope that the server did not give.",
    Sign.KEYS_CHANGED: (
        "A message carries other keys than the report. Answers go to the report's key only."
    ),
    Sign.FOLLOW_UP_FORGED: (
        "A message pretends to come from the reporter and is not signed by the reporter's key. "
        "It is not shown."
    ),
    Sign.FOLLOW_UP_UNPROVEN: (
        "Nobody here can say whether the reporter wrote this message: the report it belongs to "
        "is not readable with certainty on this machine. It is not shown."
    ),
    Sign.REPLY_FORGED: (
        "An answer pretends to come from an operator, and is not signed by one for this case. It "
        "is not shown."
    ),
    Sign.REPLY_ELSEWHERE: (
        "An operator sealed an answer to another receipt than that of this case: whoever holds "
        "that one can read it, and the reporter of this case cannot. Ask its author which report "
        "their desk shows first, and answer the reporter anew."
    ),
    Sign.ENTRY_FORGED: (
        "An entry of the journal is not signed by an operator for this case. It does not count."
    ),
    Sign.SIGNER_UNKNOWN: (
        "This was signed under a list of keys that this desk has never seen, so nobody can say "
        "who signed it. It is not shown."
    ),
    Sign.SIGNED_TOO_LATE: (
        "This was signed under an older list of keys by somebody whom the newer one no longer "
        "names, and came only after this desk had seen the newer one. It is not shown and does "
        "not count."
    ),
    Sign.ACT_MALFORMED: (
        "An operator's entry does not say what an entry of its kind says. It does nothing."
    ),
    Sign.FOUR_EYES: (
        "One operator did alone what the rules leave to two: they made it ready and transmitted "
        "it, or left out of what it answers a word that they had signed themselves."
    ),
    Sign.FOUR_EYES_UNTOLD: (
        "Nobody here can tell whether two people agreed to this, as the rules ask: it answers "
        "something that is not on this machine, or that cannot be read here. Sync again. If it "
        "stays, a second operator must look at it now, and ask its author what it answers: the "
        "server may be holding that back, or it exists nowhere and hides that one acted alone."
    ),
    Sign.LIST_NOT_READ: (
        "Something of this case is not on this machine, and the server's list was not read to "
        "its end: the line broke, or a sync is under way. Nobody is accused of it yet. Sync "
        "again; if no sync comes to the end of the list, ask who runs the server."
    ),
    Sign.QUARANTINE_UNFOUNDED: (
        "An operator put something in quarantine that its case does not have, or under another "
        "SHA-256 than its own, or for a custodian whom no list of keys names: it may close other "
        "evidence than it says. It stays closed. Ask them what they closed, and why."
    ),
    Sign.STATE_UNKNOWN: (
        "An operator set a state that this desk does not know: with a newer desk, or with a tool "
        "of their own. Ask them, and set the state anew."
    ),
    Sign.REPLY_MISDATED: (
        "An answer bears another day than its envelope. An operator signed it; the reporter is "
        "shown the day that stands in it."
    ),
    Sign.PARENT_MISSING: (
        "This answers something that is not on this machine. Sync again; if it stays, the server "
        "may be holding a message back, or its author named what exists nowhere: ask them."
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """One sign, and where it was seen; `case` and `envelope` are lower-case hex or empty."""

    sign: Sign
    case: str = ""
    envelope: str = ""

    @property
    def words(self) -> str:
        """What an operator reads."""
        return WORDS[self.sign]

    @property
    def key(self) -> str:
        """A name for this very alarm, 32 hex digits: what was shown is cleared by it."""
        told = f"{self.sign}\0{self.case}\0{self.envelope}".encode()
        return hashlib.sha256(told).hexdigest()[:_KEY_DIGITS]

    def to_json(self) -> dict[str, str]:
        """The stable shape: sign, case, envelope, words."""
        return {
            "sign": str(self.sign),
            "case": self.case,
            "envelope": self.envelope,
            "words": self.words,
        }
