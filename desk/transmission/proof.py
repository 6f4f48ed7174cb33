"""Check a folder that Amana handed over: what was changed, is missing or was added, and who signed.

    python3 verify.py FOLDER --root root.pub

Rule: the standard library of Python 3.8 or newer, and nothing else: no network, no program, nothing
installed; this file can be read in one sitting.  It proves that every file is the one that the
manifest names, that an operator signed that manifest for you, that the root named that operator,
and that every act of the journal was signed by whom it says.  Without root.pub, which you must have
from somebody you trust and not from this folder, it cannot prove who anybody is, and says so.

It also says whether two people stand behind it: that no other operator than the one who handed it
over made it ready, for this service and on this basis, is wrong where the sender's rules, as the
signed manifest tells them, ask for two, and is remarked otherwise (MIND), as in the fast lane for
danger to life.  The rules are the sender's word, and so is which act took the place of another.

It does not prove that what the reporter wrote is true, nor on which day an act was signed.  Nor
does a verify.py out of the very folder help against somebody who changed that folder: have this
file from another place, from an earlier package for instance, or use amana-package.

Exit 0: all proven.  1: something is wrong, and was named.  2: the command line was not understood.
3: nothing is wrong, and who signed is not proven.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    # Beside this file may lie what somebody added: nothing is imported from there.
    del sys.path[0]

import argparse
import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MANIFEST, SIGNATURE, JOURNAL, ROSTERS = "manifest.json", "signature.json", "journal.json", "rosters"
_FRAME = (MANIFEST, SIGNATURE)
_READ_BYTES = 1 << 20
_JSON_MOST = 64 << 20
_TOO_MUCH = (OverflowError, RecursionError)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?")


class Finding(NamedTuple):
    """One thing that is wrong: `changed`, `missing`, `added`, `signature`, `journal`."""

    kind: str
    what: str
    why: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.kind.upper()}: {self.what}: {self.why}"


class Act(NamedTuple):
    """An act of the journal: whose, by which key, and the state that it set for whom, or empty."""

    author: str
    key: str
    state: str = ""
    service: str = ""
    basis: str = ""
    id: str = ""


class Proof(NamedTuple):
    """What was found.  `signer` is the operator's label where the root proves it, or empty.

    `remarks` are nothing wrong, and for a person to know.
    """

    findings: tuple[Finding, ...]
    apart: tuple[str, ...]
    files: int
    acts: int
    signer: str
    manifest: dict[str, Any]
    remarks: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """0, 1 or 3, as the top of this file says."""
        return 1 if self.findings else 0 if self.signer else 3


class Wrong(Exception):
    """Something that is not as it must be; its words are for a person."""


# Ed25519, RFC 8032: verification alone, in whole numbers

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


class _Point(NamedTuple):
    """A point as X, Y, Z, T: x = X / Z, y = Y / Z, x y = T / Z."""

    x: int
    y: int
    z: int
    t: int


_NEUTRAL = _Point(0, 1, 1, 0)


def _add(one: _Point, two: _Point) -> _Point:
    a = (one.y - one.x) * (two.y - two.x) % _P
    b = (one.y + one.x) * (two.y + two.x) % _P
    c = 2 * one.t * two.t * _D % _P
    d = 2 * one.z * two.z % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return _Point(e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(number: int, point: _Point) -> _Point:
    total = _NEUTRAL
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _encoded(point: _Point) -> bytes:
    inverse = pow(point.z, _P - 2, _P)
    x, y = point.x * inverse % _P, point.y * inverse % _P
    return int.to_bytes(y | (x & 1) << 255, 32, "little")


def _decoded(raw: bytes) -> _Point:
    """The point; `Wrong` where there is none, or where it is spelled in another way than one."""
    odd, y = divmod(int.from_bytes(raw, "little"), 1 << 255)
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if len(raw) != 32 or y >= _P or (x * x - square) % _P or (x == 0 and odd):  # noqa: PLR2004
        raise Wrong("no point of the curve")
    if x & 1 != odd:
        x = _P - x
    return _Point(x, y, 1, x * y % _P)


_BASE = _decoded((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))


def ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    """Return where the signature holds; raise `Wrong` otherwise."""
    if len(signature) != 64:  # noqa: PLR2004
        raise Wrong("a signature is 64 bytes")
    key = _decoded(public)
    if _encoded(_times(8, key)) == _encoded(_NEUTRAL):
        raise Wrong("a key that everybody can sign for")
    s = int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    minus = _Point(-key.x, key.y, key.z, -key.t)
    against = _times(int.from_bytes(digest, "little") % _ORDER, minus)
    if s >= _ORDER or _encoded(_add(_times(s, _BASE), against)) != signature[:32]:
        raise Wrong("the signature does not hold")


class Roster(NamedTuple):
    """A roster's days, and each operator's label and signing key by the key's id."""

    first: str
    last: str
    operators: dict[str, tuple[str, bytes]]


