"""The code as a picture for a camera: its digits, and nothing that says what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno
from markupsafe import Markup

if TYPE_CHECKING:
    from crypto.receipt import ReceiptCode


def picture(code: ReceiptCode) -> Markup:
    """Return an SVG element without a script, a style or an address; black on white in any theme.

    Level M: a phone's camera reads it also with a tenth of it dirty.
    """
    made = segno.make_qr(code.digits, error="m", boost_error=False)
    return Markup(made.svg_inline(omitsize=True, dark="#000", light="#fff", lineclass=None))  # noqa: S704 digits alone go in
