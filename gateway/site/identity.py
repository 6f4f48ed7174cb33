"""Who reports, as an identity envelope takes it: from the form, or later from the conversation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from crypto.errors import ManifestTooLarge
from crypto.manifest import IdentityManifest
from gateway.handed import ANONYMOUS, Identity
from gateway.site.schema import CategoryForm, Section
from gateway.site.values import FieldError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crypto.strict_json import Json
    from gateway.site.answers import Answers
    from gateway.site.schema import Field, FormSchema

MODE = "identity_mode"
_ASKED = (MODE, "identity", "safe_contact")


def identity_of(answers: Answers) -> Identity:
    """What goes to the custodians alone."""
    apart = cast("Mapping[str, Mapping[str, Json]]", answers.sealed_apart)
    return Identity(
        mode=answers.identity_mode,
        identity=apart.get("identity", {}),
        safe_contact=apart.get("safe_contact", {}),
    )


def too_much(identity: Identity) -> tuple[FieldError, ...]:
    """An identity has one size for all: what would not fit is said before anything is sealed."""
    try:
        IdentityManifest(
            identity_mode=identity.mode,
            identity=identity.identity,
            safe_contact=identity.safe_contact,
        ).to_json()
    except ManifestTooLarge:
        return (FieldError("identity-name", "error.identity"),)
    return ()


def identity_form(schema: FormSchema) -> CategoryForm | None:
    """The form's own questions about the person, with nobody in them who stays anonymous.

    None for an institution whose form asks nobody who they are.
    """
    asked = tuple(_named(one) for one in schema.categories[0].fields() if one.id in _ASKED)
    if not any(one.id == MODE and one.options for one in asked):
        return None
    return CategoryForm(id="identity", sections=(Section("you", asked),), files=False)


def _named(asked: Field) -> Field:
    options = tuple(one for one in asked.options if one != ANONYMOUS)
    return replace(asked, options=options, default="", scope=())
