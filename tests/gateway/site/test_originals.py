"""An untouched original: only for who asks for it, twice where they stay anonymous."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.ids import EnvelopeId, HeaderHash
from gateway.handed import StagedFile
from gateway.site.app import HERE
from gateway.site.removed import sentence
from gateway.site.words import load_words
from tests.support.media import phone_photo
from tests.support.site import Writer, errors_of, kept_files

if TYPE_CHECKING:
    from tests.support.rehearsal import Rehearsal

CANARY = b"CANARY-7f3a91"
PHOTO = phone_photo(CANARY, width=64, height=48)
FILES = (("a.jpg", PHOTO),)
NAMED = {
    "identity_mode": "full_identity",
    "identity-name": "Fatima",
    "identity-phone": "0612345678",
    "originals": "keep",
}
SURE = {"originals": "keep", "originals_sure": "yes"}


def contents(rehearsal: Rehearsal) -> list[bytes]:
    return [content for _, content in rehearsal.evidence(rehearsal.only_case())]


@pytest.mark.claim("C-ORIGINAL")
def test_without_asking_no_original_is_kept(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.begin()
    assert 'name="originals" value="keep">' in page.text
    assert "originals_sure" not in page.text
    assert writer.send(page, files=FILES).status_code == 200
    (content,) = contents(rehearsal)
    assert CANARY not in content


@pytest.mark.claim("C-ORIGINAL")
def test_a_named_reporter_may_have_the_original_sealed_beside_the_copy(
    rehearsal: Rehearsal,
) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.send(writer.begin(), files=FILES, changes=NAMED)
    assert page.status_code == 200
    assert "Their untouched originals were sealed beside them" in page.text
    case = rehearsal.only_case()
    report = rehearsal.report(case)
    copy, original = sorted(rehearsal.evidence(case), key=lambda one: len(one[1]))
    assert original[1] == PHOTO
    assert CANARY not in copy[1]
    assert original[0].media_type == "application/octet-stream"
    assert original[0].name == "photo-1-original.bin"
    assert original[0].removed == ()
    assert original[0].original_of in {one.id for one in report.evidence}
    assert copy[0].original_of is None
    assert len(report.evidence) == 2


@pytest.mark.claim("C-ORIGINAL")
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_somebody_anonymous_is_asked_a_second_time_and_nothing_is_lost(
    rehearsal: Rehearsal, lang: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang)
    page = writer.send(writer.begin(), files=FILES, changes={"originals": "keep"})
    assert page.status_code == 422
    (error,) = errors_of(page)
    assert len(error) > 60
    assert 'href="#f-originals_sure"' in page.text
    assert kept_files(page) == ["photo-1.jpg"]
    assert rehearsal.stored() == ()
    assert writer.send(page, changes=SURE).status_code == 200
    assert sorted(map(len, contents(rehearsal)))[1] == len(PHOTO)


@pytest.mark.claim("C-ORIGINAL")
def test_who_takes_the_wish_back_leaves_no_original_anywhere(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.send(writer.begin(), files=FILES, changes={"originals": "keep"})
    blobs = [one for one in rehearsal.config.blobs.rglob("*") if one.is_file()]
    assert len(blobs) == 2
    assert writer.send(page).status_code == 200
    (content,) = contents(rehearsal)
    assert CANARY not in content
    assert len([one for one in rehearsal.config.blobs.rglob("*") if one.is_file()]) == 1


@pytest.mark.claim("C-ORIGINAL")
def test_where_no_file_may_be_no_original_may_be(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client(), category="sextortion")
    changes = {**SURE, "victim_minor": "yes"}
    page = writer.send(writer.begin(), files=FILES, changes=changes)
    assert page.status_code == 200
    assert not rehearsal.envelopes(rehearsal.only_case(), Kind.EVIDENCE)
    assert not [one for one in rehearsal.config.blobs.rglob("*") if one.is_file()]


@pytest.mark.claim("C-ORIGINAL")
def test_a_refused_file_has_no_original(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.send(writer.begin(), files=(("a.jpg", PHOTO[:900]),), changes=SURE)
    assert page.status_code == 422
    assert not [one for one in rehearsal.config.blobs.rglob("*") if one.is_file()]


def test_removing_a_copy_removes_its_original(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.send(writer.begin(), files=FILES, changes={**SURE, "action": "add"})
    assert "with its untouched original" in page.text
    (drop,) = re.findall(r'name="drop" value="([0-9a-f]+)"', page.text)
    page = writer.send(page, changes={**SURE, "drop": drop})
    assert page.status_code == 200
    assert not rehearsal.envelopes(rehearsal.only_case(), Kind.EVIDENCE)


def test_the_limit_on_files_counts_copies_alone(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    most = rehearsal.config.site.files
    page = writer.send(writer.begin(), files=FILES * most, changes={**SURE, "action": "add"})
    assert len(kept_files(page)) == most


def test_a_conversation_offers_no_originals(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    page = writer.open("1" * 28)
    assert "originals" not in page.text


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", "We removed the place, the phone’s or camera’s serial number"),
        ("fr", "Nous avons retiré le lieu, le numéro de série de l’appareil"),
        ("ar", "حذفنا المكان، الرقم التسلسلي للجهاز"),
    ],
)
def test_the_reporter_reads_what_was_taken_out_in_one_sentence(
    rehearsal: Rehearsal, lang: str, sentence: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang)
    page = writer.send(writer.begin(), files=FILES * 2, changes={"action": "add"})
    told = re.sub("<[^>]*>", "", page.text)
    assert sentence in told
    page = writer.send(page)
    assert sentence in re.sub("<[^>]*>", "", page.text)
    assert CANARY.decode() not in page.text


def test_after_a_message_too(rehearsal: Rehearsal) -> None:
    writer = Writer(rehearsal.site_client())
    receipt = writer.report()
    code = re.search(r'id="receipt-code"><bdi dir="ltr">([\d ]+)', receipt.text)
    assert code is not None
    page = writer.say(writer.open(code[1]), "more", files=FILES)
    told = re.sub("<[^>]*>", "", page.text)
    assert "We removed the place" in told
    assert "from your photo." in told


def staged(name: str, *removed: str) -> StagedFile:
    return StagedFile(EnvelopeId(bytes(16)), HeaderHash(bytes(32)), name, 1, removed)


def test_what_was_found_and_could_not_go_is_told_with_what_to_do() -> None:
    words = load_words(HERE / "translations")["en"]
    assert sentence(words, [staged("video-1.mp4")]) is None
    alone = sentence(words, [staged("video-1.mp4", "cut_frames")])
    assert alone is not None
    assert alone.startswith("Your video was cut, and it still holds a little")
    both = sentence(
        words, [staged("video-1.mp4", "cut_frames", "gps"), staged("photo-1.jpg", "sei")]
    )
    told = re.sub("<[^>]*>", "", str(both))
    assert told.startswith(
        "We removed the place and other hidden things from your files. Your video"
    )
