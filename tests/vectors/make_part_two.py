"""Write receipt.json, roster.json and transport.json anew: `python -m tests.vectors.make_part_two`.

The files are the reference and this is how they came about.  A difference after a run is a change
of the format, to be explained and not to be committed in passing.
"""

import json
from pathlib import Path
from typing import Any

from crypto.ids import Day, Deployment
from crypto.pepper import Pepper
from crypto.receipt import ReceiptCode, _expand, _with_check_digits, receipt_keys, stretch
from crypto.roster import sign_roster
from crypto.signing import SigningPrivateKey
from crypto.transport import sign_request
from tests.crypto.roster_builder import (
    ROOT,
    ROOT_PUBLIC,
    TODAY,
    custodian,
    draft,
    note_of,
    signing,
    text_of,
)

FOLDER = Path(__file__).parent
CODE = _with_check_digits("12345678901234567890123456")
ZEROS = _with_check_digits("1" + "0" * 25)
NOW = 1_800_000_000


def receipt() -> dict[str, Any]:
    arabic = CODE.translate({ord("0") + n: 0x660 + n for n in range(10)})
    persian = CODE.translate({ord("0") + n: 0x6F0 + n for n in range(10)})
    groups = [CODE[start : start + 4] for start in range(0, 28, 4)]
    # The check digits 00 and 97, 01 and 98, 02 and 99 leave the same rest: the first of each pair
    # is looked for here, so that its alias can be offered.
    alias_of = {"97": "00", "98": "01", "02": "99"}
    aliased = {}
    for number in range(1000):
        whole = _with_check_digits(f"1{number:025d}")
        if whole[-2:] in alias_of and whole[-2:] not in aliased:
            aliased[whole[-2:]] = whole[:-2] + alias_of[whole[-2:]]
    good = {
        "plain": CODE,
        "as shown": " ".join(groups),
        "dashes": "-".join(groups),
        "other dashes": "\N{EN DASH}".join(groups[:4]) + "\N{MINUS SIGN}" + "".join(groups[4:]),
        "no-break spaces": "\N{NO-BREAK SPACE}".join(groups),
        "line ends and tabs": "\r\n".join(groups[:4]) + "\t" + "".join(groups[4:]) + "\n",
        "Arabic-Indic digits": arabic,
        "Persian digits": persian,
        "digits of three scripts": CODE[:9] + arabic[9:20] + persian[20:],
        "isolated by bidi marks": f"\N{LEFT-TO-RIGHT ISOLATE}{arabic}\N{POP DIRECTIONAL ISOLATE}",
        "right-to-left marks": "\N{RIGHT-TO-LEFT MARK}".join(groups),
        "Arabic letter marks": "\N{ARABIC LETTER MARK}".join(groups),
        "zero width spaces": "\N{ZERO WIDTH SPACE}".join(groups),
        "full-width digits": CODE.translate({ord("0") + n: 0xFF10 + n for n in range(10)}),
    }
    bad = {
        "empty": ("", "length"),
        "one digit too few": (CODE[:-1], "length"),
        "one digit too many": (CODE + "0", "length"),
        "far too long": (" " * 257 + CODE, "length"),
        "one wrong digit": (CODE[:5] + "9" + CODE[6:], "check"),
        "two neighbours swapped": (CODE[1] + CODE[0] + CODE[2:], "check"),
        "check digits 00 for 97": (aliased["97"], "check"),
        "check digits 01 for 98": (aliased["98"], "check"),
        "check digits 99 for 02": (aliased["02"], "check"),
        "version 2": (_with_check_digits("2" + CODE[1:26]), "version"),
        "version 0": (_with_check_digits("0" + CODE[1:26]), "version"),
        "superscript two": (CODE.replace("2", "²", 1), "character"),
        "circled one": (CODE.replace("1", "①", 1), "character"),
        "letter O": (CODE.replace("0", "O", 1), "character"),
        "Roman numeral": ("Ⅰ" + CODE[1:], "character"),
        "vulgar fraction": (CODE[:-1] + "½", "character"),
        "full stop": (CODE[:4] + "." + CODE[4:], "character"),
        "zero byte": (CODE + "\0", "character"),
        "lone surrogate": (CODE + "\ud800", "character"),
    }
    return {
        "typed": [
            *({"name": n, "typed": t, "expect": "ok", "digits": CODE} for n, t in good.items()),
            *({"name": n, "typed": t, "expect": e} for n, (t, e) in bad.items()),
        ],
        "derived": [
            _derived("counted digits", CODE, bytes(range(16)), bytes(range(32, 64))),
            _derived("zeros", ZEROS, bytes(16), bytes(32)),
        ],
    }


def _derived(name: str, code: str, deployment: bytes, pepper: bytes) -> dict[str, str]:
    secret = stretch(ReceiptCode.parse(code), Deployment(deployment))
    lookup = _expand(secret, b"amana/v1/receipt/lookup\0")
    keys = receipt_keys(secret, Pepper(pepper))
    values = {
        "deployment": deployment,
        "pepper": pepper,
        "stretched": secret.raw,
        "lookup": lookup,
        "receipt_part": Pepper(pepper).receipt_part(lookup),
        "locator": keys.locator,
        "reply_private": keys._reply_private,
        "reply_public": keys.reply_public.raw,
        "follow_up_seed": keys.follow_up_signing.seed,
        "follow_up_public": keys.follow_up_public.raw,
        "first_case_id": keys.first_case_id,
    }
    return {"name": name, "code": code} | {field: raw.hex() for field, raw in values.items()}


