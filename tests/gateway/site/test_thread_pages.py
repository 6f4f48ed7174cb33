"""The conversation: opened by a code, alike for all codes that have nothing to show."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.envelope import EnvelopeSealer
from crypto.header import Kind
from crypto.ids import Day, HeaderHash, date_of
from crypto.manifest import DAY_END, FollowUpBody, ReplyBody
from crypto.receipt import ReceiptCode
from crypto.signed import SignedManifest
from crypto.signing import SigningPrivateKey
from crypto.wrap import OperatorsAndReceipt
from gateway.config import SiteTimes
from gateway.errors import Busy, NoValidRoster
from gateway.intake import FilesGone, Intake
from gateway.site.app import HERE
from gateway.site.padding import PADDED_BYTES
from gateway.site.visits import ShownReply, in_order
from gateway.site.words import load_words
from tests.support.media import phone_photo
from tests.support.rehearsal import Rehearsal, TestClock, make_rehearsal
from tests.support.site import Writer, code_of, errors_of, kept_files, token_of
from vault.errors import ThreadMoved
from vault.outside import StoredEnvelope
from vault.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

    from gateway.handed import Message

PHOTO = phone_photo(b"canary", width=64, height=48)
NOTHING = "There is nothing for you to read now."


def answer(rehearsal: Rehearsal, text: str, **more: object) -> None:
    case = rehearsal.only_case()
    rehearsal.reply(case, rehearsal.report(case).reply_key, text, **more)  # type: ignore[arg-type]


def without_token(page: TestResponse) -> str:
    """A page without the one thing in it that is random."""
    return re.sub(r'(name="(?:token|stay)" value=")[^"]+', r"\1", page.text)


@pytest.mark.claim("C-ALIKE")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_an_unknown_code_and_one_without_an_answer_get_the_same_page(
    rehearsal: Rehearsal, lang: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang)
    known = writer.open(code_of(writer.report()))
    unknown = writer.open(ReceiptCode.generate().grouped())
    assert known.status_code == unknown.status_code == 200
    assert len(known.data) == len(unknown.data) == PADDED_BYTES[0]
    assert len(token_of(known)) == len(token_of(unknown))
    assert without_token(known) == without_token(unknown)
    assert dict(known.headers) == dict(unknown.headers)
    # Positive control: an answer makes a difference.
    answer(rehearsal, "Thank you.")
    assert len(rehearsal.stored()) == 3
    case = rehearsal.only_case()
    assert rehearsal.envelopes(case, Kind.REPLY)


@pytest.mark.claim("C-ALIKE")
def test_an_unknown_code_and_one_without_an_answer_cost_the_same_work(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    work: list[str] = []
    for name in ("case_by_locator", "case", "envelopes_of", "touch_thread", "highest_roster"):
        original = getattr(Vault, name)

        def counted(
            *args: object, _name: str = name, _do: object = original, **more: object
        ) -> object:
            work.append(_name)
            return _do(*args, **more)  # type: ignore[operator]

        monkeypatch.setattr(Vault, name, counted)
    writer.open(code)
    known, work[:] = list(work), []
    writer.open(ReceiptCode.generate().digits)
    assert work == known
    assert "touch_thread" in known


@pytest.mark.claim("C-ALIKE")
def test_a_message_to_either_gets_the_same_answer(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    codes = (code_of(writer.report()), ReceiptCode.generate().digits)
    pages = [writer.say(writer.open(code), "Something more.") for code in codes]
    assert without_token(pages[0]) == without_token(pages[1])
    assert dict(pages[0].headers) == dict(pages[1].headers)
    assert "Your message has arrived." in pages[0].text


@pytest.mark.claim("C-ALIKE")
def test_answers_come_at_a_floor_and_then_in_steps(tmp_path: Path) -> None:
    clock = TestClock()
    made = make_rehearsal(tmp_path, clock=clock)
    made = replace(made, config=replace(made.config, times=SiteTimes()))
    writer = Writer(made.site_client())
    page = writer.open(ReceiptCode.generate().digits)
    writer.say(page, "one")
    assert clock.slept == [pytest.approx(0.3), pytest.approx(0.3)]
    original = Intake.keys_of

    def slow(self: Intake, code: ReceiptCode, late: float | None) -> object:
        clock.ticks += 0.41
        return original(self, code, late)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Intake, "keys_of", slow)
        writer.open(ReceiptCode.generate().digits)
    assert clock.slept[-1] == pytest.approx(0.09)
    made.vault.close()


def test_an_answer_is_read_with_its_day_and_the_day_of_the_last_visit(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client(), "ar")
    code = code_of(writer.report())
    text = "Please <b>send</b> the number.\nشكرا"
    answer(rehearsal, text)
    page = writer.open(code)
    said = re.sub(r"</?bdi[^>]*>", "", page.text)
    assert "Please &lt;b&gt;send&lt;/b&gt; the number.\nشكرا" in said
    assert 'dir="auto">Please' in page.text
    today = rehearsal.clock.today()
    words = load_words(HERE / "translations")["ar"].day(date_of(today).isoformat())
    assert page.text.count(f"<bdi>{words}</bdi>") == 2
    assert len(page.data) == PADDED_BYTES[0]
    assert "\u0627\u0633\u062a\u064f\u0639\u0645\u0644" in page.text  # the sentence of the last use


@pytest.mark.parametrize(("count", "padded"), [(1, 128), (3, 512), (6, 1024)])
def test_long_answers_are_padded_to_one_of_few_sizes(
    rehearsal: Rehearsal, count: int, padded: int
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    for _ in range(count):
        answer(rehearsal, "a" * 100_000)
    assert len(writer.open(code).data) == padded * 1024


@pytest.mark.claim("C-FORGED")
def test_an_answer_that_no_operator_of_the_roster_signed_is_not_shown(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "Come to this address.", signer=SigningPrivateKey.generate())
    page = writer.open(code)
    assert "Come to this address." not in page.text
    assert "could not be verified" in page.text


@pytest.mark.claim("C-FORGED")
def test_an_answer_moved_from_another_case_is_not_shown(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    mine = rehearsal.only_case()
    writer.report()
    (other,) = {one.case for one in rehearsal.stored()} - {mine}
    key = rehearsal.report(other).reply_key
    rehearsal.reply(mine, key, "Meant for somebody else.")
    page = writer.open(code)
    assert "Meant for somebody else." not in page.text
    assert "could not be verified" in page.text


@pytest.mark.claim("C-FORGED")
def test_an_answer_sealed_again_into_another_case_is_not_shown(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    mine = rehearsal.only_case()
    writer.report()
    (other,) = {one.case for one in rehearsal.stored()} - {mine}
    true = rehearsal.reply(other, rehearsal.report(other).reply_key, "Meant for somebody else.")
    # Somebody who may read that answer puts it, signature and all, into an envelope of my case.
    sealer = EnvelopeSealer(
        kind=Kind.REPLY,
        deployment=rehearsal.roster.deployment,
        case=mine,
        roster_hash=rehearsal.roster.hash,
        day=rehearsal.clock.today(),
    )
    readers = OperatorsAndReceipt(
        rehearsal.roster.evidence_keys(), rehearsal.report(mine).reply_key
    )
    forged = sealer.seal(rehearsal.manifest(true), readers)
    rehearsal.vault.append(StoredEnvelope(forged.header, forged.wraps, forged.manifest))
    page = writer.open(code)
    assert "Meant for somebody else." not in page.text
    assert "could not be verified" in page.text


@pytest.mark.claim("C-ALIKE")
@pytest.mark.parametrize(
    "body",
    [
        b'{"v":1,"text":"Odd.","author_day":9007199254740991}',
        b'{"v":1,"text":"Odd.","author_day":-9007199254740991}',
        b'{"v":1,"text":"Odd.","author_day":2932897}',  # the day after 9999-12-31
        b'{"v":1,"text":"Odd.","author_day":"Tuesday"}',
        b'{"v":1,"text":"Odd.\\ud800","author_day":20000}',
        b'{"v":1,"text":["Odd."],"author_day":20000}',
        b"[" * 5000,
        b"Odd.",
        b"",
    ],
)
def test_an_answer_that_is_signed_and_makes_no_sense_is_unproven_and_the_others_are_shown(
    rehearsal: Rehearsal, body: bytes
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "This one can be read.")
    send_raw(rehearsal, body)
    page = writer.open(code)
    assert page.status_code == 200
    assert len(page.data) == PADDED_BYTES[0]
    assert "This one can be read." in page.text
    assert "could not be verified" in page.text
    assert "Odd." not in page.text
    assert writer.say(page, "One more.").status_code == 200


def test_an_answer_of_the_first_and_of_the_last_day_that_a_body_may_name_is_shown(
    rehearsal: Rehearsal,
) -> None:
    code = code_of(Writer(rehearsal.site_client()).report())
    for day in (1, DAY_END - 1):
        send_raw(rehearsal, b'{"v":1,"text":"Shown.","author_day":%d}' % day)
    for lang in ("ar", "zgh", "fr", "en"):
        page = Writer(rehearsal.site_client(), lang).open(code)
        assert page.status_code == 200
        assert "Shown." in page.text


@pytest.mark.claim("C-ALIKE")
def test_an_answer_that_breaks_its_reader_is_unproven_and_no_error(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: bytes) -> ReplyBody:
        raise KeyError("something nobody thought of")

    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "Never mind.")
    monkeypatch.setattr(ReplyBody, "from_json", broken)
    page = writer.open(code)
    assert page.status_code == 200
    assert "could not be verified" in page.text


def send_raw(rehearsal: Rehearsal, body: bytes) -> None:
    """Put an operator's answer into the one case: truly signed, with whatever body."""
    case = rehearsal.only_case()
    sealer = EnvelopeSealer(
        kind=Kind.REPLY,
        deployment=rehearsal.roster.deployment,
        case=case,
        roster_hash=rehearsal.roster.hash,
        day=rehearsal.clock.today(),
    )
    readers = OperatorsAndReceipt(
        rehearsal.roster.evidence_keys(), rehearsal.report(case).reply_key
    )
    signed = SignedManifest.sign(
        Kind.REPLY,
        rehearsal.operators[0].sign,
        deployment=rehearsal.roster.deployment,
        case=case,
        envelope=sealer.id,
        recipients=readers.kids,
        parents=(),
        body=body,
    )
    sealed = sealer.seal(signed.to_json(), readers)
    rehearsal.vault.append(StoredEnvelope(sealed.header, sealed.wraps, sealed.manifest))


