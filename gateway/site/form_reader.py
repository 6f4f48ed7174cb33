"""Read the form's data once at start, and refuse what does not fit, at its line.

``categories.json, line 41: fraud: amount: unknown type 'sum'``: said to whoever starts the gateway,
never to a reporter.  The grammar, for those who edit the data: docs/FORMS.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.site.field_reader import COMMON_KEYS, FieldReader
from gateway.site.lined_json import LinedObject, read_lined
from gateway.site.schema import Card, CategoryForm, Condition, Field, FormSchema, Section
from gateway.site.words import LANGUAGES, PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Help lines that help.json always names, besides the police and the gendarmerie.
HELP = frozenset({"children"})
_CATEGORY_PLACE = "@category"
_CATEGORY_KEYS = {
    "id", "fields", "cards", "files", "no_files_if", "files_note", "without", "help",
}  # fmt: skip
_TOP_KEYS = {
    "version", "options", "columns", "sections", "cards", "fields", "categories", "words",
}  # fmt: skip
# Sentences that an institution may write, and what is filled into them.
_NUMBERS = frozenset({"police", "gendarmerie", "children"})
_FACTS = {
    "hint.": _NUMBERS | {"example", "example_time", "least", "most"},
    "card.": _NUMBERS,
    "advice.": _NUMBERS,
    **dict.fromkeys(
        ("category.", "section.", "field.", "option.", "about.", "files.note."),
        frozenset[str](),
    ),
}


def read_schema(untrusted: bytes, name: str = "categories.json") -> FormSchema:
    """Read and check the data.  Raises FormRefused naming the file, the line and the place."""
    return _Reader(name).read(read_lined(untrusted, name))


class _Reader(FieldReader):
    """Reads and checks (1) shared lists  (2) common questions  (3) sections  (4) categories."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._common: dict[str, Field] = {}
        # Questions that the data has switched off: to name one is no mistake.
        self._off: set[str] = set()
        self._layout: dict[str, LinedObject] = {}

    def read(self, data: object) -> FormSchema:
        top = self.keyed("the top", data, 1, _TOP_KEYS, {"version", "sections", "categories"})
        self.read_shared(top)  # (1)
        for item, line in self.items("the top", top, "fields"):  # (2)
            one = self.field("fields", item, line, (), COMMON_KEYS)
            name = item["id"] if isinstance(item, LinedObject) else ""
            if name in self._common or name in self._off:
                raise self.refuse(line, f"fields: {name}", "the same id twice")
            if one is None:
                self._off.add(name)
            else:
                self._common[name] = one
        for item, line in self.items("the top", top, "sections", least=1):  # (3)
            section = self.keyed("sections", item, line, {"id", "fields"}, {"id", "fields"})
            name = self.id("sections", section)
            if name in self._layout:
                raise self.refuse(line, f"sections: {name}", "the same id twice")
            self._layout[name] = section
        forms: dict[str, CategoryForm] = {}
        for item, line in self.items("the top", top, "categories", least=1):  # (4)
            form = self._category(item, line, top)
            if form.id in forms:
                raise self.refuse(line, f"categories: {form.id}", "the same id twice")
            forms[form.id] = form
        return FormSchema(
            version=self.number("the top", top, "version", 0),
            categories=tuple(forms.values()),
            words=self._words(self.inner("words", top, "words")),
        )

    def _category(self, item: object, line: int, top: LinedObject) -> CategoryForm:
        data = self.keyed("categories", item, line, _CATEGORY_KEYS, {"id", "fields"})
        name = self.id("categories", data)
        files = self.flag(name, data, "files", default=True)
        own, instead = self._own_fields(name, data)
        known = set(self._common) | self._off
        without = set(self.known(name, data, "without", known))
        without |= {one.id for several in own.values() for one in several}
        if not files:
            without |= {one.id for one in self._common.values() if one.type == "files"}
        sections = (
            self._section(name, section, own.get(section_id, []), without, instead)
            for section_id, section in self._layout.items()
        )
        form = CategoryForm(
            id=name,
            sections=tuple(section for section in sections if section.fields),
            cards=(*self._cards(f"{name}: cards", data), *self._cards("cards", top)),
            files=files,
            no_files_if=self.optional_condition(name, data, "no_files_if"),
            files_note=self.flag(name, data, "files_note"),
            help=self.known(name, data, "help", HELP),
            line=line,
        )
        here = {one.id for one in form.fields()}
        if lost := next((one for one in instead.values() if one.id not in here), None):
            raise self.refuse(lost.line, f"{name}: {lost.id}", "no section holds this field")
        self._check_references(form)
        return form

    def _own_fields(
        self, category: str, data: LinedObject
    ) -> tuple[dict[str, list[Field]], dict[str, Field]]:
        """A category's questions by section, and those that stand instead of a common one."""
        own: dict[str, list[Field]] = {}
        instead: dict[str, Field] = {}
        open_sections = {
            name
            for name, section in self._layout.items()
            if _CATEGORY_PLACE in self.strings(f"sections: {name}", section, "fields")
        }
        for item, line in self.items(category, data, "fields"):
            one = self.field(category, item, line, (category,))
            wanted = self.text(category, item, "section") if isinstance(item, LinedObject) else ""
            if one is None:
                continue
            if one.id in self._common and not wanted:
                if one.id in instead:
                    raise self.refuse(line, f"{category}: {one.id}", "the same id twice")
                instead[one.id] = one
                continue
            if (wanted or next(iter(self._layout))) not in open_sections:
                why = f"no section {wanted or next(iter(self._layout))!r} holds {_CATEGORY_PLACE!r}"
                raise self.refuse(line, f"{category}: {one.id}", why)
            own.setdefault(wanted or next(iter(self._layout)), []).append(one)
        return own, instead

    def _section(
        self,
        category: str,
        section: LinedObject,
        own: list[Field],
        without: set[str],
        instead: Mapping[str, Field],
    ) -> Section:
        at = f"sections: {section['id']}"
        placed: list[Field] = []
        for name in self.strings(at, section, "fields"):
            if name == _CATEGORY_PLACE:
                placed += own
            elif name not in self._common and name not in self._off:
                raise self.refuse(section.lines["fields"], at, f"no field {name!r}")
            elif name in instead:
                placed.append(instead[name])
            elif name in self._common and name not in without:
                placed.append(replace(self._common[name], scope=(category,)))
        return Section(section["id"], tuple(placed))

    def _cards(self, at: str, data: LinedObject) -> Iterator[Card]:
        for item, line in self.items(at, data, "cards"):
            card = self.keyed(at, item, line, {"id", "if", "numbers"}, {"id", "if"})
            condition = self.condition(at, card, "if")
            yield Card(self.id(at, card), condition, self.flag(at, card, "numbers"))

    def _words(self, data: LinedObject) -> dict[str, dict[str, str]]:
        """The institution's own sentences: in every language, and filled in as ours are."""
        codes = {one.code for one in LANGUAGES}
        for key, said in data.items():
            line, at = data.lines[key], f"words: {key}"
            facts = next((facts for begin, facts in _FACTS.items() if key.startswith(begin)), None)
            if facts is None:
                raise self.refuse(line, at, "this sentence is the site's own")
            sentences = self.keyed(at, said, line, codes, codes)
            for code in sentences:
                if not self.text(at, sentences, code).strip():
                    raise self.refuse(sentences.lines[code], at, f"{code!r} is empty")
                for fact in PLACE.findall(sentences[code]):
                    if fact not in facts:
                        why = f"nothing is called {'{' + fact + '}'} here"
                        raise self.refuse(sentences.lines[code], at, why)
        return {key: dict(said) for key, said in data.items()}

    def _check_references(self, form: CategoryForm) -> None:
        """Every condition names an earlier choice of the same form, and options that it has."""
        seen: dict[str, Field] = {}
        for one in form.fields():
            if one.id in seen:
                raise self.refuse(one.line, f"{form.id}: {one.id}", "the same id twice")
            for column in (one, *one.columns):
                # Words name one answer beside the question: of several, none could be named.
                self._check(f"{form.id}: {column.id}", column.show_if, seen, {"radio", "select"})
            seen[one.id] = one
        for one in form.fields():
            for other in one.unless_given:
                if other not in seen and other not in self._off and other not in self._common:
                    raise self.refuse(one.line, f"{form.id}: {one.id}", f"no field {other!r}")
        choices = {"radio", "select", "checks"}
        for condition in (form.no_files_if, *(card.condition for card in form.cards)):
            self._check(form.id, condition, seen, choices)

    def _check(
        self,
        at: str,
        condition: Condition | None,
        seen: Mapping[str, Field],
        types: set[str],
    ) -> None:
        if condition is None:
            return
        asked = seen.get(condition.field)
        if asked is None or asked.type not in types:
            raise self.refuse(condition.line, at, f"{condition.field!r} is no earlier choice")
        for value in condition.values:
            if value not in asked.options:
                why = f"{condition.field!r} has no option {value!r}"
                raise self.refuse(condition.line, at, why)
