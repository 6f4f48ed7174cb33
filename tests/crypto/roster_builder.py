"""Rehearsal members, drafts and notes for the tests of rosters and ceremonies.  No randomness."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import nacl.bindings

from crypto.enrolment import Enrolment
from crypto.ids import Day
from crypto.keys import CustodianPublicKey, OperatorPublicKey
from crypto.roster import NO_PREVIOUS, Custodian, Operator, RootPublicKey, RosterDraft
from crypto.signing import SigningPrivateKey

ROOT = SigningPrivateKey.from_seed(bytes(range(32)))
ROOT_PUBLIC = RootPublicKey(ROOT.public.raw)
TODAY = Day(20_800)


def seed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def sealing_public(name: str) -> bytes:
    return nacl.bindings.crypto_scalarmult_base(seed(name))


def signing(name: str) -> SigningPrivateKey:
    return SigningPrivateKey.from_seed(seed(name))


def operator(number: int) -> Operator:
    return Operator(
        number,
        f"Operator {number}",
        OperatorPublicKey(sealing_public(f"evidence {number}")),
        signing(f"sign {number}").public,
        signing(f"api {number}").public,
    )


def custodian(number: int) -> Custodian:
    return Custodian(
        number,
        f"Custodian {number}",
        CustodianPublicKey(sealing_public(f"custodian {number}")),
        signing(f"sign {number}").public,
        signing(f"api {number}").public,
    )


def operator_enrolment(number: int) -> Enrolment:
    one = operator(number)
    return Enrolment(one.label, one.evidence, one.sign, one.api)


def custodian_enrolment(number: int) -> Enrolment:
    one = custodian(number)
    return Enrolment(one.label, one.custodian, one.sign, one.api)


def draft(**changes: Any) -> RosterDraft:
    whole = RosterDraft(
        deployment=ROOT_PUBLIC.deployment,
        epoch=1,
        not_before=TODAY,
        not_after=Day(TODAY + 30),
        previous=NO_PREVIOUS,
        suite=1,
        quorum=1,
        rehearsal=True,
        operators=(operator(1), operator(2)),
        custodians=(custodian(3),),
    )
    return replace(whole, **changes)


def note_of(text: str, root: SigningPrivateKey = ROOT) -> bytes:
    """Sign any text whatever as a root would: a verifier's rules are tested on true signatures."""
    key_hash = RootPublicKey(root.public.raw).note_hash
    signature = base64.b64encode(key_hash + root.sign(text.encode())).decode()
    return f"{text}\n— amana-root {signature}\n".encode()


def text_of(note: bytes) -> str:
    return note.decode().partition("\n\n")[0] + "\n"