def test_answers_stand_in_the_order_in_which_they_were_written() -> None:
    def reply(name: int, day: int, *parents: int) -> ShownReply:
        return ShownReply(
            str(name),
            "",
            HeaderHash(bytes([name]) * 32),
            tuple(HeaderHash(bytes([one]) * 32) for one in parents),
            Day(day),
        )

    given = (reply(1, 5, 9), reply(9, 5), reply(3, 5, 1, 77), reply(7, 4), reply(2, 6))
    assert [one.day for one in in_order(given)] == ["7", "9", "1", "3", "2"]
    circle = (reply(1, 5, 2), reply(2, 5, 1))
    assert {one.day for one in in_order(circle)} == {"1", "2"}


def test_a_message_with_a_file_joins_the_case_signed_andin_order(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), "fr")
    code = code_of(writer.report())
    case = rehearsal.only_case()
    talk = writer.say(writer.open(code), "", files=(("a", PHOTO),), action="add")
    assert talk.status_code == 200
    assert kept_files(talk) == ["photo-1.jpg"]
    sent = writer.say(talk, "Voici la photo.")
    assert "Votre message est arrivé" in sent.text
    assert "Voici la photo." not in sent.text
    writer.say(sent, "Encore un mot.")
    assert {one.text for one in rehearsal.follow_ups(case)} == {"Voici la photo.", "Encore un mot."}
    report = rehearsal.report(case)
    for one in rehearsal.follow_ups(case):
        assert one.follow_up_key == report.follow_up_key
        assert one.reply_key == report.reply_key
        assert one.language == "fr"
    assert len(rehearsal.evidence(case)) == 1
    assert len(rehearsal.envelopes(case, Kind.IDENTITY)) == 3
    assert chain(rehearsal) == ["Voici la photo.", "Encore un mot."]


