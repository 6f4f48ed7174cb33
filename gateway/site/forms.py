"""What the institution may write itself, read together: questions, help lines, its notice.

From the folder that AMANA_FORMS names, or else from our own.  Grammar: docs/FORMS.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import FormRefused
from gateway.site.form_reader import read_schema
from gateway.site.help import HelpLines
from gateway.site.institution import Institution
from gateway.site.words import load_words, require_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.site.schema import FormSchema
    from gateway.site.words import Words

FORMS = Path(__file__).parent.parent / "forms"
NAMES = ("categories.json", "help.json", "institution.json")
TRANSLATIONS = Path(__file__).parent / "translations"


@dataclass(frozen=True, slots=True)
class Forms:
    """The data of a deployment, checked; ``words`` by language."""

    schema: FormSchema
    help: HelpLines
    institution: Institution
    words: Mapping[str, Words]


def load_forms(folder: Path | None) -> Forms:
    """Read them; a file that the folder lacks is ours.  Raises FormRefused."""
    name, untrusted = _file(folder, "categories.json")
    schema = read_schema(untrusted, name)
    words = {code: one.with_own(schema.words) for code, one in load_words(TRANSLATIONS).items()}
    require_words(schema, words, name)
    name, untrusted = _file(folder, "help.json")
    helps = HelpLines.from_json(untrusted, name)
    for line in helps.lines:
        for category in line.categories:
            if schema.category(category) is None:
                raise FormRefused(f"{name}, line {line.line}: no category {category!r}")
    return Forms(schema, helps, Institution.from_json(_file(folder, NAMES[2])[1]), words)


def _file(folder: Path | None, name: str) -> tuple[str, bytes]:
    path = FORMS / name
    if folder is not None:
        if not any((folder / one).exists() for one in NAMES):
            raise FormRefused(f"AMANA_FORMS: {folder} holds neither {' nor '.join(NAMES)}")
        if (folder / name).exists():
            path = folder / name
    try:
        return (name if path.parent == FORMS else str(path)), path.read_bytes()
    except OSError as error:
        raise FormRefused(f"{path} cannot be read: {error.strerror}") from None
