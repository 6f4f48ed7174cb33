"""What was typed and has no place any more: it is shown in a box, and never lost in silence.

A question or a kind of report may leave the form's data while somebody writes; a form may be sent a
second time with other words, after it had arrived.  Claim C-TYPED.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.site.answers import PAGE_NAMES
from gateway.site.mistakes import place
from gateway.site.sending import as_text

if TYPE_CHECKING:
    from gateway.site.answers import AnswerReader, Posted
    from gateway.site.schema import CategoryForm
    from gateway.site.words import Words

BOX = "kept"
# What the pages before and beside the form send, which nobody typed.
_NOT_TYPED = PAGE_NAMES | {"danger_now", "go_on", "apart"}
_TYPED = frozenset(
    {"text", "textarea", "url", "phone", "email", "digits", "decimal", "money"}
    | {"approx_date", "approx_datetime", "list:url", "list:phone", "list:text"}
)


def boxed(posted: Posted, reader: AnswerReader | None) -> str:
    """Give what the box holds already, and what came under names that the form has not.

    Without a form that is everything.
    """
    found = [posted.get(BOX, "")]
    for name, said in posted.items(multi=True):
        if name not in _NOT_TYPED and (reader is None or not reader.knows(name)):
            found.append(said)
    return "\n".join(text for text in dict.fromkeys(found) if text.strip())


def as_message(words: Words, form: CategoryForm, posted: Posted) -> str:
    """Give what was typed into a form as lines of a message, each below its question.

    Without what is sealed to the custodians alone: a message is read by the operators.
    """
    lines = [posted.get(BOX, "")]
    for name, said in posted.items(multi=True):
        at = place(form, name)
        if at is None or not said.strip() or at.asked.seal != "operators":
            continue
        if (at.column or at.asked).type in _TYPED and not name.endswith("-currency"):
            lines += [as_text(at.label(words)), said.strip()]
    return "\n".join(line for line in lines if line.strip())


def carried(posted: Posted, reader: AnswerReader | None) -> list[tuple[str, str]]:
    """Give what was typed into a form's inputs, to go along until its page is there again."""
    if reader is None:
        return []
    return [
        (name, said)
        for name, said in posted.items(multi=True)
        if said and name not in PAGE_NAMES and reader.knows(name)
    ]