def read_root(line: str) -> bytes:
    """Return the 32 bytes of root.pub; raise `Wrong`."""
    match = re.fullmatch(r"amana-root\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})\s*", line)
    raw = base64.b64decode(match[2]) if match else b""
    check = hashlib.sha256(b"amana-root\n" + raw).hexdigest()[:8]
    if match is None or raw[:1] != b"\1" or match[1] != check:
        raise Wrong("not a root's public key, or a character of it was changed")
    return raw[1:]


def deployment_of(root: bytes) -> str:
    """Return the id of the installation that a root began."""
    return hashlib.sha256(b"amana/v1/deployment\0" + root).hexdigest()[:32]


def read_roster(note: bytes, root: bytes | None) -> Roster:
    """Read a roster's note; with a root, verify that it signed it.  Raise `Wrong`."""
    text, _, rest = note.partition(b"\n\n")
    match = re.fullmatch(r"— amana-root ([A-Za-z0-9+/]{91}=)\n", rest.decode("utf-8", "replace"))
    if match is None or not text.startswith(b"amana/v1/roster\n"):
        raise Wrong("not a roster")
    text += b"\n"
    lines = text.decode("utf-8", "replace").split("\n")
    head = dict(line.partition(" ")[::2] for line in lines[1:9])
    if root is not None:
        ed25519(root, base64.b64decode(match[1])[4:], text)
        if head.get("deployment") != deployment_of(root):
            raise Wrong("the roster of another installation")
    operators = {}
    for at, line in enumerate(lines):
        words = line.split(" ", 2)
        if words[0] == "member" and lines[at + 1].startswith("evidence "):
            kid, key = lines[at + 2].split(" ")[2:]
            operators[kid] = (words[2], base64.b64decode(key))
    return Roster(head["not-before"], head["not-after"], operators)


def verify_folder(folder: Path, root_line: str | None = None) -> Proof:
    """Check a folder; raise `Wrong` without a manifest, or where the root's line is none."""
    root = read_root(root_line) if root_line is not None else None
    manifest, raw = _read_manifest(folder)
    findings = list(_files(folder, manifest))
    annexes = [item["path"] for item in manifest["items"] if item.get("annex")]
    apart = tuple(path for path in annexes if not (folder / path).exists())
    signer, acts, rosters = "", [], _rosters(folder, root, findings)
    try:
        signer = _signed(folder, manifest, raw, rosters)
    except Wrong as why:
        findings.append(Finding("signature", SIGNATURE, str(why)))
    try:
        acts = _journal(folder, manifest, rosters)
    except Wrong as why:
        findings.append(Finding("journal", JOURNAL, str(why)))
    if root is not None and manifest["deployment"] != deployment_of(root):
        findings.append(Finding("signature", MANIFEST, "of another installation than root.pub"))
    remarks = []
    if not findings:
        said, is_wrong = _hands(manifest, acts, Act(signer, _json(folder, SIGNATURE)["signer"]))
        if is_wrong:
            findings.append(Finding("journal", JOURNAL, said))
        elif said:
            remarks.append(said)
    files, proven = len(manifest["items"]), signer if root else ""
    return Proof(tuple(findings), apart, files, len(acts), proven, manifest, tuple(remarks))


