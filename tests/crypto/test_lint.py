"""Habits that a reader of this room may count on, looked for in its source."""

import ast
from pathlib import Path

import pytest

import crypto

ROOM = Path(crypto.__file__).parent
SECRET_WORDS = ("digest", "mac", "tag", "signature", "secret", "commitment", "bound", "padded")

PUBLIC = {
    "body": {"padded"},  # a number of bytes
    "roster": {"signature[:4]", "base64.b64encode(signature).decode()"},  # of a public note
    "transport": {"digest", "_content_digest(untrusted.body)"},  # of a body that came with it
    "token": {"padded"},  # base64 written in one way
}


def _compared_with_equals(source: str) -> list[str]:
    """Names of secret-looking values that a source compares with == or !=."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Eq | ast.NotEq) for op in node.ops
        ):
            for side in (node.left, *node.comparators):
                name = ast.unparse(side)
                secret = any(word in name.lower() for word in SECRET_WORDS)
                if secret and not name.isupper() and "len(" not in name:
                    found.append(name)
    return found


def test_the_search_finds_a_comparison_that_leaks_its_time() -> None:
    assert _compared_with_equals("if mac == given_mac: pass") == ["mac", "given_mac"]
    assert _compared_with_equals("if len(signature) != 64: pass") == []


@pytest.mark.parametrize("module", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_no_secret_is_compared_byte_by_byte(module: Path) -> None:
    found = set(_compared_with_equals(module.read_text(encoding="utf-8")))
    assert found <= PUBLIC.get(module.stem, set())


@pytest.mark.parametrize("module", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_no_module_draws_from_a_generator_that_can_be_guessed(module: Path) -> None:
    imported = {
        alias.name
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*node.names, ast.alias(getattr(node, "module", None) or "")]
    }
    assert not imported & {"random", "numpy"}
