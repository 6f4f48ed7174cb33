"""Claim C-UNKEPT at the desk: no form of its pages is written down by the browser.

tests/gateway/site/test_unkept.py shows, in Chromium, what the mark does.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import desk.pages
from desk.pages.markup import UNKEPT
from gateway.site.context import UNKEPT as OF_THE_SITE

TEMPLATES = Path(desk.pages.__file__).with_name("templates")


@pytest.mark.claim("C-UNKEPT")
def test_every_form_that_posts_bears_the_mark() -> None:
    assert UNKEPT == OF_THE_SITE
    forms = 0
    for template in TEMPLATES.glob("*.html"):
        for opening, behind in re.findall(r"(<form\b[^>]*>)(.{0,12})", template.read_text("utf-8")):
            if 'method="post"' in opening:
                forms += 1
                assert behind == "{{ unkept }}", (template.name, opening)
    assert forms > 20
