"""Every page of the site, each by its name, as a person meets them: for the judges of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

from flask import abort

from gateway.errors import Busy
from gateway.site import words
from gateway.site.forms import load_forms
from gateway.site.plain_pages import SHOWN
from gateway.turns import Turns
from tests.support.rehearsal import TestClock
from tests.support.site import Writer, code_of, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.rehearsal import Rehearsal

LANGUAGES = tuple(one.code for one in words.LANGUAGES)


def every_page(rehearsal: Rehearsal, lang: str) -> dict[str, TestResponse]:
    """All pages in one language; ``languages`` is the one that is in all of them."""
    app = rehearsal.site()

    def fail(lang: str, status: int) -> str:  # noqa: ARG001 the page reads it from the address
        if status == 500:
            raise RuntimeError("a word of a reporter")
        abort(status)

    app.add_url_rule("/<lang>/fail/<int:status>", "fail", fail)
    client = app.test_client(use_cookies=False)
    found = dict(_report(client, lang))
    found |= _thread(rehearsal, client, lang, found["receipt"])
    found |= {f"form {form}": page for form, page in forms(client, lang)}
    for name in ("device", "about", "data", "leave"):
        found[name] = client.get(f"/{lang}/{name}")
    for status in sorted(SHOWN):
        found[f"problem {status}"] = client.get(f"/{lang}/fail/{status}")
    found["problem 410"] = client.post(f"/{lang}/device", data={"stay": "of nobody"})
    found["languages"] = client.get("/")
    found["problem in all languages"] = client.get("/nowhere")
    return found


def forms(client: FlaskClient, lang: str) -> Iterator[tuple[str, TestResponse]]:
    """The empty form of every category of the data, where the person says: in danger."""
    for form in load_forms(None).schema.categories:
        yield form.id, Writer(client, lang, form.id).begin("yes")


def _report(client: FlaskClient, lang: str) -> Iterator[tuple[str, TestResponse]]:
    writer = Writer(client, lang)
    yield "start", client.get(f"/{lang}/")
    yield "start with errors", client.post(f"/{lang}/write", data={"danger_now": "no"})
    danger = {"danger_now": "yes", "category": "threats"}
    yield "danger", client.post(f"/{lang}/write", data=danger)
    form = writer.begin()
    photo = (("a.txt", b"What she wrote to me."),)
    yield "form with a file", writer.send(form, changes={"action": "add"}, files=photo)
    wrong = writer.send(form, changes={"description": None, "amount": "x"}, files=photo)
    yield "form with errors", wrong
    receipt = writer.send(wrong)
    yield "receipt", receipt
    yield "receipt again", writer.send(form)
    other = {"description": "Other words: what she wrote in a second tab."}
    yield "receipt, other words", writer.send(form, changes=other)
    token = {"token": token_of(receipt)}
    yield "receipt, wrong digits", client.post(f"/{lang}/confirm", data={**token, "last_four": ""})
    last = {**token, "last_four": code_of(receipt)[-4:]}
    yield "done", client.post(f"/{lang}/confirm", data=last)
    yield "received", client.post(f"/{lang}/confirm", data=last)
    yield "received, other words", writer.send(form, changes=other)
    yield "no receipt", client.post(f"/{lang}/confirm", data={"token": "x"})


def _thread(
    rehearsal: Rehearsal, client: FlaskClient, lang: str, receipt: TestResponse
) -> dict[str, TestResponse]:
    writer = Writer(client, lang)
    found = {"code": client.get(f"/{lang}/thread"), "code, wrong": writer.open("123")}
    quiet = writer.open(code_of(receipt))
    found["thread without an answer"] = quiet
    case = rehearsal.only_case()
    rehearsal.reply(case, rehearsal.report(case).reply_key, "الرقم 06 12 34 56 78 / call 19")
    found["thread with an answer"] = writer.open(code_of(receipt))
    found["thread with errors"] = writer.say(quiet, "")
    found["thread, sent"] = writer.say(quiet, "One thing more.")
    rehearsal.reply(case, rehearsal.report(case).reply_key, "من هو؟ Qui ?", status="question")
    asked = writer.open(code_of(receipt))
    found["thread with a question"] = asked
    found["name"] = writer.say(asked, "A draft.", action="name")
    found["name with errors"] = writer.say(found["name"], "A draft.", action="identity")
    found["thread, not withdrawn"] = writer.say(asked, "", action="withdraw")
    with mock.patch.object(Turns, "admit", side_effect=Busy):
        found["turn"] = writer.say(asked, "What she typed.")
    assert isinstance(rehearsal.clock, TestClock)
    rehearsal.clock.seconds += rehearsal.config.times.form_seconds
    text = (("a.txt", b"What she wrote to me."),)
    found["code, past its time"] = writer.say(asked, "A draft.", files=text)
    return found