def _read_manifest(folder: Path) -> tuple[dict[str, Any], bytes]:
    try:
        raw = _whole(folder / MANIFEST)
        manifest, paths = json.loads(raw), {""}
        for name in ("deployment", "case", "package", "day", "contents"):
            str.encode(manifest[name])
        bytes.fromhex(manifest["service"]["key"])
        for item in manifest["items"]:
            bytes.fromhex(item["sha256"])
            int(item["size"])
            paths.add(item["path"].lower() if _NAME.fullmatch(item["path"]) else "")
    except (OSError, KeyError, ValueError, TypeError, AttributeError, *_TOO_MUCH):
        raise Wrong(f"{MANIFEST} is missing or cannot be read: nothing can be checked") from None
    if len(paths) != len(manifest["items"]) + 1:
        raise Wrong(f"{MANIFEST} names something twice, or by no name")
    return manifest, raw


def _files(folder: Path, manifest: dict[str, Any]) -> Iterator[Finding]:
    named = {item["path"]: item for item in manifest["items"]}
    found = dict(_walk(folder))
    for path, item in named.items():
        if path not in found:
            if not item.get("annex"):
                yield Finding("missing", path, "the manifest names it")
            continue
        where = found[path]
        size, digest = _measured(where) if where is not None else (-1, "")
        if (size, digest) != (item["size"], item["sha256"]):
            was = f"it was {item['size']} bytes, SHA-256 {item['sha256']}"
            yield Finding("changed", path, f"{size} bytes, SHA-256 {digest}; {was}")
    for path in sorted(found.keys() - named.keys() - set(_FRAME)):
        yield Finding("added", path, "the manifest does not name it")
    lines = ((f"{one['sha256']}  {one['path']}\n", one.get("role")) for one in named.values())
    others = "".join(line for line, role in lines if role != "cover")
    if hashlib.sha256(others.encode()).hexdigest() != manifest["contents"]:
        yield Finding("changed", MANIFEST, "its digest of the contents, which the cover bears")


def _walk(folder: Path, below: str = "") -> Iterator[tuple[str, Path | None]]:
    """Every file below a folder by its path; None for what is neither a file nor a folder."""
    for one in sorted(folder.iterdir()):
        path = f"{below}{one.name}"
        if one.is_symlink() or not (one.is_file() or one.is_dir()):
            yield path, None
        elif one.is_dir() and below:
            # No name has two strokes: what lies deeper is not looked for.
            yield f"{path}/", None
        elif one.is_file():
            yield path, one
        else:
            inside = list(_walk(one, f"{path}/"))
            yield from inside or [(f"{path}/", None)]


def _signed(folder: Path, manifest: dict[str, Any], raw: bytes, rosters: dict[str, Roster]) -> str:
    signature, ids = _json(folder, SIGNATURE), _ids(manifest, "deployment", "case", "package")
    service = bytes.fromhex(manifest["service"]["key"] or "00" * 16)
    message = b"amana/v1/sign/package\0" + ids + service + hashlib.sha256(raw).digest()
    try:
        label = _by(rosters, signature, manifest["day"], message)
    except Wrong as why:
        raise Wrong(f"{why}; it is over {MANIFEST}, which may be what was changed") from None
    if manifest.get("operator") != label:
        raise Wrong(f"{label!a} signed it, and it says that another operator handed it over")
    # Nothing is over this file: whatever else it holds, or in another spelling, is nobody's word.
    alone = {"v": 1, **{name: signature[name] for name in ("signer", "roster", "signature")}}
    alone["signature"] = bytes.fromhex(signature["signature"]).hex()
    if _whole(folder / SIGNATURE) != json.dumps(alone, indent=1, sort_keys=True).encode() + b"\n":
        raise Wrong("it was changed: it is not the signature alone, as it is written")
    return label


