"""A public bulletin's statement: one spelling, one label, and anybody's tools check it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import crypto
from crypto.bulletin import BulletinStatement, to_pem
from crypto.errors import BulletinMalformed, SignatureInvalid
from crypto.ids import Day
from crypto.keys import SigningPublicKey
from tests.vectors.make_bulletins import BULLETINS, KEY, OTHER, STATEMENT, text

VECTORS: dict[str, Any] = json.loads(BULLETINS.read_text(encoding="utf-8"))


def test_the_checked_in_vectors_are_what_the_generator_writes() -> None:
    assert BULLETINS.read_text(encoding="utf-8") == text()


def test_a_statement_is_read_as_it_was_written_and_its_signature_holds() -> None:
    raw = VECTORS["statement"].encode()
    found = BulletinStatement.from_bytes(raw)
    assert found == STATEMENT
    assert found.to_bytes() == raw
    public = SigningPublicKey(bytes.fromhex(VECTORS["public"]))
    found.verify(public, bytes.fromhex(VECTORS["signature"]))


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda one: one["name"])
def test_another_spelling_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(BulletinMalformed):
        BulletinStatement.from_bytes(vector["statement"].encode())


def test_a_signature_holds_over_no_other_text_and_for_no_other_key() -> None:
    signature = STATEMENT.sign(KEY)
    with pytest.raises(SignatureInvalid):
        replace(STATEMENT, issued=Day(STATEMENT.issued + 1)).verify(KEY.public, signature)
    with pytest.raises(SignatureInvalid):
        STATEMENT.verify(OTHER.public, signature)
    with pytest.raises(BulletinMalformed):
        STATEMENT.sign(OTHER)


@pytest.mark.parametrize("changes", [{"files": {}}, {"first": Day(20_000)}], ids=["none", "days"])
def test_what_could_not_be_read_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises(BulletinMalformed):
        replace(STATEMENT, **changes).to_bytes()


def test_the_example_stands_in_the_format() -> None:
    written = (Path(crypto.__path__[0]) / "FORMAT.md").read_text(encoding="utf-8")
    assert VECTORS["statement"] in written
    assert VECTORS["signature"] in "".join(written.split())
    assert to_pem(KEY.public).splitlines()[1] in written


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, a judge from outside")
def test_openssl_believes_the_signature_and_not_another(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(STATEMENT.to_bytes())
    (tmp_path / "sig").write_bytes(STATEMENT.sign(KEY))
    (tmp_path / "pem").write_text(to_pem(KEY.public))

    def verified() -> bool:
        command = "openssl pkeyutl -verify -pubin -inkey pem -rawin -in text -sigfile sig"
        done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False)
        return done.returncode == 0

    assert verified()
    (tmp_path / "text").write_bytes(STATEMENT.to_bytes().replace(b"2024-09-02", b"2024-09-03"))
    assert not verified()
