"""Every cleaner of pictures and documents, those with parsers written in C among them.

Rule: imported by the program that a jailed worker is, and by tests; never by the gateway or by
``amana-sanitize`` (import-linter holds it): nothing of Pillow or qpdf is in a process with secrets.
"""

from sanitizer.detect import Format
from sanitizer.gif.clean import clean as clean_gif
from sanitizer.pdf.clean import clean as clean_pdf
from sanitizer.result import Planner
from sanitizer.unlocked import WITHOUT_JAIL
from sanitizer.webp.clean import clean as clean_webp

PLANNED: dict[Format, Planner] = {
    **WITHOUT_JAIL,
    Format.WEBP: clean_webp,
    Format.GIF: clean_gif,
    Format.PDF: clean_pdf,
}
"""Who cleans which format behind the lock; all formats that are not here are streamed."""
