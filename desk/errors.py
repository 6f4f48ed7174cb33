"""What can go wrong at the desk, one leaf each.

Rule: a leaf's message is written for the operator who reads it, says what to do
next where something can be done, and carries no reporter's data and no secret.
What a *forged* envelope triggers is not an error but an alarm (desk.alarms): a
forgery must never stop the list from being shown.
"""


class DeskError(Exception):
    """Root of the room's errors; never raised itself."""


class KeyringMissing(DeskError):
    """There is no key file in this desk's folder."""


class KeyringExists(DeskError):
    """Making keys here would destroy those that are already in the folder."""


class PassphraseWrong(DeskError):
    """The key file does not open: wrong passphrase, or the file was damaged."""


class PassphraseMissing(DeskError):
    """No passphrase was given and there is no terminal to ask at."""


class NotEnrolled(DeskError):
    """This desk has keys but does not know its server yet."""


class StoreDamaged(DeskError):
    """The desk's own database was damaged on this disk."""


class ServerUnreachable(DeskError):
    """No answer from the server: off, wrong address, or the network is down."""


class ServerRefused(DeskError):
    """The server answered, and said no.

    Attributes:
        status: the HTTP status.
        code: the server's short error code, cleaned to letters and dashes.
    """

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ClockSkewed(ServerRefused):
    """The server refused the signature and its clock is far from ours."""


class ServerMalformed(DeskError):
    """The server's answer is not what the sync interface says."""


class Stopped(DeskError):
    """Somebody asked for this to stop; what it had done by then is kept where that is any good."""


class WorkRefused(DeskError):
    """Something that takes long cannot begin now; the message says what is in its way."""


class AlreadySyncing(DeskError):
    """Another program of this desk syncs at this moment."""


class CaseMoved(DeskError):
    """A case holds something that whoever writes into it had not seen; nothing was written."""


class RosterNotTrusted(DeskError):
    """The roster offered is not signed by the pinned root, expired, or older than one seen."""


class NotInRoster(DeskError):
    """The roster is good, and this desk's keys are not in it."""


class NoSuchCase(DeskError):
    """No case here has that reference."""


class AmbiguousCase(DeskError):
    """Several cases start with that reference."""


class NotAnswerable(DeskError):
    """No proven reply key: an answer would be sealed to nobody, or to a forger."""


class NothingToSay(DeskError):
    """An answer without a word in it."""


class StateUnknown(DeskError):
    """That is not a state of the workflow."""


class RulesMalformed(DeskError):
    """The institution's workflow.toml cannot be meant; the message names the line."""


class ActRefused(DeskError):
    """The act is not one that can be done to this case now; the message says why."""


class NoSuchEvidence(DeskError):
    """The report names no such file, or the file is not on this machine."""


class SearchRefused(DeskError):
    """A search, a view or a sort that the desk does not know; the message says what it knows."""


class FileQuarantined(NoSuchEvidence):
    """The file is in quarantine: nothing opens it, shows it, copies it or passes it on."""


class NothingToSee(DeskError):
    """There is no preview: of this kind there is none, or its bytes broke what would draw it."""


class NotLockedIn(NothingToSee):
    """What would draw it cannot be locked in here; the file itself is not to blame."""


class TooMuchToSee(NothingToSee):
    """Drawing it would take more time or memory than it may."""


class RedactionRefused(DeskError):
    """A copy cannot be made so; the message says why.  Nothing was written."""


class BellRefused(DeskError):
    """The command that runs on news cannot be run; the sync itself is not touched by that."""


class EvidenceUnsound(DeskError):
    """A file does not decrypt to what the report's manifest says it is."""


class ExportRefused(DeskError):
    """The folder cannot take the export safely."""


class IdentityLocked(DeskError):
    """The identity is sealed to the custodians, and this desk cannot open it."""


class CustodyRefused(DeskError):
    """A request to the custodians, or their answer, is not one to act on; the message says why."""


class TransmissionRefused(DeskError):
    """A case cannot be handed over so; the message says why, and nothing was written."""


class PackageMalformed(DeskError):
    """What a package holds is not written as a package's content is."""


class ServiceKeyRefused(DeskError):
    """A service's public key is missing, is none, or is not the one that was meant."""


class BindRefused(DeskError):
    """The pages may be served on a loopback address only."""
