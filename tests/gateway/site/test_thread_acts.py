"""What the holder of a code can do: read a status, delete answers, withdraw, give a name later."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crypto.errors import NotARecipient
from crypto.header import Kind
from crypto.ids import Day, WordId, date_of, new_case_id, new_envelope_id
from crypto.manifest import STATUSES, ReplyBody
from crypto.operator_opening import open_data_key
from crypto.receipt import ReceiptCode
from crypto.signed import SignedManifest
from crypto.signing import SigningPrivateKey
from crypto.wrap import has_receipt_wrap
from gateway.errors import NoValidRoster
from gateway.handed import Identity, Message, Report
from gateway.intake import FilesGone, Intake
from gateway.looking import look_at
from gateway.site.forms import load_forms
from gateway.site.identity import MODE, identity_form
from gateway.site.padding import PADDED_BYTES
from gateway.site.visits import STATUS_WORDS
from gateway.watermark import Watermark
from sanitizer.clean import sanitize
from sanitizer.limits import Limits
from sanitizer.source import MemorySource
from tests.gateway.site.test_thread_pages import answer, without_token
from tests.support.media import phone_photo
from tests.support.site import Writer, code_of, kept_files, post_files, token_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.rehearsal import Rehearsal
    from vault.outside import StoredEnvelope

PHOTO = phone_photo(b"canary", width=64, height=48)
NOTHING = "There is nothing for you to read now."
CHILD = {"victim_minor": "yes"}
NAME: dict[str, Any] = {
    "identity_mode": "full_identity",
    "identity-name": "Fatima Zahra",
    "identity-phone": "0612345678",
}


def act(
    writer: Writer,
    page: TestResponse,
    action: str,
    *,
    files: tuple[tuple[str, bytes], ...] = (),
    **more: Any,
) -> TestResponse:
    """Press one of the buttons of a conversation's page."""
    data = {"token": token_of(page), "text": "", "action": action, **more}
    return post_files(writer.client, f"/{writer.lang}/message", data, files)


def read_of(page: TestResponse) -> list[str]:
    return re.findall(r'name="read" value="([0-9a-f]{32})"', page.text)


