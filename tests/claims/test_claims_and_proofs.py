"""threat_model.md and the tests that are marked as its proofs name the same claims."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
THREAT_MODEL = TESTS.parent / "threat_model.md"


def claimed(text: str) -> list[str]:
    """The ids in the first column of the page's table of claims."""
    return re.findall(r"^\| (C-[A-Z-]+) \|", text, flags=re.MULTILINE)


def proven_in(source: str) -> set[str]:
    """The ids that a test module's `@pytest.mark.claim(...)` decorators name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.claim":
                found |= {word.value for word in mark.args if isinstance(word, ast.Constant)}  # type: ignore[misc]
    return found


def proofs() -> dict[str, set[str]]:
    """Claim id to the test modules that prove it."""
    table: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for claim in proven_in(path.read_text(encoding="utf-8")):
            table.setdefault(claim, set()).add(path.name)
    return table


def test_every_claim_of_the_threat_model_has_a_proof_and_every_proof_a_claim() -> None:
    ids = claimed(THREAT_MODEL.read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids)) > 20
    assert set(ids) == set(proofs())


def test_a_claim_without_proof_and_a_proof_without_claim_would_be_seen() -> None:
    page = "| C-ONE | x |\n| C-TWO | y |\n"
    proof = "@pytest.mark.claim('{}')\ndef test_it(): ...\n"
    module = proof.format("C-TWO") + proof.format("C-SIX")
    assert set(claimed(page)) - proven_in(module) == {"C-ONE"}
    assert proven_in(module) - set(claimed(page)) == {"C-SIX"}