def _journal(folder: Path, manifest: dict[str, Any], rosters: dict[str, Roster]) -> list[Act]:
    acts, found = _json(folder, JOURNAL).get("acts"), []
    if not isinstance(acts, list):
        raise Wrong("it cannot be read")
    for number, act in enumerate(acts, 1):
        try:
            named, signer = act["author"], _act(manifest, act, rosters)
        except (KeyError, TypeError, ValueError, AttributeError, *_TOO_MUCH):
            raise Wrong(f"act {number} cannot be read") from None
        except Wrong as why:
            raise Wrong(f"act {number}: {why}") from None
        if named != signer:
            raise Wrong(f"act {number}: another operator signed it than it names")
        found.append(Act(signer, act["signer"], *_step(act["body"]), act["id"]))
    return found


def _step(body: str) -> tuple[str, str, str]:
    """The state that an act sets, for which service, on which basis; empty where it says none."""
    try:
        told = json.loads(body)
        data = told["data"] if told["type"] == "status" else {}
        return str(data.get("state", "")), str(data.get("service", "")), str(data.get("basis", ""))
    except (KeyError, TypeError, ValueError, AttributeError, *_TOO_MUCH):
        return "", "", ""


def _hands(manifest: dict[str, Any], acts: Sequence[Act], last: Act) -> tuple[str, bool]:
    """What there is to say of who made it ready and who handed it over, and whether it is wrong.

    Made ready is what an act says for this very service and basis, by a state that the lane names.
    """
    lane = manifest.get("lane")
    lane = lane if isinstance(lane, dict) and isinstance(lane.get("from"), list) else {}
    states, named = lane.get("from", ["ready"]), lane.get("acts")
    to = [_id_of(manifest, "service"), _id_of(manifest, "basis")]
    steps = [one for one in acts if one.state]
    if lane and states != ["received"] and not any(one.state in states for one in steps):
        return "no act of the journal sets the state from which it was handed over", True
    made = [one for one in steps if one.state in states and [one.service, one.basis] == to]
    made = made if all(to) else []
    own = [one for one in made if one.author == last.author or one.key == last.key]
    stands = made[-1:]
    if isinstance(named, list):
        if steps and steps[-1].id not in named:
            return "the manifest leaves out the act by which the journal sets the last state", True
        stands = [one for one in made if one.id in named]
    if any(one not in own for one in stands):
        also = f"{last.author!r}, who handed it over, made this case ready, too"
        return f"{also}; another did so, and nothing took the place of that" if own else "", False
    said = f"one operator alone, {last.author!r}, made this case ready and handed it over"
    if not own:
        said = f"no other operator made this case ready for this service: {last.author!r} alone "
        said += "stands behind it"
    return _alone(lane, said)


def _alone(lane: dict[str, Any], said: str) -> tuple[str, bool]:
    """What the sender's rules say of that, and whether it is wrong."""
    asks_two, is_fast = lane.get("two"), lane.get("fast")
    if is_fast is True:
        said += ": the fast lane for danger to life; another looks again at the sender's"
    elif asks_two is True:
        return f"{said}: the sender's own rules ask for two (four eyes)", True
    elif asks_two is False:
        said += ": the sender's rules, by their own word, ask for no second"
    else:
        said += ": whether the sender's rules ask for a second is not told here"
    return said, False


def _id_of(manifest: dict[str, Any], what: str) -> str:
    told = manifest.get(what)
    return str(told.get("id", "")) if isinstance(told, dict) else ""


def _act(manifest: dict[str, Any], act: dict[str, Any], rosters: dict[str, Roster]) -> str:
    place = _ids(manifest, "deployment", "case") + _ids(act, "id")
    lists = _counted(act["recipients"]) + _counted(act["parents"])
    body = hashlib.sha256(act["body"].encode()).digest()
    return _by(rosters, act, act["day"], b"amana/v1/sign/entry\0" + place + lists + body)


