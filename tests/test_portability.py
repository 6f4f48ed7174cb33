"""What Amana's code may not use, because some Python that it promises to run on has it wrong."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("crypto", "vault", "sanitizer", "gateway", "desk", "ceremony", "audit", "terminal", "demo")
POSSESSIVE = re.compile(r"(?<!\\)(?:[+*?]|\})\+|\(\?>")


def patterns_in(source: str) -> list[str]:
    """The text of every string that stands in a module which uses `re`, formatted ones included."""
    tree = ast.parse(source)
    uses = any(
        isinstance(node, ast.Import) and any(name.name == "re" for name in node.names)
        for node in ast.walk(tree)
    )
    raw = {part for line in source.splitlines() for part in re.findall(r'rf?b?"([^"]*)"', line)}
    return sorted(raw) if uses else []


def test_no_pattern_is_possessive_or_atomic() -> None:
    """Python 3.11.0 to 3.11.4 (Debian 12 has one) match such patterns wrongly: CPython 106052."""
    found = [
        (path.name, pattern)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for pattern in patterns_in(path.read_text(encoding="utf-8"))
        if POSSESSIVE.search(pattern)
    ]
    assert found == []


def test_a_possessive_pattern_would_be_seen() -> None:
    for pattern in (r"a++", r"(?:a)*+", r"a?+", r"a{2,}+", r"(?>a)"):
        source = f'import re\nX = re.compile(r"{pattern}")\n'
        assert [one for one in patterns_in(source) if POSSESSIVE.search(one)] == [pattern]
    assert not POSSESSIVE.search(r"\++")
    assert patterns_in('X = r"a++"') == []
