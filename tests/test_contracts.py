"""Each import contract is broken on purpose, in a copy, and is seen to break.

A contract that nobody has seen fail may have been misspelt from the first day.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("crypto", "vault", "sanitizer", "gateway", "desk", "ceremony", "audit", "terminal", "demo")

BREAKS = [
    ("Arrows run downhill", "crypto/ids.py", "import vault.errors"),
    ("Arrows run downhill", "desk/errors.py", "import gateway.errors"),
    ("Arrows run downhill", "sanitizer/errors.py", "import crypto.errors"),
    ("Arrows run downhill", "terminal/ending.py", "import crypto.errors"),
    ("The server cannot decrypt", "gateway/clock.py", "import crypto.keyfile"),
    ("The server cannot decrypt", "sanitizer/limits.py", "import crypto.operator_opening"),
    # Through another module: the chain is what the contract is for.
    ("The server cannot decrypt", "crypto/header.py", "import crypto.operator_opening"),
    ("The vault knows an envelope's outside", "vault/rows.py", "import flask"),
    ("The vault knows an envelope's outside", "vault/rows.py", "import crypto.wrap"),
    ("Crypto and sanitizer meet no web", "crypto/padding.py", "import logging"),
    ("Crypto and sanitizer meet no web", "sanitizer/source.py", "import socket"),
    ("No parser written in C is in", "gateway/clock.py", "import PIL.Image"),
    ("No parser written in C is in", "sanitizer/detect.py", "import pikepdf"),
    ("No parser written in C is in", "desk/sight/shown.py", "import pypdfium2"),
    ("No parser written in C is in", "desk/sight/shown.py", "import sanitizer.sight.worker"),
    ("No parser written in C is in", "sanitizer/unlocked.py", "import sanitizer.gif.clean"),
    ("No parser written in C is in", "sanitizer/clean.py", "import sanitizer.planned"),
    ("Primitives are imported by crypto alone", "desk/errors.py", "import nacl.public"),
    ("Primitives are imported by crypto alone", "gateway/clock.py", "import cryptography"),
    ("The conductor runs programs", "demo/conductor.py", "import crypto.ids"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The rooms and their contracts, where a test may spoil them."""
    for room in ROOMS:
        ignored = shutil.ignore_patterns("__pycache__", "*.po", "*.css")
        shutil.copytree(ROOT / room, tmp_path / room, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> tuple[int, str]:
    """Run import-linter over the copy alone."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.claim("C-SERVER-BLIND")
def test_the_contracts_hold_as_the_rooms_stand(copy: Path) -> None:
    code, printed = lint(copy)
    assert code == 0, printed
    assert "7 kept, 0 broken" in printed


@pytest.mark.claim("C-SERVER-BLIND")
@pytest.mark.parametrize(("contract", "module", "line"), BREAKS)
def test_a_contract_breaks_when_it_is_violated(
    copy: Path, contract: str, module: str, line: str
) -> None:
    path = copy / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    code, printed = lint(copy)
    assert code != 0
    broken = [row for row in printed.splitlines() if "BROKEN" in row]
    assert any(contract in row for row in broken), printed


def test_an_import_hidden_from_the_contracts_is_refused_by_the_linter(copy: Path) -> None:
    hidden = "\n\ndef hide() -> object:\n    return importlib.import_module('crypto.keyfile')\n"
    path = copy / "gateway" / "clock.py"
    path.write_text("import importlib\n" + path.read_text(encoding="utf-8") + hidden)
    ruff = [str(Path(sys.executable).parent / "ruff"), "check", "--select", "TID251", str(path)]
    done = subprocess.run(ruff, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "TID251" in done.stdout
