"""The stand-alone verifier: every file that was changed, lost or added is named, and who signed."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crypto.package import NOBODY, PackageId, package_statement
from crypto.signing import SigningPrivateKey
from desk.transmission import proof
from desk.transmission.proof import Finding
from tests.desk.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.desk.transmission.conftest import Handing


@pytest.fixture
def folder(ready: Handing) -> Path:
    return ready.transmit("print", in_clear=True).path


def kinds(folder: Path, root: str | None) -> list[tuple[str, str]]:
    return [(one.kind, one.what) for one in proof.verify_folder(folder, root).findings]


def rewritten(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    """Change a JSON file as its structure, with all that its digest stands in made to fit."""
    path = folder / name
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    if name in (proof.MANIFEST, proof.SIGNATURE):
        return
    manifest = json.loads((folder / proof.MANIFEST).read_bytes())
    for item in manifest["items"]:
        raw = (folder / item["path"]).read_bytes()
        item["sha256"], item["size"] = hashlib.sha256(raw).hexdigest(), len(raw)
    listed = "".join(f"{item['sha256']}  {item['path']}\n" for item in manifest["items"][1:])
    manifest["contents"] = hashlib.sha256(listed.encode()).hexdigest()
    (folder / proof.MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")


@pytest.mark.claim("C-PACKAGE")
def test_one_changed_byte_of_any_file_is_named(ready: Handing, folder: Path) -> None:
    assert kinds(folder, ready.root_line) == []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name, raw = str(path.relative_to(folder)), path.read_bytes()
        for at in {0, len(raw) // 2, len(raw) - 1}:
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
            try:
                found = kinds(folder, ready.root_line)
            except proof.Wrong as why:
                assert name == proof.MANIFEST  # nothing can be checked by it
                assert "manifest.json" in str(why)  # noqa: PT017  # and it is named
                continue
            if name in (proof.MANIFEST, proof.SIGNATURE):
                # The signature is over the manifest: one of the two was changed, and both named.
                assert ("signature", proof.SIGNATURE) in found
                said = " ".join(map(str, proof.verify_folder(folder, ready.root_line).findings))
                assert name in said
            else:
                assert ("changed", name) in found
        path.write_bytes(raw)
    assert kinds(folder, ready.root_line) == []


def _respelt(raw: bytes, **changes: object) -> bytes:
    told = {**json.loads(raw), **changes}
    return json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"


@pytest.mark.claim("C-PACKAGE")
@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\n",
        lambda raw: b" " + raw,
        lambda raw: raw[:-1],
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: json.dumps(json.loads(raw)).encode(),
        lambda raw: raw.replace(b"{", b'{\n "signer": "somebody",', 1),
        lambda raw: _respelt(raw, read="The case was closed by the court."),
        lambda raw: _respelt(raw, v=2),
        lambda raw: _respelt(raw, v=True),
        lambda raw: _respelt(raw, signature=json.loads(raw)["signature"].upper()),
        lambda raw: _respelt(raw, signature=" " + json.loads(raw)["signature"]),
    ],
    ids=["line", "space", "cut", "lines", "one line", "said twice", "more", "version", "truth",
         "capitals", "spaced"],
)  # fmt: skip
def test_nothing_is_said_in_the_signatures_file_but_the_signature(
    ready: Handing, folder: Path, change: Callable[[bytes], bytes]
) -> None:
    """It is the one file that no digest is of."""
    path = folder / proof.SIGNATURE
    assert _respelt(path.read_bytes()) == path.read_bytes()
    path.write_bytes(change(path.read_bytes()))
    found = proof.verify_folder(folder, ready.root_line)
    assert [(one.kind, one.what) for one in found.findings] == [("signature", proof.SIGNATURE)]
    assert "it was changed" in found.findings[0].why
    assert (found.code, found.signer) == (1, "")


@pytest.mark.claim("C-PACKAGE")
def test_a_file_that_is_missing_or_was_added_is_named(ready: Handing, folder: Path) -> None:
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name, raw = str(path.relative_to(folder)), path.read_bytes()
        path.unlink()
        if name == proof.MANIFEST:
            with pytest.raises(proof.Wrong, match="missing"):
                proof.verify_folder(folder, ready.root_line)
        else:
            assert name in {what for _, what in kinds(folder, ready.root_line)}
        path.write_bytes(raw)
    (folder / "extra.txt").write_text("x")
    (folder / "evidence" / ".hidden").write_text("x")
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    assert kinds(folder, ready.root_line) == [
        ("added", "empty/"), ("added", "evidence/.hidden"), ("added", "extra.txt"),
        ("added", "link"),
    ]  # fmt: skip


def test_a_file_in_whose_place_a_link_stands_is_changed(ready: Handing, folder: Path) -> None:
    path = folder / "evidence" / "photo-1.jpg"
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")
    assert kinds(folder, ready.root_line) == [("changed", "evidence/photo-1.jpg")]


@pytest.mark.claim("C-PACKAGE")
def test_who_handed_it_over_is_who_signed_it(ready: Handing, folder: Path) -> None:
    said = json.loads((folder / proof.MANIFEST).read_bytes())
    assert said["operator"] == "operator 1"
    raw = json.dumps({**said, "operator": "operator 2"}).encode()
    (folder / proof.MANIFEST).write_bytes(raw)
    deployment, package = ready.desk.trust.deployment, bytes.fromhex(said["package"])
    # Their own key, over another's name.
    statement = package_statement(deployment, ready.reporter.case, PackageId(package), NOBODY, raw)
    signed = json.loads((folder / proof.SIGNATURE).read_bytes())
    signed["signature"] = ready.desk.keyring.sign.sign(statement).hex()
    (folder / proof.SIGNATURE).write_text(json.dumps(signed))
    (found,) = proof.verify_folder(folder, ready.root_line).findings
    assert (found.kind, found.what) == ("signature", proof.SIGNATURE)
    assert "'operator 1' signed it" in found.why


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As a receiver runs it: another folder, no package of ours on the path, no site-packages."""
    return subprocess.run(
        [sys.executable, "-S", str(folder / "verify.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


@pytest.fixture
def root_file(ready: Handing, tmp_path: Path) -> Path:
    path = tmp_path / "root.pub"
    path.write_text(ready.root_line)
    return path


LIE = "PROVEN: signed by 'operator 1', whom the root named an operator"


@pytest.mark.claim("C-PACKAGE")
def test_no_name_moves_the_cursor_or_tells_a_line_of_its_own(
    ready: Handing, folder: Path, root_file: Path
) -> None:
    (folder / f"\x1b[2J\x1b[H{LIE}\n\u202e\x1b[8m").write_bytes(b"added")
    rewritten(folder, proof.MANIFEST, lambda said: said.update(ref=f"\x1b[2J\n{LIE}\n\x9b8m"))
    said = run(folder, "--root", str(root_file))
    assert said.returncode == 1
    assert all(line.isprintable() for line in said.stdout.splitlines())
    assert LIE in said.stdout
    assert LIE not in said.stdout.splitlines()
    assert "NOT PROVEN" in said.stdout.splitlines()[-1]
    found = proof.verify_folder(folder, ready.root_line)
    lines: list[str] = []
    proof.report(found, lines.append)
    assert lines == said.stdout.splitlines()


@pytest.mark.claim("C-PACKAGE")
@pytest.mark.parametrize(
    "name", ["argparse", "base64", "hashlib", "json", "re", "pathlib", "typing"]
)
def test_what_lies_beside_the_verifier_is_not_run(folder: Path, root_file: Path, name: str) -> None:
    (folder / f"{name}.py").write_text("print('it ran')\nraise SystemExit(0)\n")
    said = run(folder, "--root", str(root_file))
    assert "it ran" not in said.stdout
    assert said.returncode == 1
    assert f"ADDED: {name}.py" in said.stdout


@pytest.mark.claim("C-PACKAGE")
def test_folders_in_folders_are_named_and_not_walked(folder: Path, root_file: Path) -> None:
    deep = folder / "evidence"
    for number in range(60):
        deep = deep / f"{number:060d}"
    deep.mkdir(parents=True)
    said = run(folder, "--root", str(root_file))
    assert (said.returncode, said.stderr) == (1, "")
    assert f"ADDED: evidence/{0:060d}/: the manifest does not name it" in said.stdout
    assert said.stdout.count("ADDED") == 1


@pytest.mark.claim("C-PACKAGE")
def test_whoever_changes_all_the_digests_still_cannot_sign(ready: Handing, folder: Path) -> None:
    rewritten(folder, "case.json", lambda case: case.update(category="terrorism"))
    (found,) = proof.verify_folder(folder, ready.root_line).findings
    assert (found.kind, found.what) == ("signature", proof.SIGNATURE)
    # Nobody but the signer can tell which of the two was changed.
    assert found.why == (
        "the signature does not hold; it is over manifest.json, which may be what was changed"
    )


@pytest.mark.claim("C-PACKAGE")
def test_an_act_that_was_changed_or_moved_is_named(ready: Handing, folder: Path) -> None:
    whole = folder.parent / "whole"
    shutil.copytree(folder, whole)
    changes: list[tuple[str, Callable[[Any], object]]] = [
        ("act 2: the signature does not hold", lambda j: j["acts"][1].update(body="{}")),
        ("act 1: another operator", lambda j: j["acts"][0].update(author="operator 1")),
        ("act 1: its roster is not here", lambda j: j["acts"][0].update(roster="00" * 32)),
        ("act 1: its roster is not here", lambda j: j["acts"][0].update(signer="00" * 16)),
        ("act 1: 2031-01-01 is none of", lambda j: j["acts"][0].update(day="2031-01-01")),
        ("act 1: the signature", lambda j: j["acts"][0].update(id=j["acts"][1]["id"])),
        ("act 1: an id in it", lambda j: j["acts"][0].update(id="00")),
        ("act 1: an id in it", lambda j: j["acts"][0].update(id=7)),
        ("act 1 cannot be read", lambda j: j["acts"][0].pop("body")),
        ("act 1 cannot be read", lambda j: j["acts"][0].update(parents=["x"])),
        ("act 1 cannot be read", lambda j: j["acts"][0].update(parents=[""] * 70_000)),
        ("act 3: a signature is 64 bytes", lambda j: j["acts"][2].update(signature="00")),
        ("it cannot be read", lambda j: j.update(acts={})),
    ]
    for words, change in changes:
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        rewritten(folder, "journal.json", change)
        found = proof.verify_folder(folder, ready.root_line).findings
        told = [one.why for one in found if one.kind == "journal"]
        assert len(told) == 1
        assert told[0].startswith(words), told


def test_a_journal_that_is_no_object_cannot_be_read(ready: Handing, folder: Path) -> None:
    for content in ("[]", "no json", "[" * 100_000):
        (folder / "journal.json").write_text(content)
        assert ("journal", "journal.json") in kinds(folder, ready.root_line)


@pytest.mark.claim("C-PACKAGE")
def test_another_root_proves_nobody(ready: Handing, folder: Path) -> None:
    stranger = World.make().root_public.to_text()
    found = kinds(folder, stranger)
    assert ("signature", "rosters/1.note") in found
    assert ("signature", "signature.json") in found
    assert proof.verify_folder(folder, stranger).signer == ""
    with pytest.raises(proof.Wrong, match="root's public key"):
        proof.verify_folder(folder, ready.root_line.replace("amana-root+", "amana-root+0"))
    with pytest.raises(proof.Wrong, match="root's public key"):
        proof.verify_folder(folder, ready.root_line[:-6] + "AAAAA")


@pytest.mark.claim("C-PACKAGE")
def test_an_operator_of_another_installation_cannot_sign_for_this_one(
    ready: Handing, folder: Path
) -> None:
    """The whole frame made anew by somebody with a root of their own."""
    rewritten(folder, proof.MANIFEST, lambda one: one.update(deployment="00" * 16))
    assert ("signature", "manifest.json") in kinds(folder, ready.root_line)


def test_without_a_root_nothing_is_wrong_and_nobody_is_proven(ready: Handing, folder: Path) -> None:
    found = proof.verify_folder(folder)
    assert (found.code, found.findings, found.signer) == (3, (), "")
    said: list[str] = []
    proof.report(found, said.append)
    assert any("WHO SIGNED IS NOT PROVEN" in line for line in said)
    assert said[0].startswith("REHEARSAL")
    del ready


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(items=7),
        lambda m: m.pop("contents"),
        lambda m: m["service"].update(key="x"),
        lambda m: m["items"][0].update(path="../x"),
        lambda m: m["items"][0].update(path="a/b/c"),
        lambda m: m["items"][0].update(path=m["items"][1]["path"].upper()),
        lambda m: m["items"][0].update(sha256="x"),
        lambda m: m["items"][0].update(size=None),
        lambda m: m["items"][0].update(size=float("inf")),
    ],
    ids=["items", "contents", "key", "up", "deep", "twice", "digest", "size", "endless"],
)
def test_a_manifest_that_cannot_be_meant_checks_nothing(
    folder: Path, change: Callable[[Any], object]
) -> None:
    rewritten(folder, proof.MANIFEST, change)
    with pytest.raises(proof.Wrong, match=r"manifest\.json"):
        proof.verify_folder(folder)


def test_the_digest_that_the_cover_bears_is_checked(ready: Handing, folder: Path) -> None:
    rewritten(folder, proof.MANIFEST, lambda one: one.update(contents="00" * 32))
    assert ("changed", "manifest.json") in kinds(folder, ready.root_line)


@pytest.mark.parametrize(
    "note", [b"", b"amana/v1/roster\n\nx", b"\xff", b"x\n\n" + "— amana-root x".encode()]
)
def test_what_is_no_roster_is_named(ready: Handing, folder: Path, note: bytes) -> None:
    (folder / "rosters" / "1.note").write_bytes(note)
    assert ("signature", "rosters/1.note") in kinds(folder, ready.root_line)


def test_a_roster_that_is_cut_is_named(ready: Handing, folder: Path) -> None:
    whole = (folder / "rosters" / "1.note").read_bytes()
    text, end = whole.split(b"\n\n")
    for cut in (text[:60], text[: text.index(b"sign 1")]):
        (folder / "rosters" / "1.note").write_bytes(cut + b"\n\n" + end)
        assert ("signature", "rosters/1.note") in kinds(folder, None)
    del ready


@pytest.mark.claim("C-PACKAGE")
def test_the_verifier_in_the_folder_runs_alone(ready: Handing, folder: Path) -> None:
    root = folder.parent / "root.pub"
    root.write_text(ready.root_line)
    done = run(folder, "--root", str(root))
    assert done.returncode == 0
    assert "PROVEN: signed by 'operator 1'" in done.stdout
    assert run(folder).returncode == 3
    (folder / "evidence" / "photo-1.jpg").write_bytes(b"x")
    done = run(folder, str(folder), "--root", str(root))
    assert done.returncode == 1
    assert "CHANGED: evidence/photo-1.jpg" in done.stdout
    assert run(folder, "--no-such").returncode == 2
    assert run(folder, "/no/such/folder").returncode == 1


def test_the_verifier_needs_no_newer_python_than_it_says_and_nothing_of_ours(
    folder: Path,
) -> None:
    tree = ast.parse((folder / "verify.py").read_text("utf-8"), feature_version=(3, 8))
    imported = {
        name.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert {one.partition(".")[0] for one in imported} <= sys.stdlib_module_names


def test_its_main_says_why_nothing_can_be_checked(
    ready: Handing, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert proof.main([str(folder / "evidence")]) == 1
    assert "nothing can be checked" in capsys.readouterr().out
    assert proof.main([str(folder), "--root", str(folder / "cover.pdf")]) == 1
    assert proof.main([str(folder)]) == 3
    del ready


def test_its_main_names_what_it_finds(
    ready: Handing, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = folder.parent / "root.pub"
    root.write_text(ready.root_line)
    assert proof.main([str(folder), "--root", str(root)]) == 0
    assert "PROVEN: signed by" in capsys.readouterr().out
    (folder / "extra").write_text("x")
    assert proof.main([str(folder), "--root", str(root)]) == 1
    assert "ADDED: extra: the manifest does not name it" in capsys.readouterr().out


def test_a_manifest_that_is_a_link_or_endless_checks_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "_JSON_MOST", 100)
    with pytest.raises(proof.Wrong, match="cannot be read"):
        proof.verify_folder(folder)
    monkeypatch.undo()
    (folder / "manifest.json").rename(folder.parent / "elsewhere")
    (folder / "manifest.json").symlink_to(folder.parent / "elsewhere")
    with pytest.raises(proof.Wrong, match="cannot be read"):
        proof.verify_folder(folder)


def test_a_roster_of_another_installation_is_refused_though_the_root_signed_it(
    ready: Handing,
) -> None:
    root = ready.world.root
    text = ready.world.roster.note.decode().split("\n\n")[0] + "\n"
    lied = text.replace(ready.desk.trust.deployment.hex(), "00" * 16).encode()
    signature = base64.b64encode(b"\0\0\0\0" + root.sign(lied)).decode()
    note = lied + f"\n— amana-root {signature}\n".encode()
    with pytest.raises(proof.Wrong, match="another installation"):
        proof.read_roster(note, root.public.raw)
    assert len(proof.read_roster(note, None).operators) == 2


@pytest.mark.claim("C-PACKAGE")
def test_operators_whom_the_root_did_not_name_prove_nothing(ready: Handing, folder: Path) -> None:
    """The roster of this installation with a key of the forger's, signed by the forger."""
    forger = SigningPrivateKey.generate()
    mine = ready.world.operators[0].sign.public
    text = ready.world.roster.note.split(b"\n\n")[0] + b"\n"
    for old, new in (
        (base64.b64encode(mine.raw), base64.b64encode(forger.public.raw)),
        (mine.kid.hex().encode(), forger.public.kid.hex().encode()),
    ):
        assert old in text
        text = text.replace(old, new)
    signature = base64.b64encode(b"\0\0\0\0" + forger.sign(text)).decode()
    (folder / "rosters" / "1.note").write_bytes(text + f"\n— amana-root {signature}\n".encode())
    found = proof.verify_folder(folder, ready.root_line)
    assert Finding("signature", "rosters/1.note", "the signature does not hold") in found.findings
    assert (found.code, found.signer) == (1, "")


# --- Ed25519 in whole numbers, against libsodium


def test_the_slow_ed25519_agrees_with_libsodium() -> None:
    for number in range(6):
        key = SigningPrivateKey(bytes([number]) * 32)
        message = b"m" * number
        signature = key.sign(message)
        proof.ed25519(key.public.raw, signature, message)
        for wrong in (
            (key.public.raw, signature, message + b"!"),
            (SigningPrivateKey(bytes([99]) * 32).public.raw, signature, message),
            (key.public.raw, bytes([signature[0] ^ 1]) + signature[1:], message),
            (key.public.raw, signature[:40] + bytes([signature[40] ^ 1]) + signature[41:], message),
            (key.public.raw, signature[:63], message),
        ):
            with pytest.raises(proof.Wrong):
                proof.ed25519(*wrong)


def test_the_vectors_of_the_format_hold_and_are_refused_here_too() -> None:
    """RFC 8032, test 2; and what libsodium refuses: a sum too large, keys of low order."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    proof.ed25519(public, signature, b"\x72")
    order = 2**252 + 27742317777372353535851937790883648493
    large = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    with pytest.raises(proof.Wrong):
        proof.ed25519(public, signature[:32] + large, b"\x72")
    low = [
        bytes(32), (1).to_bytes(32, "little"), (2**255 - 20).to_bytes(32, "little"),
        (2**255 - 19).to_bytes(32, "little"), (2**255 - 18).to_bytes(32, "little"),
        ((1 << 255) | 1).to_bytes(32, "little"), b"\2" + bytes(31), b"short",
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ]  # fmt: skip
    for key in low:
        with pytest.raises(proof.Wrong):
            proof.ed25519(key, bytes(64), b"")