def shown(page: TestResponse) -> str:
    """A page's words alone."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.text))


def blobs(rehearsal: Rehearsal) -> int:
    return sum(1 for one in rehearsal.config.blobs.rglob("*") if one.is_file())


def state(rehearsal: Rehearsal, code: str) -> Any:
    """What the thread of a code remembers, as its holder could open it."""
    intake = rehearsal.intake()
    return intake.state_of(intake.keys_of(ReceiptCode.parse(code)))


# --- statuses


def test_every_status_has_its_words_and_there_is_no_other() -> None:
    assert tuple(STATUS_WORDS) == STATUSES


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_a_status_stands_at_the_head_with_its_day(
    rehearsal: Rehearsal, lang: str, status: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang)
    code = code_of(writer.report())
    answer(rehearsal, "", status=status)
    page = writer.open(code)
    head = page.text.index('class="status"')
    assert head < page.text.index('name="token"')
    assert str(date_of(rehearsal.clock.today()).year) in page.text[head:]
    assert "<article" not in page.text  # no empty card for a status without words
    assert len(page.data) == PADDED_BYTES[0]


def test_a_status_is_said_in_words_and_a_question_looks_like_one(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "Thank you.")
    assert 'class="status"' not in writer.open(code).text
    answer(rehearsal, "Which bank was it?", status="question")
    page = writer.open(code)
    assert "We have a question" in page.text
    cards = re.compile(r'<article class="card( question|)">(.*?)</article>', re.DOTALL)
    said = dict(cards.findall(page.text))
    assert "Question of" in said[" question"]
    assert "Which bank was it?" in said[" question"]
    assert "Answer of" in said[""]
    assert page.text.index("We have a question") < page.text.index("<article")


def test_the_newest_status_is_of_the_highest_day_and_then_the_last_in_order(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    case, today = rehearsal.only_case(), rehearsal.clock.today()
    key = rehearsal.report(case).reply_key

    def said(status: str | None, day: int, *parents: StoredEnvelope) -> StoredEnvelope:
        named = tuple(one.header.hash for one in parents)
        return rehearsal.reply(case, key, "x", status=status, day=Day(today + day), parents=named)

    first = said("received", 0)
    second = said("examined", 0, first)
    assert "Being examined" in writer.open(code).text
    said(None, 0, second)
    said("question", -1, second)  # comes later in the order, and is of an earlier day
    page = writer.open(code)
    assert "Being examined" in page.text
    assert "We have a question" not in page.text
    said("closed", 0, second)
    assert "<strong>Closed</strong>" in writer.open(code).text


@pytest.mark.claim("C-CUT")
def test_an_answer_that_was_sealed_anew_and_came_twice_is_shown_once(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    case, today = rehearsal.only_case(), rehearsal.clock.today()
    key = rehearsal.report(case).reply_key
    word = WordId(b"W" * 16)
    others = rehearsal.operators[1].sign

    def said(text: str, day: int, *parents: StoredEnvelope, **more: Any) -> StoredEnvelope:
        named = tuple(one.header.hash for one in parents)
        how = {"day": Day(today + day), "parents": named, "word": word, **more}
        return rehearsal.reply(case, key, text, **how)

    said("Come on Monday.", 0, status="examined")
    closed = said("Thank you.", -1, word=None, status="closed")
    before = writer.open(code)
    assert "Being examined" in before.text
    # Kept back when it was sent, and shown now: it changes neither what is read nor the status.
    first = said("Come on Monday.", -2, status="examined")
    page = writer.open(code)
    assert page.text.count("Come on Monday.") == 1
    assert "Being examined" in page.text
    # Whoever names the first names the answer, and so comes after it.
    said("Then nothing more.", 0, first, closed, word=None, status="closed")
    assert "<strong>Closed</strong>" in writer.open(code).text
    # All of it is deleted that was read.
    gone = act(writer, page, "forget", read=read_of(page))
    assert "Come on Monday." not in gone.text
    assert len(read_of(page)) == 3
    # Another's words, other words, and the words of before are shown as they are.
    said("Another's.", 0, signer=others)
    said("Another's.", 0)
    said("Before.", 0, word=None)
    said("Before.", 0, word=None)
    text = writer.open(code).text
    assert [text.count(one) for one in ("Another's.", "Another&#39;s.", "Before.")] in (
        [2, 0, 2], [0, 2, 2],
    )  # fmt: skip


def test_a_status_of_a_body_that_says_another_one_is_not_shown(rehearsal: Rehearsal) -> None:
    code = code_of(Writer(rehearsal.site_client()).report())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crypto.manifest.STATUSES", (*STATUSES, "convicted"))
        answer(rehearsal, "Odd.", status="convicted")
    page = Writer(rehearsal.site_client()).open(code)
    assert "could not be verified" in page.text
    assert "Odd." not in page.text


# --- deleting what was read


@pytest.mark.claim("C-UNREAD")
def test_what_was_read_and_deleted_opens_for_the_desk_and_never_again_for_the_code(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "Read me once.", status="examined")
    page = writer.open(code)
    assert "Read me once." in page.text
    gone = act(writer, page, "forget", read=read_of(page), text="A draft that I keep.")
    assert gone.status_code == 200
    assert "Your copies of the answers are deleted." in gone.text
    assert "A draft that I keep." in gone.text
    again = writer.open(code)
    for one in (gone, again):
        assert "Read me once." not in one.text
        assert "Being examined" not in one.text
        assert NOTHING in one.text
    unknown = writer.open(ReceiptCode.generate().digits)
    assert without_token(again) == without_token(unknown)
    # The operators' copy is whole, and is served to desks that have not seen it.
    (left,) = rehearsal.envelopes(rehearsal.only_case(), Kind.REPLY)
    assert not has_receipt_wrap(left.header, left.wraps)
    for number in range(2):
        signed = SignedManifest.from_json(rehearsal.manifest(left, number))
        assert ReplyBody.from_json(signed.body.encode()).text == "Read me once."
    assert left in rehearsal.stored()


@pytest.mark.claim("C-UNREAD")
def test_an_answer_that_came_after_the_page_was_shown_is_not_deleted_with_it(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "The first.")
    page = writer.open(code)
    answer(rehearsal, "The second.")
    gone = act(writer, page, "forget", read=read_of(page))
    assert "The first." not in gone.text
    assert "The second." in gone.text


@pytest.mark.claim("C-UNREAD")
def test_nobody_deletes_an_answer_of_another_case_or_anything_but_an_answer(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    theirs = code_of(writer.report())
    answer(rehearsal, "Theirs.")
    before = rehearsal.stored()
    mine = writer.open(code_of(writer.report()))
    tried = [*(one.id.hex() for one in before), "zz", "", "00" * 16, "ab" * 400]
    assert act(writer, mine, "forget", read=tried).status_code == 200
    assert set(before) <= set(rehearsal.stored())
    assert "Theirs." in writer.open(theirs).text


def test_an_answer_that_could_not_be_verified_goes_too(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    case = rehearsal.only_case()
    made = rehearsal.reply(case, rehearsal.report(case).reply_key, "Fine.")
    # What is no row of wraps at all was not deleted by anybody: it is counted, and shown as none.
    odd = rehearsal.reply(case, rehearsal.report(case).reply_key, "Odd.")
    with rehearsal.vault._database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE envelopes SET wraps = substr(wraps, 2) WHERE envelope_id = ?", (odd.id,)
        )
    page = writer.open(code)
    assert "could not be verified" in page.text
    assert read_of(page) == sorted([made.id.hex(), odd.id.hex()])
    forged = rehearsal.reply(
        case, rehearsal.report(case).reply_key, "No.", signer=SigningPrivateKey.generate()
    )
    page = writer.open(code)
    assert forged.id.hex() in read_of(page)
    gone = act(writer, page, "forget", read=read_of(page))
    assert gone.status_code == 200
    assert read_of(gone) == [odd.id.hex()]


def test_a_page_without_an_answer_offers_nothing_to_delete(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    assert "Delete what I have read" not in writer.open(code).text
    answer(rehearsal, "Now.")
    assert "Delete what I have read" in writer.open(code).text


# --- withdrawing


@pytest.mark.claim("C-WITHDRAWN")
def test_a_withdrawal_reaches_the_operators_and_the_code_shows_nothing_from_then_on(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "An answer.", status="examined")
    page = act(writer, writer.open(code), "add", files=(("a", PHOTO),))
    assert kept_files(page) == ["photo-1.jpg"]
    done = act(writer, page, "withdraw", sure="yes", text="I am afraid of him.")
    assert done.status_code == 200
    assert "Your request to erase has arrived." in done.text
    assert "An answer." not in done.text
    assert kept_files(done) == []
    assert blobs(rehearsal) == 0
    (body,) = rehearsal.follow_ups(rehearsal.only_case())
    assert (body.type, body.text, body.evidence) == ("withdrawal", "I am afraid of him.", ())
    unknown = writer.open(ReceiptCode.generate().digits)
    assert without_token(writer.open(code)) == without_token(unknown)
    # Nor does an answer that comes later, and nothing of the earlier ones can be opened.
    (left,) = rehearsal.envelopes(rehearsal.only_case(), Kind.REPLY)
    assert not has_receipt_wrap(left.header, left.wraps)
    answer(rehearsal, "We have erased it.")
    assert without_token(writer.open(code)) == without_token(unknown)
    # Whoever still writes is still heard, and it stays withdrawn.
    assert "Your message has arrived." in writer.say(writer.open(code), "One more thing.").text
    assert without_token(writer.open(code)) == without_token(unknown)
    texts = {one.text for one in rehearsal.follow_ups(rehearsal.only_case())}
    assert texts == {"I am afraid of him.", "One more thing."}


@pytest.mark.claim("C-WITHDRAWN")
@pytest.mark.parametrize("sure", [None, "", "on", "no"])
def test_nobody_withdraws_without_ticking_the_box(rehearsal: Rehearsal, sure: str | None) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "An answer.")
    page = act(writer, writer.open(code), "add", files=(("a", PHOTO),))
    more: dict[str, Any] = {} if sure is None else {"sure": sure}
    unsure = act(writer, page, "withdraw", text="Wait.", **more)
    assert unsure.status_code == 422
    assert "Nothing was withdrawn." in unsure.text
    assert re.search(r'<details id="f-sure" open>', unsure.text)
    assert "Wait.</textarea>" in unsure.text
    assert kept_files(unsure) == ["photo-1.jpg"]
    assert rehearsal.follow_ups(rehearsal.only_case()) == []
    assert "An answer." in writer.open(code).text
    # The box says nothing by itself: a message that is sent with it is a message.
    act(writer, unsure, "send", text="No, wait.", sure="yes")
    assert [one.type for one in rehearsal.follow_ups(rehearsal.only_case())] == ["message"]


def test_too_long_a_text_withdraws_nothing(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.open(code_of(writer.report()))
    long = act(writer, page, "withdraw", sure="yes", text="x" * 10_001)
    assert long.status_code == 422
    assert rehearsal.follow_ups(rehearsal.only_case()) == []


def test_withdrawing_twice_on_one_page_asks_once_and_a_message_from_it_is_not_lost(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.open(code_of(writer.report()))
    for _ in range(2):
        assert act(writer, page, "withdraw", sure="yes").status_code == 200
    # Back, and then Send: what the same page sends besides is a thing of its own.
    assert "Your message has arrived." in writer.say(page, "Forgive me.").text
    assert "Your message has arrived." in writer.say(page, "Forgive me, please.").text
    found = {(one.type, one.text) for one in rehearsal.follow_ups(rehearsal.only_case())}
    assert found == {
        ("withdrawal", ""),
        ("message", "Forgive me."),
        ("message", "Forgive me, please."),
    }
    assert len(rehearsal.follow_ups(rehearsal.only_case())) == 3


@pytest.mark.claim("C-WITHDRAWN")
def test_a_withdrawal_that_cannot_be_stored_takes_nothing_away(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    answer(rehearsal, "An answer.")
    page = writer.open(code)
    with monkeypatch.context() as full:
        full.setattr(Watermark, "has_room_for_text", lambda _: False)
        closed = act(writer, page, "withdraw", sure="yes", text="Words.")
    assert closed.status_code == 503
    assert "Words.</textarea>" in closed.text
    assert rehearsal.follow_ups(rehearsal.only_case()) == []
    assert "An answer." in writer.open(code).text


# --- where no file may be


@pytest.mark.claim("C-CHILD")
@pytest.mark.parametrize("action", ["send", "add", "forget", "name"])
def test_a_conversation_about_a_child_destroys_every_file_and_keeps_the_text(
    rehearsal: Rehearsal, action: str
) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    code = code_of(writer.report(**CHILD))
    assert state(rehearsal, code).no_files
    text = "I send you his account."
    page = act(writer, writer.open(code), action, files=(("a", PHOTO),), text=text)
    case = rehearsal.only_case()
    assert blobs(rehearsal) == 0
    assert rehearsal.evidence(case) == []
    assert kept_files(page) == []
    if action == "send":
        assert "Your message has arrived." in page.text
        assert [one.text for one in rehearsal.follow_ups(case)] == [text]
    else:
        assert text in page.text
    if action != "name":
        assert "The files that you added were destroyed" in page.text
    alone = act(writer, writer.open(code), "send", files=(("a", PHOTO),))
    assert alone.status_code == 422
    assert "The files that you added were destroyed" in alone.text
    assert "Write a message or add a file" not in alone.text
    # The conversation goes on, and remembers.
    assert "Your message has arrived." in writer.say(writer.open(code), "More words.").text
    assert state(rehearsal, code).no_files


@pytest.mark.claim("C-CHILD")
def test_a_report_about_a_grown_up_takes_files_as_before(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    code = code_of(writer.report())
    assert not state(rehearsal, code).no_files
    writer.say(writer.open(code), "", files=(("a", PHOTO),))
    assert len(rehearsal.evidence(rehearsal.only_case())) == 1


@pytest.mark.claim("C-CHILD")
def test_files_staged_before_are_destroyed_and_none_is_sealed_past_the_page(
    rehearsal: Rehearsal,
) -> None:
    intake = rehearsal.intake()
    writer = Writer(rehearsal.site_client())
    other = writer.say(
        writer.open(code_of(writer.report())), "", files=(("a", PHOTO),), action="add"
    )
    assert kept_files(other) == ["photo-1.jpg"]
    code = ReceiptCode.generate()
    report = Report(
        case=new_case_id(),
        code=code,
        form_version=1,
        language="ar",
        category="csam",
        fields={},
        identity=Identity(),
        files=(),
        no_files=True,
    )
    intake.seal_report(report)
    before = blobs(rehearsal)
    staged = intake.seal_clean(sanitize(MemorySource(PHOTO), Limits()), report.case, 1)
    assert blobs(rehearsal) == before + 1
    message = Message(
        case=report.case, id=new_envelope_id(), text="x", language="ar", files=(staged,)
    )
    with pytest.raises(FilesGone):
        intake.seal_follow_up(message, intake.keys_of(code))
    assert blobs(rehearsal) == before
    assert rehearsal.follow_ups(report.case) == []
    intake.seal_follow_up(replace(message, files=()), intake.keys_of(code))
    assert len(rehearsal.follow_ups(report.case)) == 1


@pytest.mark.claim("C-ALIKE")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_the_page_of_a_report_about_a_child_is_the_page_of_any_code(
    rehearsal: Rehearsal, lang: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang, "sextortion")
    child = writer.open(code_of(writer.report(**CHILD)))
    unknown = writer.open(ReceiptCode.generate().digits)
    assert without_token(child) == without_token(unknown)
    assert "18" in shown(unknown)  # said to everybody, before a file is chosen


# --- a name, later


@pytest.mark.claim("C-IDENTITY")
@pytest.mark.parametrize("mode", ["full_identity", "contact_only"])
def test_a_name_given_later_is_sealed_to_the_custodians_alone(
    rehearsal: Rehearsal, mode: str
) -> None:
    writer = Writer(rehearsal.site_client())
    code = code_of(writer.report())
    page = act(writer, writer.open(code), "add", files=(("a", PHOTO),), text="A draft.")
    asked = act(writer, page, "name", text="A draft.\nOf two lines.")
    assert asked.status_code == 200
    assert len(asked.data) == PADDED_BYTES[0]
    assert 'value="anonymous"' not in asked.text
    assert "A draft.\nOf two lines." in asked.text
    given: dict[str, Any] = {"identity_mode": mode, "identity-phone": "0612345678"}
    if mode == "full_identity":
        given = NAME
    done = writer.client.post(
        "/en/message",
        data={"token": token_of(asked), "text": "A draft.", "action": "identity", **given},
    )
    assert done.status_code == 200
    assert "What you gave has arrived, sealed apart." in done.text
    assert "A draft.</textarea>" in done.text
    assert kept_files(done) == ["photo-1.jpg"]
    assert "Fatima" not in done.text
    case = rehearsal.only_case()
    (body,) = rehearsal.follow_ups(case)
    assert (body.type, body.identity_mode, body.text) == ("identity", mode, "")
    (envelope,) = (one for one in rehearsal.stored() if one.id == body.identity.id)
    assert envelope.header.hash == body.identity.header_hash
    opened = rehearsal.identity(envelope)
    assert opened.identity_mode == mode
    assert ("name" in opened.identity) is (mode == "full_identity")
    with pytest.raises(NotARecipient):
        open_data_key(rehearsal.operators[0].evidence, envelope.header, envelope.wraps)
    # From outside, this message and its identity are what every message and identity are.
    writer.say(done, "The draft, sent.")
    for kind in (Kind.FOLLOW_UP, Kind.IDENTITY):
        sizes = {(len(x.wraps), len(x.manifest)) for x in rehearsal.envelopes(case, kind)}
        assert len(sizes) == 1
    assert len(rehearsal.evidence(case)) == 1
    assert rehearsal.report(case).identity_mode == "anonymous"


@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"identity_mode": "anonymous"},
        {"identity_mode": "full_identity"},
        {"identity_mode": "contact_only"},
        {**NAME, "identity-email": "not an address"},
        {**NAME, "something": "else"},
    ],
)
def test_a_name_that_cannot_be_taken_comes_back_with_what_was_typed(
    rehearsal: Rehearsal, given: dict[str, Any]
) -> None:
    writer = Writer(rehearsal.site_client())
    asked = act(writer, writer.open(code_of(writer.report())), "name", text="A draft.")
    data = {"token": token_of(asked), "text": "A draft.", "action": "identity", **given}
    wrong = writer.client.post("/en/message", data=data)
    assert wrong.status_code == 422
    assert 'class="errors"' in wrong.text
    for value in ("A draft.", *(v for k, v in given.items() if k.startswith("identity-"))):
        assert str(value) in wrong.text
    assert rehearsal.follow_ups(rehearsal.only_case()) == []
    back = act(writer, wrong, "back", text="A draft.")
    assert back.status_code == 200
    assert "A draft.</textarea>" in back.text
    assert rehearsal.follow_ups(rehearsal.only_case()) == []


@pytest.mark.claim("C-TYPED")
def test_a_name_that_is_too_much_for_its_envelope_is_said_before_it_is_sealed(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.open(code_of(writer.report()))
    monkeypatch.setattr("crypto.manifest.IDENTITY_MOST", 60)
    assert act(writer, page, "identity", **NAME).status_code == 422


def test_several_names_may_be_given_and_the_same_page_gives_one_once(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.open(code_of(writer.report()))
    for _ in range(2):
        done = act(writer, page, "identity", **NAME)
    act(writer, done, "identity", **{**NAME, "identity-name": "Another Name"})
    writer.say(page, "And this is a message.")
    found = [one.type for one in rehearsal.follow_ups(rehearsal.only_case())]
    assert sorted(found) == ["identity", "identity", "message"]


def test_where_no_roster_is_in_force_a_name_waits(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise NoValidRoster("expired")

    writer = Writer(rehearsal.site_client())
    page = writer.open(code_of(writer.report()))
    monkeypatch.setattr(Intake, "seal_follow_up", fail)
    closed = act(writer, page, "identity", text="A draft.", **NAME)
    assert closed.status_code == 503
    assert "A draft." in closed.text


def test_a_conversation_without_those_questions_takes_messages_as_ever(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.site.thread_pages.identity_form", lambda _: None)
    writer = Writer(rehearsal.site_client())
    page = writer.open(code_of(writer.report()))
    assert "Give your name or a contact" not in page.text
    assert act(writer, page, "name").status_code == 422
    assert act(writer, page, "identity", text="Only words.", **NAME).status_code == 422
    assert act(writer, page, "send", text="Only words.").status_code == 200
    (body,) = rehearsal.follow_ups(rehearsal.only_case())
    assert (body.type, body.text) == ("message", "Only words.")


def test_an_institution_that_asks_nobody_who_they_are_offers_no_name() -> None:
    schema = load_forms(None).schema
    form = identity_form(schema)
    assert form is not None
    assert [one.id for one in form.fields()] == [MODE, "identity", "safe_contact"]
    first = schema.categories[0]
    sections = tuple(
        replace(one, fields=tuple(two for two in one.fields if two.id != MODE))
        for one in first.sections
    )
    bare = replace(schema, categories=(replace(first, sections=sections),))
    assert identity_form(bare) is None


# --- what a thread remembers


def test_a_visit_keeps_what_the_thread_remembers(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    code = code_of(writer.report(**CHILD))
    act(writer, writer.open(code), "withdraw", sure="yes")
    for _ in range(2):
        writer.open(code)
        found = state(rehearsal, code)
        assert (found.sequence, found.no_files, found.withdrawn) == (1, True, True)


def test_the_server_alone_learns_neither_flag(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    codes = [code_of(writer.report(**more)) for more in (CHILD, {})]
    act(writer, writer.open(codes[1]), "withdraw", sure="yes")
    with rehearsal.vault._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT thread_state FROM cases").scalars().all()
    assert {len(one) for one in rows} == {92}
    keys = rehearsal.intake().keys_of(ReceiptCode.generate())
    look = look_at(keys, None, rehearsal.clock.today())
    assert (look.before.no_files, look.before.withdrawn) == (False, False)
