"""Files in pieces: whatever happens on the way, what is sealed is what a form would have sealed."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.header import Kind
from crypto.pieces import CHUNK_BYTES, SEALED_CHUNK_BYTES
from crypto.receipt import ReceiptCode
from crypto.token import TokenKey, seal_token
from gateway.budgets import UPLOADS
from gateway.config import PieceLimits
from gateway.errors import Busy, NoValidRoster
from gateway.intake import Intake
from gateway.pieces import EACH_MOST, PIECE_MOST, Full, PieceShelf, Upload
from gateway.roster_watch import CurrentRoster
from gateway.site import files as site_files
from gateway.site.app import HERE
from gateway.site.schema import CategoryForm
from gateway.site.sending import as_text, times
from gateway.site.tickets import Ticket
from gateway.site.words import load_words
from gateway.watermark import Watermark
from sanitizer.errors import TooComplex
from tests.support.media import phone_photo, phone_video
from tests.support.rehearsal import Rehearsal, TestClock
from tests.support.sender import OCTETS, STEP, Sender, plain, said
from tests.support.site import Writer, code_of, kept_files, token_of

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.ids import CaseId

CANARY = b"CANARY-7f3a91"
PHOTO = phone_photo(CANARY, width=64, height=48)
# A few pieces long: what comes behind a photo's end goes when it is cleaned.
LONG = PHOTO + bytes(3 * CHUNK_BYTES)
FILM = phone_video(CANARY)
FOLDER = HERE / "translations"


@pytest.fixture
def sender(writer: Writer) -> Sender:
    return sender_of(writer)


def sender_of(writer: Writer) -> Sender:
    return Sender(writer.client, token_of(writer.begin()), writer.lang)


def spool(rehearsal: Rehearsal) -> list[Path]:
    return sorted(rehearsal.config.spool.iterdir())


def blobs(rehearsal: Rehearsal) -> list[Path]:
    return [one for one in rehearsal.config.blobs.rglob("*") if one.is_file()]


def contents(rehearsal: Rehearsal, case: CaseId | None = None) -> list[bytes]:
    found = rehearsal.evidence(case or rehearsal.only_case())
    return [content for _, content in found]


@pytest.mark.claim("C-RESUME")
@pytest.mark.claim("C-META")
@pytest.mark.parametrize("content", [PHOTO, LONG, FILM], ids=["photo", "long", "film"])
def test_a_file_in_pieces_becomes_the_very_file_that_the_form_makes(
    rehearsal: Rehearsal, writer: Writer, content: bytes
) -> None:
    sender = sender_of(writer)
    answer = said(sender.send(content))
    kind = "video-1.mp4" if content is FILM else "photo-1.jpg"
    assert answer["name"] == kind
    assert answer["original"] is False
    assert "We removed the place" in plain(answer["removed"])
    sent = writer.send(sender.token)
    assert sent.status_code == 200
    first = rehearsal.only_case()
    (in_pieces,) = rehearsal.evidence(first)
    code_of(sent)
    assert writer.send(writer.begin(), files=(("a.bin", content),)).status_code == 200
    (other,) = {one.case for one in rehearsal.stored()} - {first}
    (in_a_form,) = rehearsal.evidence(other)
    assert in_pieces[1] == in_a_form[1]
    assert CANARY not in in_pieces[1]
    assert in_pieces[0] == in_a_form[0]


@pytest.mark.claim("C-TYPED")
def test_what_came_in_pieces_is_shown_on_the_page_that_comes_back(writer: Writer) -> None:
    sender = sender_of(writer)
    sender.send(PHOTO)
    answer = said(sender.send(PHOTO))
    assert answer["name"] == "photo-2.jpg"
    page = writer.send(sender.token, changes={"description": None})
    assert page.status_code == 422
    assert kept_files(page) == ["photo-1.jpg", "photo-2.jpg"]
    # The box that the script shows is the one that the page shows.
    page = writer.send(page, changes={"description": None, "drop": answer["id"]})
    assert kept_files(page) == ["photo-1.jpg"]


@pytest.mark.claim("C-RESUME")
def test_a_message_takes_files_in_pieces_too(rehearsal: Rehearsal, writer: Writer) -> None:
    page = writer.open(code_of(writer.report()))
    sender = Sender(writer.client, token_of(page))
    assert said(sender.send(PHOTO, originals="keep"))["original"] is False
    data = {"token": sender.token, "text": "More.", "action": "send"}
    assert writer.client.post("/en/message", data=data).status_code == 200
    (content,) = contents(rehearsal)
    assert CANARY not in content


@pytest.mark.claim("C-RESUME")
def test_pieces_out_of_order_and_repeated_ones_harm_nothing(
    rehearsal: Rehearsal, writer: Writer, sender: Sender
) -> None:
    ticket = sender.ticket(len(LONG))
    for offset in (CHUNK_BYTES, 3 * CHUNK_BYTES):
        early = sender.piece(ticket, offset, LONG[offset : offset + CHUNK_BYTES])
        assert (early.status_code, said(early)) == (409, {"offset": 0})
    for offset in (0, 0, CHUNK_BYTES, 0, CHUNK_BYTES):
        answer = sender.piece(ticket, offset, LONG[offset : offset + CHUNK_BYTES])
        assert answer.status_code == 200
    assert said(answer) == {"offset": 2 * CHUNK_BYTES}
    early = sender.whole(ticket)
    assert (early.status_code, said(early)) == (409, {"offset": 2 * CHUNK_BYTES})
    sender.pieces(ticket, LONG, 2 * CHUNK_BYTES)
    assert sender.whole(ticket).status_code == 200
    assert writer.send(sender.token).status_code == 200
    assert len(contents(rehearsal)) == 1


@pytest.mark.claim("C-RESUME")
def test_a_piece_that_was_spoilt_on_the_way_is_not_taken(sender: Sender) -> None:
    ticket = sender.ticket(len(LONG))
    wrong = hashlib.sha256(b"other").hexdigest()
    spoilt = sender.piece(ticket, 0, LONG[:CHUNK_BYTES], Piece_Digest=wrong)
    # No words: the page sends it once more.
    assert (spoilt.status_code, said(spoilt)) == (422, {})
    assert said(sender.piece(ticket, 0, LONG[:CHUNK_BYTES])) == {"offset": CHUNK_BYTES}


@pytest.mark.claim("C-RESUME")
def test_a_file_that_changed_under_way_is_begun_again(rehearsal: Rehearsal, sender: Sender) -> None:
    ticket = sender.ticket(len(LONG))
    sender.piece(ticket, 0, LONG[:CHUNK_BYTES])
    (path,) = spool(rehearsal)
    before = path.read_bytes()
    assert sender.piece(ticket, 0, bytes(CHUNK_BYTES)).status_code == 410
    assert path.read_bytes() == before


@pytest.mark.claim("C-RESUME")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(data=st.data())
def test_a_line_that_is_cut_at_any_byte_costs_a_piece_and_nothing_else(
    rehearsal: Rehearsal, writer: Writer, data: st.DataObject
) -> None:
    sender = sender_of(writer)
    ticket = sender.ticket(len(LONG))
    there = 0
    for offset in range(0, len(LONG), CHUNK_BYTES):
        piece = LONG[offset : offset + CHUNK_BYTES]
        whole = len(ticket) + 1 + len(piece)
        cut = data.draw(st.integers(0, whole - 1), label="cut")
        assert sender.piece(ticket, offset, piece, cut=cut).status_code in {400, 422}
        answer = sender.piece(ticket, offset, piece)
        assert answer.status_code == 200
        there = said(answer)["offset"]
    assert there == len(LONG)
    before = set(blobs(rehearsal))
    assert sender.whole(ticket).status_code == 200
    assert len(set(blobs(rehearsal)) - before) == 1


@pytest.mark.claim("C-RESUME")
def test_another_process_goes_on_where_the_first_one_stopped(
    rehearsal: Rehearsal, sender: Sender
) -> None:
    ticket = sender.ticket(len(LONG))
    sender.piece(ticket, 0, LONG[:CHUNK_BYTES])
    # An application of its own, as a worker has it: it was told nothing but the ticket.
    other = Sender(rehearsal.site_client(), sender.token)
    other.pieces(ticket, LONG, CHUNK_BYTES)
    third = Sender(rehearsal.site_client(), sender.token)
    assert third.whole(ticket).status_code == 200


@pytest.mark.claim("C-RESUME")
def test_the_last_answer_may_be_lost_and_is_given_again(
    rehearsal: Rehearsal, writer: Writer, sender: Sender
) -> None:
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)
    page = sender.token
    first = said(sender.whole(ticket))
    sender.token = page
    again = said(sender.whole(ticket))
    assert {**again, "token": ""} == {**first, "token": ""}
    # Nor does the file count twice where the new token had arrived.
    assert said(sender.whole(ticket))["id"] == first["id"]
    assert len(blobs(rehearsal)) == 1
    assert sender.drop(ticket).status_code == 200
    assert spool(rehearsal) == []
    assert writer.send(sender.token).status_code == 200
    assert len(contents(rehearsal)) == 1


@pytest.mark.claim("C-RESUME")
def test_a_ticket_ends(rehearsal: Rehearsal, sender: Sender) -> None:
    assert isinstance(rehearsal.clock, TestClock)
    ticket = sender.ticket(len(PHOTO))
    rehearsal.clock.seconds += rehearsal.config.times.form_seconds
    assert sender.piece(ticket, 0, PHOTO).status_code == 410
    assert sender.whole(ticket).status_code == 410
    assert sender.drop(ticket).status_code == 410
    answer = sender.begin(len(PHOTO))
    assert answer.status_code == 422
    assert "open for too long" in said(answer)["words"]


@pytest.mark.claim("C-RESUME")
def test_a_ticket_of_another_case_adds_nothing_to_this_one(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    mine, other = sender_of(writer), sender_of(writer)
    ticket = mine.ticket(len(PHOTO))
    mine.pieces(ticket, PHOTO)
    assert other.whole(ticket).status_code == 410
    assert blobs(rehearsal) == []
    assert mine.whole(ticket).status_code == 200


@pytest.mark.claim("C-RESUME")
def test_a_forged_ticket_opens_nothing(rehearsal: Rehearsal, sender: Sender) -> None:
    ticket = sender.ticket(len(PHOTO))
    stranger = TokenKey.generate()
    case = sender_case(rehearsal, ticket)
    upload = Upload.new(len(PHOTO))
    now = rehearsal.clock.now()
    forged = Ticket(upload=upload, case=case, issued=now).seal(stranger)
    altered = ticket[:40] + ("A" if ticket[40] != "A" else "B") + ticket[41:]
    for one in (forged, altered, "", "é", "x" * 2000, sender.token[:900]):
        answer = sender.piece(one, 0, PHOTO)
        assert answer.status_code in {400, 410}, one
        assert sender.whole(one).status_code == 410
        assert sender.drop(one).status_code == 410
    # A ticket is no token of a page, and a token no ticket.
    assert sender.client.post("/en/begin", data={"token": ticket, "length": "5"}).status_code == 422
    key = TokenKey(rehearsal.secrets.token_key)
    assert sender.drop(seal_token(key, "form", b"{}")).status_code == 410


def sender_case(rehearsal: Rehearsal, ticket: str) -> CaseId:
    key = TokenKey(rehearsal.secrets.token_key)
    return Ticket.open(key, ticket, now=rehearsal.clock.now(), seconds=3600).case


@pytest.mark.parametrize(
    ("offset", "content", "headers"),
    [
        (1, PHOTO, {}),
        (0, PHOTO[:-1], {}),
        (0, b"", {}),
        (0, PHOTO, {"Upload_Offset": "-1"}),
        (0, PHOTO, {"Upload_Offset": "x"}),
        (0, PHOTO, {"Piece_Digest": ""}),
    ],
)
def test_what_no_script_of_ours_would_send_is_refused_without_words(
    sender: Sender, offset: int, content: bytes, headers: dict[str, Any]
) -> None:
    answer = sender.piece(sender.ticket(len(PHOTO)), offset, content, **headers)
    assert (answer.status_code, said(answer)) == (400, {})


def test_a_body_without_a_line_is_no_piece(sender: Sender) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    headers = {"Upload-Offset": "0", "Piece-Digest": digest}
    answer = sender.client.post("/en/piece", data=b"abc", headers=headers, content_type=OCTETS)
    assert answer.status_code == 400


@pytest.mark.parametrize("length", ["", "-1", "x", "9" * 16, "²"])
def test_a_length_is_a_number(sender: Sender, length: str) -> None:
    answer = sender.client.post("/en/begin", data={"token": sender.token, "length": length})
    assert answer.status_code == 400


def test_bytes_are_taken_at_one_address_alone_and_forms_at_the_others(sender: Sender) -> None:
    ticket = sender.ticket(len(PHOTO))
    form = "application/x-www-form-urlencoded"
    assert sender.piece(ticket, 0, PHOTO, content_type=form).status_code == 415
    for path in ("send", "begin", "whole", "drop", "message"):
        answer = sender.client.post(f"/en/{path}", data=b"x", content_type=OCTETS)
        assert answer.status_code == 415


def test_a_piece_has_a_longest_length_of_its_own(sender: Sender) -> None:
    ticket = sender.ticket(2 * PIECE_MOST)
    assert sender.piece(ticket, 0, bytes(PIECE_MOST)).status_code == 200
    assert sender.piece(ticket, PIECE_MOST, bytes(PIECE_MOST + 2048)).status_code == 413


@pytest.mark.parametrize("path", ["begin", "piece", "whole", "drop"])
def test_another_site_can_send_nothing_here(sender: Sender, path: str) -> None:
    kind = OCTETS if path == "piece" else "application/x-www-form-urlencoded"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = sender.client.post(f"/en/{path}", data=b"", headers=headers, content_type=kind)
        assert answer.status_code == 403
    assert sender.client.get(f"/en/{path}").status_code == 405


@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_each_refusal_is_said_in_words(rehearsal: Rehearsal, lang: str) -> None:
    limits = replace(rehearsal.config.site, file_bytes=1024**2, files=1)
    small = replace(rehearsal, config=replace(rehearsal.config, site=limits))
    writer = Writer(small.site_client(), lang)
    words = load_words(FOLDER)[lang]
    sender = sender_of(writer)
    found = []
    for length, key in ((0, "refused.empty"), (1024**2 + 1, "refused.too_large")):
        answer = sender.begin(length)
        assert answer.status_code == 422
        found.append(said(answer)["words"])
        assert found[-1] == as_text(words(key, size=words.size(1024**2)))
    refused = sender.send(b"PK\3\4" + bytes(2000))
    assert refused.status_code == 422
    assert said(refused)["words"] == as_text(words("refused.unsupported"))
    assert sender.send(PHOTO).status_code == 200
    many = sender.begin(5)
    assert said(many)["words"] == as_text(words("refused.too_many", most=1))
    assert spool(rehearsal) != []


@pytest.mark.claim("C-REFUSE")
def test_a_refused_file_is_refused_as_often_as_it_is_asked_for_and_leaves_nothing(
    rehearsal: Rehearsal, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TooComplex

    content = FILM
    ticket = sender.ticket(len(content))
    sender.pieces(ticket, content)
    monkeypatch.setattr(site_files, "sanitize", refuse)
    first = sender.whole(ticket)
    assert first.status_code == 422
    assert "This video would take too much work" in said(first)["words"]
    monkeypatch.undo()
    assert said(sender.whole(ticket)) == said(first)
    assert blobs(rehearsal) == []
    assert not [one for one in spool(rehearsal) if one.suffix == ".pieces"]


def test_one_too_many_is_not_cleaned_and_not_left(rehearsal: Rehearsal, writer: Writer) -> None:
    limits = replace(rehearsal.config.site, files=1)
    few = replace(rehearsal, config=replace(rehearsal.config, site=limits))
    sender = sender_of(Writer(few.site_client()))
    tickets = [sender.ticket(len(PHOTO)) for _ in range(2)]
    for one in tickets:
        sender.pieces(one, PHOTO)
    assert sender.whole(tickets[0]).status_code == 200
    assert sender.whole(tickets[1]).status_code == 422
    assert len(spool(rehearsal)) == 1
    assert writer.lang == "en"


# Where no file may be.


@pytest.mark.claim("C-CHILD")
def test_where_the_victim_is_a_minor_nothing_is_begun_and_nothing_is_kept(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    sender = sender_of(writer)
    told = data_of(writer.begin().text)
    assert told["decides"] == ["victim_minor"]
    sender.facts = {"victim_minor": "yes"}
    refused = sender.begin(len(PHOTO))
    assert refused.status_code == 422
    assert "No file can be sent here" in said(refused)["words"]
    # Said only once the file is on its way: it is not cleaned, and it is gone.
    sender.facts = {"victim_minor": "no"}
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)
    assert sender.whole(ticket, victim_minor="yes").status_code == 422
    assert spool(rehearsal) == []
    assert blobs(rehearsal) == []
    # Said after it arrived: the form's own sending destroys it.
    assert sender.send(PHOTO).status_code == 200
    page = writer.send(sender.token, changes={"victim_minor": "yes"})
    assert page.status_code == 200
    assert not rehearsal.envelopes(rehearsal.only_case(), Kind.EVIDENCE)
    assert blobs(rehearsal) == []


@pytest.mark.claim("C-CHILD")
def test_a_category_without_files_takes_none_this_way(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = sender_of(Writer(rehearsal.site_client()))
    monkeypatch.setattr(CategoryForm, "files_allowed", lambda *_: False)
    assert sender.begin(5).status_code == 422
    assert spool(rehearsal) == []


@pytest.mark.claim("C-CHILD")
def test_a_conversation_about_a_minor_takes_no_file_this_way(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    code = code_of(writer.report(victim_minor="yes"))
    sender = Sender(writer.client, token_of(writer.open(code)))
    answer = sender.begin(len(PHOTO))
    assert answer.status_code == 422
    assert "No file can be sent here" in said(answer)["words"]
    assert spool(rehearsal) == []


def test_a_report_that_was_sent_takes_no_more_files(rehearsal: Rehearsal, writer: Writer) -> None:
    sender = sender_of(writer)
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)
    assert writer.send(sender.token).status_code == 200
    answer = sender.whole(ticket)
    assert answer.status_code == 422
    assert "sent already" in said(answer)["words"]
    assert spool(rehearsal) == []
    assert blobs(rehearsal) == []


# Originals.


@pytest.mark.claim("C-ORIGINAL")
def test_an_original_comes_along_only_where_it_was_asked_for(
    rehearsal: Rehearsal, writer: Writer
) -> None:
    sender = sender_of(writer)
    assert said(sender.send(PHOTO, originals="keep"))["original"] is True
    assert said(sender.send(PHOTO))["original"] is False
    changes = {"originals": "keep", "originals_sure": "yes"}
    page = writer.send(sender.token, changes={**changes, "action": "add"})
    assert page.text.count("with its untouched original") == 1 + told_once(page.text)
    assert writer.send(page, changes=changes).status_code == 200
    assert sorted(CANARY in one for one in contents(rehearsal)) == [False, False, True]


def told_once(text: str) -> int:
    return data_attribute(text).count("with its untouched original")


@pytest.mark.claim("C-ORIGINAL")
def test_who_takes_the_wish_back_leaves_no_original(rehearsal: Rehearsal, writer: Writer) -> None:
    sender = sender_of(writer)
    sender.send(PHOTO, originals="keep")
    assert len(blobs(rehearsal)) == 2
    assert writer.send(sender.token).status_code == 200
    (content,) = contents(rehearsal)
    assert CANARY not in content
    assert len(blobs(rehearsal)) == 1


@pytest.mark.claim("C-ORIGINAL")
def test_somebody_anonymous_is_asked_a_second_time(rehearsal: Rehearsal, writer: Writer) -> None:
    sender = sender_of(writer)
    sender.send(PHOTO, originals="keep")
    page = writer.send(sender.token, changes={"originals": "keep"})
    assert page.status_code == 422
    assert rehearsal.stored() == ()


# The spool.


@pytest.mark.claim("C-NODISK")
@pytest.mark.claim("C-RESUME")
def test_neither_plaintext_nor_key_nor_length_is_on_the_disk(
    rehearsal: Rehearsal, sender: Sender
) -> None:
    marker = b"the-marker-that-must-not-be-on-a-disk"
    content = PHOTO + marker * 9000
    ticket = sender.ticket(len(content))
    key = TokenKey(rehearsal.secrets.token_key)
    upload = Ticket.open(key, ticket, now=rehearsal.clock.now(), seconds=60).upload
    secrets = (marker, CANARY, upload.key.raw, upload.key.raw.hex().encode(), ticket.encode())

    def found() -> list[bytes]:
        home = rehearsal.config.home
        disk = [one.read_bytes() for one in home.rglob("*") if one.is_file()]
        return [one for one in secrets if any(one in read for read in disk)]

    for offset in range(0, len(content), CHUNK_BYTES):
        sender.piece(ticket, offset, content[offset : offset + CHUNK_BYTES])
        assert found() == []
    assert spool(rehearsal)[0].stat().st_size > len(content)
    assert sender.whole(ticket).status_code == 200
    assert found() == []
    # What is left says only to the holder of the ticket what became of it.
    (note,) = spool(rehearsal)
    assert b"photo" not in note.read_bytes()
    # Positive control.
    (rehearsal.config.spool / "plain").write_bytes(content + ticket.encode())
    assert found() == [marker, CANARY, ticket.encode()]


@pytest.mark.claim("C-RESUME")
@pytest.mark.parametrize("at", [30, SEALED_CHUNK_BYTES + 70, -1])
def test_a_spool_that_somebody_changed_is_never_sealed(
    rehearsal: Rehearsal, sender: Sender, at: int
) -> None:
    ticket = sender.ticket(len(LONG))
    sender.pieces(ticket, LONG)
    (path,) = spool(rehearsal)
    sealed = bytearray(path.read_bytes())
    sealed[at] ^= 1
    path.write_bytes(sealed)
    answer = sender.whole(ticket)
    assert (answer.status_code, said(answer)) == (410, {})
    assert spool(rehearsal) == []
    assert blobs(rehearsal) == []
    assert sender.send(LONG).status_code == 200


@pytest.mark.claim("C-RESUME")
def test_a_spool_that_became_shorter_is_filled_up_by_its_sender_alone(
    rehearsal: Rehearsal, sender: Sender
) -> None:
    ticket = sender.ticket(len(LONG))
    sender.pieces(ticket, LONG)
    (path,) = spool(rehearsal)
    with path.open("rb+") as file:
        file.truncate(SEALED_CHUNK_BYTES + 11)
    answer = sender.whole(ticket)
    assert (answer.status_code, said(answer)) == (409, {"offset": CHUNK_BYTES})
    sender.pieces(ticket, LONG, CHUNK_BYTES)
    assert sender.whole(ticket).status_code == 200


def test_giving_up_leaves_nothing(rehearsal: Rehearsal, sender: Sender) -> None:
    ticket = sender.ticket(len(LONG))
    sender.piece(ticket, 0, LONG[:CHUNK_BYTES])
    assert len(spool(rehearsal)) == 1
    assert sender.drop(ticket).status_code == 200
    assert spool(rehearsal) == []
    assert sender.piece(ticket, CHUNK_BYTES, LONG[CHUNK_BYTES:]).status_code == 410
    assert sender.whole(ticket).status_code == 410
    assert sender.drop(ticket).status_code == 200


@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_a_full_disk_closes_this_way_with_words_and_leaves_the_form(
    rehearsal: Rehearsal, lang: str
) -> None:
    limits = PieceLimits(most=1)
    full = replace(rehearsal, config=replace(rehearsal.config, pieces=limits))
    writer = Writer(full.site_client(), lang)
    sender_of(writer).ticket(len(PHOTO))
    answer = sender_of(writer).begin(len(PHOTO))
    assert answer.status_code == 503
    assert said(answer)["words"] == as_text(load_words(FOLDER)[lang]("send.full"))
    assert len(spool(rehearsal)) == 1
    assert writer.send(writer.begin(), files=(("a.jpg", PHOTO),)).status_code == 200


def test_a_disk_that_fills_up_on_the_way_loses_nothing_that_arrived(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = sender.ticket(len(LONG))
    sender.piece(ticket, 0, LONG[:CHUNK_BYTES])
    with monkeypatch.context() as patch:
        patch.setattr(PieceShelf, "_require_room", _full)
        answer = sender.piece(ticket, CHUNK_BYTES, LONG[CHUNK_BYTES : 2 * CHUNK_BYTES])
        assert answer.status_code == 503
        assert "little room" in said(answer)["words"]
    sender.pieces(ticket, LONG, CHUNK_BYTES)
    with monkeypatch.context() as patch:
        patch.setattr(PieceShelf, "settle", _full)
        assert sender.whole(ticket).status_code == 200


def _full(*_: object) -> None:
    raise Full


def test_room_is_kept_for_the_clean_copy_too_and_a_whole_file_waits_for_it(
    rehearsal: Rehearsal, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = sender.ticket(len(LONG))
    sender.pieces(ticket, LONG)
    asked: list[int] = []

    def none(_: Watermark, more: int) -> bool:
        asked.append(more)
        return False

    with monkeypatch.context() as patch:
        patch.setattr(Watermark, "has_room", none)
        for answer in (sender.begin(len(LONG)), sender.whole(ticket)):
            assert answer.status_code == 503
            assert "little room" in said(answer)["words"]
    assert asked == [2 * len(LONG), len(LONG)]
    assert len(spool(rehearsal)) == 1
    assert sender.whole(ticket).status_code == 200


def test_while_nothing_can_be_sealed_nothing_is_begun_and_nothing_is_lost(
    rehearsal: Rehearsal, writer: Writer, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Sender(writer.client, token_of(writer.open(ReceiptCode.generate().digits)))
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)

    def none(_: CurrentRoster) -> None:
        raise NoValidRoster

    with monkeypatch.context() as patch:
        patch.setattr(CurrentRoster, "get", none)
        for answer in (sender.begin(5), sender.whole(ticket)):
            assert answer.status_code == 503
            assert "Nothing can be received" in said(answer)["words"]
    with monkeypatch.context() as patch:
        patch.setattr(Intake, "keys_of", _busy)
        answer = talk.begin(5)
        # No words: the script tries again by itself.
        assert (answer.status_code, said(answer)) == (503, {})
    assert len(spool(rehearsal)) == 1
    assert sender.whole(ticket).status_code == 200


def _busy(*_: object) -> None:
    raise Busy


@pytest.mark.claim("C-RESUME")
def test_while_a_file_is_cleaned_whoever_asks_again_is_told_to_wait(
    rehearsal: Rehearsal, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)
    page, found = sender.token, []
    keep = site_files.receive_whole

    def meanwhile(*args: object, **facts: object) -> object:
        other = Sender(rehearsal.site_client(), page)
        found.append(other.whole(ticket).status_code)
        return keep(*args, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(site_files, "receive_whole", meanwhile)
    assert sender.whole(ticket).status_code == 200
    assert found == [202]
    assert len(blobs(rehearsal)) == 1


@pytest.mark.claim("C-RESUME")
def test_who_gives_up_while_the_file_is_cleaned_leaves_nothing_either(
    rehearsal: Rehearsal, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)
    keep = site_files.receive_whole

    def meanwhile(*args: object, **facts: object) -> object:
        assert sender.drop(ticket).status_code == 200
        return keep(*args, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(site_files, "receive_whole", meanwhile)
    assert sender.whole(ticket).status_code == 410
    assert blobs(rehearsal) == []
    assert spool(rehearsal) == []


def test_whoever_comes_a_moment_too_late_finds_the_answer(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)
    assert sender.whole(ticket).status_code == 200
    note, first = PieceShelf.note, [True]

    def none_yet(self: PieceShelf, upload: Upload) -> bytes | None:
        return None if first and first.pop() else note(self, upload)

    monkeypatch.setattr(PieceShelf, "note", none_yet)
    assert sender.whole(ticket).status_code == 200


# What the page tells.


def data_attribute(text: str) -> str:
    found = re.search(r'data-told="([^"]*)"', text)
    assert found
    return found[1]


def data_of(text: str) -> dict[str, object]:
    import html  # noqa: PLC0415 # used here alone

    told = json.loads(html.unescape(data_attribute(text)))
    assert isinstance(told, dict)
    return told


@pytest.mark.claim("C-URL")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_the_page_tells_the_script_everything_and_no_address_tells_anything(
    rehearsal: Rehearsal, lang: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang)
    for page in (writer.begin(), writer.open(ReceiptCode.generate().digits)):
        told = data_of(page.text)
        paths = [told[name] for name in ("begin", "piece", "whole", "drop")]
        assert paths == [f"/{lang}/{name}" for name in ("begin", "piece", "whole", "drop")]
        assert (told["least"], told["most"]) == (CHUNK_BYTES, PIECE_MOST)
        assert told["comma"] == ("." if lang == "en" else ",")
        assert told["units"][1].startswith("{number} ")  # type: ignore[index]
        assert all(told["words"].values())  # type: ignore[attr-defined]
        assert "connect-src 'self'" in page.headers["Content-Security-Policy"]
    assert "connect-src" not in writer.client.get(f"/{lang}/").headers["Content-Security-Policy"]


def test_the_script_is_small_and_comes_packed_where_it_can_be_unpacked(writer: Writer) -> None:
    packed = writer.client.get("/send.js", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) <= 6 * 1024
    plain_one = writer.client.get("/send.js")
    assert "Content-Encoding" not in plain_one.headers
    assert gzip.decompress(packed.data) == plain_one.data
    assert packed.mimetype == plain_one.mimetype == "text/javascript"
    text = plain_one.text
    kept = ("localStorage", "sessionStorage", "indexedDB", "cookie")
    for word in (*kept, "innerHTML", "http", "eval"):
        assert word not in text, word


def test_the_limits_and_the_times_are_said_before_anybody_chooses(rehearsal: Rehearsal) -> None:
    page = Writer(rehearsal.site_client()).begin()
    told = re.sub("<[^>]*>", "", page.text)
    assert "up to 2 GB each and 100 files" in told
    assert "20 MB take about 3 to 6 minutes" in told
    assert "The largest file, 2 GB, takes 5 to 10 hours." in told
    words = load_words(FOLDER)["en"]
    assert times(words, 5 * 1024**2).striptags().endswith("5 MB take about 1 to 2 minutes.")
    assert "100 MB, takes 14 to 28 minutes" in times(words, 100 * 1024**2).striptags()


def test_a_sentence_as_text_keeps_the_directions_of_its_parts() -> None:
    words = load_words(FOLDER)["ar"]
    text = as_text(words("refused.too_large", size="2 & 3"))
    assert "\u20662 & 3\u2069" in text
    assert "<" not in text
    assert STEP % CHUNK_BYTES == 0


# What a report says holds for what began before it was sent.


def adopted(writer: Writer, sender: Sender) -> Sender:
    """The conversation of the report that the page sends now."""
    code = code_of(writer.send(sender.token, changes={"victim_minor": "yes"}))
    return Sender(writer.client, token_of(writer.open(code)))


@pytest.mark.claim("C-CHILD")
def test_what_began_before_the_report_said_minor_is_not_cleaned_after_it(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    sender = sender_of(writer)
    ticket = sender.ticket(len(PHOTO))
    sender.pieces(ticket, PHOTO)
    talk = adopted(writer, sender)
    monkeypatch.setattr(site_files, "receive_whole", lambda *_, **__: pytest.fail("it was cleaned"))
    answer = talk.whole(ticket)
    assert answer.status_code == 410
    assert "token" not in said(answer)
    assert spool(rehearsal) == []
    assert blobs(rehearsal) == []


@pytest.mark.claim("C-CHILD")
def test_what_began_before_the_report_said_minor_takes_no_more_pieces(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    sender = sender_of(writer)
    ticket = sender.ticket(len(LONG))
    sender.piece(ticket, 0, LONG[:CHUNK_BYTES])
    adopted(writer, sender)
    assert sender.piece(ticket, CHUNK_BYTES, LONG[CHUNK_BYTES : 2 * CHUNK_BYTES]).status_code == 410
    assert spool(rehearsal) == []


@pytest.mark.claim("C-CHILD")
@pytest.mark.parametrize("kind", ["form", "conversation"])
def test_a_report_that_says_minor_while_a_file_is_cleaned_destroys_it(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    form = sender_of(writer)
    sender = form
    if kind == "conversation":
        sender = Sender(writer.client, token_of(writer.open(code_of(writer.report()))))
    real = site_files.receive_whole

    def meanwhile(*given: Any, **named: Any) -> Any:
        kept = real(*given, **named)
        if kind == "form":
            assert writer.send(form.token, changes={"victim_minor": "yes"}).status_code == 200
        else:
            state = Intake.state_of
            monkeypatch.setattr(
                Intake, "state_of", lambda *given: replace(state(*given), no_files=True)
            )
        return kept

    monkeypatch.setattr(site_files, "receive_whole", meanwhile)
    answer = sender.send(PHOTO)
    assert answer.status_code == 422
    assert "token" not in said(answer)
    assert spool(rehearsal) == []
    assert blobs(rehearsal) == []


# Places.


def test_one_page_holds_a_few_places_and_leaves_the_others(
    rehearsal: Rehearsal, writer: Writer, sender: Sender
) -> None:
    tickets = [sender.ticket(1) for _ in range(EACH_MOST)]
    refused = sender.begin(1)
    assert refused.status_code == 429
    assert "little room" in said(refused)["words"]
    assert len(spool(rehearsal)) == EACH_MOST
    assert sender_of(writer).begin(1).status_code == 200
    sender.drop(tickets[2])
    assert sender.begin(1).status_code == 200
    # Names tell nothing to whoever has the disk: no two begin alike.
    assert len({one.name[:16] for one in spool(rehearsal)}) == EACH_MOST + 1


def test_one_source_begins_as_many_as_it_ends(
    rehearsal: Rehearsal, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.site.piece_pages.source", lambda: b"somebody")
    pages = [sender_of(writer) for _ in range(1 + UPLOADS.burst // EACH_MOST)]
    turns = [one for one in pages for _ in range(EACH_MOST)][: UPLOADS.burst]
    tickets = [(one, one.ticket(1)) for one in turns]
    fresh = sender_of(writer)
    assert [one.begin(1).status_code for one in (fresh, fresh)] == [429, 429]
    for page, ticket in tickets:
        page.drop(ticket)
        page.drop(ticket)
    assert [fresh.begin(1).status_code for _ in range(EACH_MOST)] == [200] * EACH_MOST
    monkeypatch.setattr("gateway.site.piece_pages.source", lambda: b"somebody else")
    assert sender_of(writer).begin(1).status_code == 200
    assert len(spool(rehearsal)) == EACH_MOST + 1