def chain(rehearsal: Rehearsal) -> list[str]:
    """The messages of the one case, followed from the report by their parents."""
    case = rehearsal.only_case()
    (report,) = rehearsal.envelopes(case, Kind.REPORT)
    by_parent = {}
    for envelope in rehearsal.envelopes(case, Kind.FOLLOW_UP):
        signed = SignedManifest.from_json(rehearsal.manifest(envelope))
        (parent,) = signed.parents
        by_parent[parent] = (envelope.header.hash, FollowUpBody.from_json(signed.body.encode()))
    found, at = [], report.header.hash
    while at in by_parent:
        at, body = by_parent[at]
        found.append(body.text)
    return found


def test_the_same_message_posted_twice_is_stored_once(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    talk = writer.open(code_of(writer.report()))
    for _ in range(2):
        assert "Your message has arrived." in writer.say(talk, "Once.").text
    assert len(rehearsal.follow_ups(rehearsal.only_case())) == 1


def test_a_first_message_to_an_unused_code_opens_a_case(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = ReceiptCode.generate().digits
    talk = writer.open(code)
    for _ in range(2):
        writer.say(talk, "My report seems lost.", files=(("a", PHOTO),))
    case = rehearsal.only_case()
    assert [one.text for one in rehearsal.follow_ups(case)] == ["My report seems lost."]
    assert len(rehearsal.evidence(case)) == 1
    rehearsal.reply(case, rehearsal.follow_ups(case)[0].reply_key, "We read it.")
    assert "We read it." in writer.open(code).text


@pytest.mark.claim("C-ALIKE")
@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("known", [True, False])
def test_two_pages_with_the_same_code_keep_all_messages_and_files_known_or_not(
    rehearsal: Rehearsal, *, known: bool
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report()) if known else ReceiptCode.generate().digits
    first, second = writer.open(code), writer.open(code)
    first = writer.say(first, "", files=(("a", PHOTO),), action="add")
    assert "Your message has arrived." in writer.say(second, "From the second page.").text
    sent = writer.say(first, "From the first page.")
    assert sent.status_code == 200
    assert "Your message has arrived." in sent.text
    case = rehearsal.only_case()
    texts = {"From the first page.", "From the second page."}
    assert {one.text for one in rehearsal.follow_ups(case)} == texts
    assert len(rehearsal.evidence(case)) == 1


@pytest.mark.claim("C-ALIKE")
def test_whether_a_code_is_known_does_not_show_when_two_pages_of_it_send_in_turn(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    answers = []
    for code in (code_of(writer.report()), ReceiptCode.generate().digits):
        first, second = writer.open(code), writer.open(code)
        first = writer.say(first, "", files=(("a", PHOTO),), action="add")
        pages = [writer.say(second, "one", files=(("b", PHOTO),)), writer.say(first, "two")]
        pages += [writer.say(second, "one"), writer.say(first, "two"), writer.open(code)]
        answers.append([(page.status_code, len(page.data), without_token(page)) for page in pages])
    assert answers[0] == answers[1]


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("form", ["grouped", "digits", "dashes", "arabic", "bidi"])
def test_a_code_is_read_however_it_is_typed(rehearsal: Rehearsal, form: str) -> None:
    writer = Writer(rehearsal.site_client(), "ar")
    code = code_of(writer.report())
    answer(rehearsal, "جوابنا هنا")
    typed = {
        "grouped": code,
        "digits": code.replace(" ", ""),
        "dashes": code.replace(" ", "-"),
        "arabic": code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        "bidi": f"\u2067{code}\u2069",
    }[form]
    page = writer.open(typed)
    assert page.status_code == 200
    assert "جوابنا هنا" in page.text
    assert code not in page.text


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
@pytest.mark.parametrize("wrong", ["check", "length", "character", "version"])
def test_a_code_that_cannot_be_right_gets_its_own_sentence_and_stays_in_its_field(
    rehearsal: Rehearsal, lang: str, wrong: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang)
    code = ReceiptCode.generate().grouped()
    payload = "2" + ReceiptCode.generate().digits[1:26]
    typed = {
        # Typed in one go; it comes back in groups, as on the paper.
        "check": code[:-1].replace(" ", "") + str((int(code[-1]) + 1) % 10),
        "length": code[:-1],
        "character": code[:-1] + '"<',
        "version": payload + f"{98 - int(payload) * 100 % 97:02d}",
    }[wrong]
    page = writer.open(typed)
    assert page.status_code == 422
    (sentence,) = errors_of(page)
    other = writer.open("1" if wrong != "length" else "abc")
    assert errors_of(other) != [sentence]
    value = re.search(r'<input id="i-code" name="code" value="([^"]*)"', page.text)
    assert value
    if wrong == "check":
        typed = code[:-1] + typed[-1]
    assert value[1] == typed.replace('"', "&#34;").replace("<", "&lt;")
    assert page.text.count(typed[:20]) == 1


@pytest.mark.parametrize(
    ("typed", "sentence", "back"),
    [
        ("", "Please write your code.", ""),
        (" \u200f ", "Please write your code.", ""),
        ("12345", "A code has 28 digits. Here are 5: missing are 23.", "1234 5"),
        ("١٢٣٤-٥", "A code has 28 digits. Here are 5: missing are 23.", "1234 5"),
        ("1" * 30, "A code has 28 digits. Here are 30: 2 too many.", "1111 " * 7 + "11"),
        ("12x4", "A code has only digits. Something else stands in the field.", "12x4"),
        (" 1" * 200, "A code has only digits. Something else stands in the field.", " 1" * 128),
    ],
)
def test_what_is_wrong_with_a_code_is_said_in_numbers(
    rehearsal: Rehearsal, typed: str, sentence: str, back: str
) -> None:
    page = Writer(rehearsal.site_client()).open(typed)
    assert page.status_code == 422
    assert errors_of(page) == [sentence]
    assert f'name="code" value="{back}"' in page.text
    assert f"<b>Your code</b> – {sentence}" in re.sub("</?bdi[^>]*>", "", page.text)


def test_numbers_in_an_answer_keep_their_order(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), "ar")
    code = code_of(writer.report())
    answer(rehearsal, "اتصل بنا على +212 6 12 34 56 78 <غدا>")
    page = writer.open(code)
    assert 'على <bdi dir="ltr">+212 6 12 34 56 78</bdi> &lt;غدا&gt;' in page.text


@pytest.mark.claim("C-TYPED")
def test_an_empty_or_too_long_message_comes_back_with_the_text(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    talk = writer.open(code_of(writer.report()))
    page = writer.say(talk, "  ")
    assert page.status_code == 422
    assert errors_of(page) == ["Write a message or add a file."]
    long = "ل" * 10_001
    page = writer.say(talk, long, files=(("a", PHOTO),))
    assert page.status_code == 422
    assert long in page.text
    assert kept_files(page) == ["photo-1.jpg"]
    page = writer.say(page, "short", files=(("b.jpg", b"PK\3\4 no picture"),))
    assert page.status_code == 422
    assert "short" in page.text
    data = {
        "token": token_of(page),
        "text": "short",
        "action": "send",
        "other": (io.BytesIO(b"x"), "n"),
    }
    odd = writer.client.post("/en/message", data=data, content_type="multipart/form-data")
    assert odd.status_code == 422
    assert writer.say(page, "short").status_code == 200
    assert len(rehearsal.evidence(rehearsal.only_case())) == 1


@pytest.mark.claim("C-TYPED")
def test_a_page_that_was_open_for_a_day_asks_for_the_code_and_keeps_the_text(
    rehearsal: Rehearsal,
) -> None:
    assert isinstance(rehearsal.clock, TestClock)
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    talk = writer.say(writer.open(code), "", files=(("a", PHOTO),), action="add")
    rehearsal.clock.seconds += rehearsal.config.times.form_seconds
    page = writer.say(talk, "What I wanted to add.")
    assert page.status_code == 422
    assert "What I wanted to add." in page.text
    assert 'name="code"' in page.text
    data = {"code": code, "text": "What I wanted to add."}
    again = writer.client.post("/en/thread", data=data)
    assert "What I wanted to add." in again.text
    strange = writer.client.post("/en/message", data={"token": "AAAA", "text": "kept"})
    assert strange.status_code == 422
    assert "kept" in strange.text


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("error", [Busy(), NoValidRoster("expired")])
def test_what_goes_wrong_while_a_message_is_sealed_loses_no_text(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    writer = Writer(rehearsal.site_client())
    talk = writer.open(code_of(writer.report()))
    with monkeypatch.context() as broken:
        broken.setattr(Intake, "seal_follow_up", fail)
        page = writer.say(talk, "Do not lose me.", files=(("a", PHOTO),))
    assert page.status_code == 503
    assert "Do not lose me." in page.text
    if not isinstance(error, Busy):
        assert kept_files(page) == ["photo-1.jpg"]
    assert len(page.data) == PADDED_BYTES[0]
    assert writer.say(page, "Do not lose me.").status_code == 200
    with monkeypatch.context() as broken:
        broken.setattr(Intake, "keys_of", fail)
        page = writer.open(ReceiptCode.generate().digits)
    assert page.status_code == 503


def test_files_that_expired_before_the_message_are_asked_for_again(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(intake: Intake, message: Message, _: object) -> None:
        intake.drop(message.files)
        raise FilesGone

    writer = Writer(rehearsal.site_client())
    talk = writer.open(code_of(writer.report()))
    monkeypatch.setattr(Intake, "seal_follow_up", gone)
    page = writer.say(talk, "text", files=(("a", PHOTO),))
    assert page.status_code == 422
    assert kept_files(page) == []
    assert "text" in page.text


def test_two_visits_at_once_do_not_disturb_each_other(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(*_: object, **__: object) -> None:
        raise ThreadMoved

    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    monkeypatch.setattr(Vault, "touch_thread", moved)
    assert writer.open(code).status_code == 200


def test_the_reporter_s_own_words_are_never_shown_back(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report(description="A sentence only I know."))
    writer.say(writer.open(code), "And another one.")
    answer(rehearsal, "Thank you.")
    page = writer.open(code)
    assert "Thank you." in page.text
    assert "only I know" not in page.text
    assert "another one" not in page.text


def test_a_busy_gateway_says_so(rehearsal: Rehearsal) -> None:
    intake = rehearsal.intake(wait_seconds=0.01)
    with intake.gate.through(None, 0), pytest.raises(Busy):
        intake.keys_of(ReceiptCode.generate())
    assert intake.keys_of(ReceiptCode.generate()).locator