def roster() -> dict[str, Any]:
    first = sign_roster(draft(), ROOT)
    second = sign_roster(draft(epoch=2, previous=first.hash), ROOT)
    fork = sign_roster(draft(not_after=Day(TODAY + 31)), ROOT)
    orphan = sign_roster(draft(epoch=2, previous=fork.hash), ROOT)
    three = sign_roster(
        draft(quorum=2, custodians=(custodian(3), custodian(4), custodian(5)), rehearsal=False),
        ROOT,
    )
    seen_first = {"epoch": 1, "hash": first.hash.hex()}
    seen_second = {"epoch": 2, "hash": second.hash.hex()}
    text = text_of(first.note)
    rows: list[tuple[str, bytes, int, dict[str, Any] | None, str]] = [
        ("the first", first.note, TODAY, None, "ok"),
        ("its first day, seen before", first.note, TODAY, seen_first, "ok"),
        ("its last day", first.note, TODAY + 30, None, "ok"),
        ("the next", second.note, TODAY, seen_first, "ok"),
        ("two of three custodians", three.note, TODAY, None, "ok"),
        ("the day before", first.note, TODAY - 1, None, "not valid before"),
        ("the day after", first.note, TODAY + 31, None, "expired"),
        ("rolled back", first.note, TODAY, seen_second, "rolled back"),
        ("forked", fork.note, TODAY, seen_first, "another roster of epoch 1"),
        ("after a fork", orphan.note, TODAY, seen_first, "does not follow"),
        (
            "another root",
            note_of(text, SigningPrivateKey.from_seed(bytes(32))),
            TODAY,
            None,
            "another root",
        ),
        ("a changed byte", first.note.replace(b"or 1\n", b"or 7\n", 1), TODAY, None, "signature"),
        ("suite 2", note_of(text.replace("suite 1", "suite 2")), TODAY, None, "library"),
        ("an unknown field", note_of(text + "witness 1 x\n"), TODAY, None, "line 22"),
        ("a trailing byte", first.note + b"\n", TODAY, None, "signature line"),
        ("cut short", first.note[:-1], TODAY, None, "signature line"),
        ("empty", b"", TODAY, None, "signature line"),
    ]
    return {
        "root_private": ROOT.seed.hex(),
        "root_public": ROOT_PUBLIC.to_text(),
        "rosters": [
            {"name": name, "note": note.decode(), "today": today, "last_seen": seen, "expect": e}
            for name, note, today, seen, e in rows
        ],
    }


def transport() -> dict[str, Any]:
    key = signing("api 1")
    asked = {
        "method": "POST",
        "authority": "sync.example:8001",
        "path": "/v1/envelopes",
        "query": "",
        "body": '{"header":"AAAA"}',
    }
    stated = asked | {"body": asked["body"].encode()}
    headers = sign_request(key, **stated, created=NOW, nonce=b"n" * 16)  # type: ignore[arg-type]  # by name
    good: dict[str, Any] = asked | {"headers": [list(pair) for pair in headers.items()], "now": NOW}
    twice = [*good["headers"], ["signature", headers["Signature"]]]
    other_tag = [[n, v.replace("sync-v1", "sync-v2")] for n, v in headers.items()]
    return {
        "rfc9421_b_2_6": _RFC_9421_B_2_6,
        "private": key.seed.hex(),
        "public": key.public.raw.hex(),
        "requests": [
            good
            | {"name": "ours", "expect": "ok", "keyid": key.public.kid.hex(), "nonce": "6e" * 16},
            good | {"name": "another method", "method": "PUT", "expect": "signature"},
            good | {"name": "another host", "authority": "sync.example", "expect": "signature"},
            good | {"name": "another path", "path": "/v1/index", "expect": "signature"},
            good | {"name": "another query", "query": "a=b", "expect": "signature"},
            good | {"name": "another body", "body": "{}", "expect": "digest"},
            good | {"name": "a minute later", "now": NOW + 61, "expect": "stale"},
            good | {"name": "a minute early", "now": NOW - 61, "expect": "stale"},
            good | {"name": "a header twice", "headers": twice, "expect": "headers"},
            good | {"name": "no header", "headers": [], "expect": "headers"},
            good | {"name": "another tag", "headers": other_tag, "expect": "profile"},
        ],
    }


# RFC 9421, appendix B.2.6 (and B.1.4 for the key), copied from the standard.
_RFC_9421_B_2_6: dict[str, Any] = {
    "private": "9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5",
    "public": "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb",
    "components": [
        ["date", "Tue, 20 Apr 2021 02:07:55 GMT"],
        ["@method", "POST"],
        ["@path", "/foo"],
        ["@authority", "example.com"],
        ["content-type", "application/json"],
        ["content-length", "18"],
    ],
    "parameters": (
        '("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    ),
    "signature_base": [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        (
            '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" '
            '"content-length");created=1618884473;keyid="test-key-ed25519"'
        ),
    ],
    "signature": (
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    ),
}


def main() -> None:
    for name, vectors in (("receipt", receipt()), ("roster", roster()), ("transport", transport())):
        (FOLDER / f"{name}.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
