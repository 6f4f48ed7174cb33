"""The desk's private keys: made here, sealed under a passphrase, never leaving this machine.

Rule: private keys exist in memory while a command runs, and in one file that only the
passphrase opens (crypto/FORMAT.md, section 11).  What leaves is an enrolment: the
public halves, for the keyholder of the root.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.enrolment import Enrolment
from crypto.errors import CryptoError
from crypto.keyfile import KeyFileCost, open_keyfile, seal_keyfile
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.signing import SigningPrivateKey
from desk.config import write_private
from desk.errors import KeyringExists, KeyringMissing, PassphraseMissing, PassphraseWrong

if TYPE_CHECKING:
    from crypto.roster import Roster
    from desk.config import DeskHome

_ROLES: dict[str, type[OperatorPrivateKey | CustodianPrivateKey]] = {
    "operator": OperatorPrivateKey,
    "custodian": CustodianPrivateKey,
}


@dataclass(frozen=True, slots=True)
class Keyring:
    """One person's three private keys; `key` opens wraps, and its type is the person's role."""

    label: str
    key: OperatorPrivateKey | CustodianPrivateKey = field(repr=False)
    sign: SigningPrivateKey = field(repr=False)
    api: SigningPrivateKey = field(repr=False)

    @classmethod
    def generate(cls, label: str, *, custodian: bool = False) -> Keyring:
        """Draw fresh keys."""
        return cls(
            label=label,
            key=CustodianPrivateKey.generate() if custodian else OperatorPrivateKey.generate(),
            sign=SigningPrivateKey.generate(),
            api=SigningPrivateKey.generate(),
        )

    @property
    def role(self) -> str:
        """`operator` or `custodian`."""
        return "custodian" if isinstance(self.key, CustodianPrivateKey) else "operator"

    @property
    def enrolment(self) -> Enrolment:
        """What is handed to the keyholder of the root.  Raises EnrolmentRefused (the label)."""
        return Enrolment(
            label=self.label, key=self.key.public, sign=self.sign.public, api=self.api.public
        )

    def stands_in(self, roster: Roster) -> bool:
        """Whether the roster names all three of these keys, under one number, in this role."""
        mine = self.enrolment
        if self.role == "operator":
            operator = roster.operator_of(mine.sign.kid)
            return (
                operator is not None
                and operator.evidence == mine.key
                and operator.api == mine.api
                and operator.sign == mine.sign
            )
        custodian = roster.custodian_of(mine.sign.kid)
        return (
            custodian is not None
            and custodian.custodian == mine.key
            and custodian.api == mine.api
            and custodian.sign == mine.sign
        )

    def save(self, home: DeskHome, passphrase: str, *, cost: KeyFileCost | None = None) -> None:
        """Seal the keys into the desk's folder.

        Raises:
            KeyringExists: there are keys already; they are never overwritten.
            PassphraseMissing: the passphrase is empty.
        """
        require_none(home)
        if not passphrase:
            raise PassphraseMissing("The passphrase is empty.")
        secrets = {
            "role": self.role.encode(),
            "label": self.label.encode(),
            "key": self.key.raw,
            "sign": self.sign.seed,
            "api": self.api.seed,
        }
        home.prepare()
        write_private(home.keys, seal_keyfile(secrets, passphrase, cost=cost))

    @classmethod
    def load(cls, home: DeskHome, passphrase: str) -> Keyring:
        """Open the key file; takes about a second, on purpose.

        Raises:
            KeyringMissing: no key file in the folder.
            PassphraseWrong: it does not open.
        """
        require_some(home)
        untrusted = home.keys.read_bytes()
        try:
            secrets = open_keyfile(untrusted, passphrase)
            role = _ROLES[secrets["role"].decode()]
            return cls(
                label=secrets["label"].decode(),
                key=role(secrets["key"]),
                sign=SigningPrivateKey.from_seed(secrets["sign"]),
                api=SigningPrivateKey.from_seed(secrets["api"]),
            )
        except (CryptoError, KeyError, UnicodeDecodeError):
            raise PassphraseWrong(
                f"The passphrase does not open {home.keys}. Check the keyboard layout and Caps "
                "Lock and try again."
            ) from None


def require_some(home: DeskHome) -> None:
    """Say that there are no keys before anybody is asked for a passphrase.

    Raises:
        KeyringMissing: no key file in the folder.
    """
    if not home.keys.exists():
        raise KeyringMissing(
            f"There are no keys in {home.folder}. Make them: amana-desk keygen --label NAME "
            "--out enrol.json"
        )


def require_none(home: DeskHome) -> None:
    """Say that there are keys already before anybody invents a passphrase.

    Raises:
        KeyringExists: they would be lost.
    """
    if home.keys.exists():
        raise KeyringExists(
            f"{home.keys} exists already: making new keys would destroy the old ones, and "
            "with them every case sealed to them. Choose another AMANA_DESK_HOME."
        )