def _by(rosters: dict[str, Roster], signed: dict[str, Any], day: str, message: bytes) -> str:
    """The label of the operator whose signature holds, under the roster that it names."""
    try:
        roster = rosters[signed["roster"]]
        label, key = roster.operators[signed["signer"]]
        signature = bytes.fromhex(signed["signature"])
    except (KeyError, TypeError, ValueError):
        raise Wrong("its roster is not here, or names no such operator") from None
    if not roster.first <= day <= roster.last:
        raise Wrong(f"{day} is none of its roster's days")
    ed25519(key, signature, message)
    return label


def _rosters(folder: Path, root: bytes | None, findings: list[Finding]) -> dict[str, Roster]:
    found = {}
    for path in sorted((folder / ROSTERS).glob("*.note")):
        try:
            note = _whole(path)
            found[hashlib.sha256(note).hexdigest()] = read_roster(note, root)
        except (Wrong, OSError, KeyError, ValueError, IndexError) as why:
            said = str(why) if isinstance(why, Wrong) else "not a roster"
            findings.append(Finding("signature", f"{ROSTERS}/{path.name}", said))
    return found


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(_whole(folder / name))
    except (OSError, ValueError, RecursionError):
        raise Wrong("it is missing or cannot be read") from None
    if not isinstance(found, dict):
        raise Wrong("it cannot be read")
    return found


def _ids(said: dict[str, Any], *names: str) -> bytes:
    try:
        ids = [bytes.fromhex(said[name]) for name in names]
    except (KeyError, TypeError, ValueError):
        ids = [b""]
    if any(len(one) != 16 for one in ids):  # noqa: PLR2004
        raise Wrong("an id in it is none")
    return b"".join(ids)


def _counted(names: Sequence[str]) -> bytes:
    return len(names).to_bytes(2, "big") + b"".join(bytes.fromhex(one) for one in names)


def _whole(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _JSON_MOST:
        raise ValueError
    return path.read_bytes()


def _measured(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_READ_BYTES), b""):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def plain(said: object) -> str:
    """One line of what may be anybody's words: nothing in it moves a cursor or ends the line."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in str(said))


def report(proof: Proof, tell: Callable[[str], object]) -> None:
    """Say what was proven, what was not, and everything that is wrong."""

    def say(line: str) -> None:
        tell(plain(line))

    said = proof.manifest
    practice = "REHEARSAL, WITH PRACTICE KEYS: " if said.get("rehearsal") else ""
    say(f"{practice}Case {said.get('ref', '')}, package {said['package']}, of {said['day']}")
    for finding in proof.findings:
        say(str(finding))
    for path in proof.apart:
        say(f"KEPT APART: {path}: the identity annex is not in this folder")
    for remark in proof.remarks:
        say(f"MIND: {remark}")
    if proof.findings:
        say(f"NOT PROVEN: {len(proof.findings)} found wrong")
        return
    say(f"{proof.files} files are those that the manifest names, and there is no other")
    say(f"{proof.acts} acts of the journal are signed by whom they name")
    if proof.signer:
        say(f"PROVEN: signed by {proof.signer!r}, whom the root named an operator")
    else:
        say("WHO SIGNED IS NOT PROVEN: give root.pub, from somebody you trust, with --root")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", default=Path(__file__).parent, type=Path)
    parser.add_argument("--root", type=Path, help="the root's public key, root.pub")
    given = parser.parse_args(arguments)
    try:
        line = given.root.read_text("ascii") if given.root else None
        proof = verify_folder(given.folder, line)
    except (OSError, ValueError, Wrong) as why:
        sys.stdout.write(f"NOT PROVEN: {plain(why)}\n")
        return 1
    report(proof, lambda line: sys.stdout.write(f"{line}\n"))
    return proof.code


if __name__ == "__main__":
    sys.exit(main())
