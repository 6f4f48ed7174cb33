"""The commands of both sides, from a service's key to the proof, as people type them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from crypto.package import service_fingerprint, service_from_text, service_to_text
from crypto.package_opening import ServicePrivateKey
from desk.custody import Agreed
from desk.identity import OpenedIdentity
from desk.transmission import services
from desk.transmission.cli import main as package_main
from tests.desk.running import running
from tests.desk.transmission.conftest import SERVICE, UNIT
from tests.desk.world import CHEAP, JPEG, TODAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from tests.desk.transmission.conftest import Handing

    Run = Callable[..., Result]


@pytest.fixture
def run(handing: Handing, phrase: Path) -> Run:
    return running(handing.desk.home.folder, phrase)


@pytest.fixture
def package(phrase: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        asked = ("--passphrase-file", str(phrase)) if arguments[0] in ("keygen", "open") else ()
        return CliRunner().invoke(package_main, [*arguments, *asked], obj=CHEAP)

    return invoke


def test_from_a_new_key_to_what_was_proven(
    ready: Handing, run: Run, package: Run, tmp_path: Path
) -> None:
    made = package("keygen", "--to", str(tmp_path / "unit"), "--name", "unit")
    assert made.exit_code == 0
    digits = service_fingerprint(service_from_text((tmp_path / "unit" / "unit.pub").read_text()))
    assert digits in made.output
    (ready.desk.home.services / "cyber_unit.pub").unlink()
    bound = run("service-key", "cyber_unit", str(tmp_path / "unit" / "unit.pub"), input="y\n")
    assert (bound.exit_code, digits in bound.output) == (0, True)
    listed = json.loads(run("services", "--json").output)["services"]
    assert {one["service"]: one["fingerprint"] for one in listed}["cyber_unit"] == digits
    assert "no key yet" in run("services").output

    sealed, root = tmp_path / "case.amana", tmp_path / "root.pub"
    root.write_text(ready.root_line)
    sent = run("transmit", ready.case.ref, "--to", str(sealed))
    assert sent.exit_code == 0, sent.output
    assert "transmitted to cyber_unit" in sent.output
    opened = package(
        "open", str(sealed), "--key", str(tmp_path / "unit" / "unit.key"), "--root", str(root),
        "--to", str(tmp_path / "opened"),
    )  # fmt: skip
    assert opened.exit_code == 0, opened.output
    assert "PROVEN: signed by 'operator 1'" in opened.output
    assert "in clear" in opened.output
    assert (tmp_path / "opened" / "evidence" / "photo-1.jpg").read_bytes() == JPEG
    assert package("verify", str(tmp_path / "opened"), "--root", str(root)).exit_code == 0
    assert package("verify", str(tmp_path / "opened")).exit_code == 3
    (tmp_path / "opened" / "evidence" / "photo-1.jpg").write_bytes(b"x")
    wrong = package("verify", str(tmp_path / "opened"), "--root", str(root), "--json")
    told = json.loads(wrong.output)
    assert (wrong.exit_code, told["proven"]) == (1, False)
    assert told["findings"][0]["what"] == "evidence/photo-1.jpg"


def test_what_is_altered_or_not_understood_ends_with_an_error(
    ready: Handing, package: Run, tmp_path: Path
) -> None:
    sealed = ready.transmit().path
    key = tmp_path / "keys" / "unit.key"
    package("keygen", "--to", str(key.parent), "--name", "unit")
    root = tmp_path / "root.pub"
    root.write_text(ready.root_line)
    arguments = ("--key", str(key), "--root", str(root), "--to", str(tmp_path / "opened"))
    other = package("open", str(sealed), *arguments)
    assert (other.exit_code, "another key" in other.output) == (1, True)
    root.write_bytes(b"\xff")
    assert package("open", str(sealed), *arguments).exit_code == 1
    assert package("verify", str(tmp_path / "none")).exit_code == 1
    assert package("open", str(sealed)).exit_code == 2
    again = package("keygen", "--to", str(key.parent), "--name", "unit")
    assert (again.exit_code, "exists already" in again.output) == (1, True)
    (tmp_path / "locked").mkdir()


def test_a_folder_that_cannot_be_read_is_said_calmly(
    ready: Handing, package: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ready.transmit("print", in_clear=True).path

    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied", "case.json")

    monkeypatch.setattr("desk.transmission.proof._measured", refuse)
    done = package("verify", str(folder))
    assert (done.exit_code, "case.json: Permission denied" in done.output) == (1, True)


def test_the_package_that_was_opened_is_said_in_json(
    ready: Handing, package: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed, root = ready.transmit().path, tmp_path / "root.pub"
    root.write_text(ready.root_line)
    monkeypatch.setattr("desk.transmission.cli.read_key", lambda *_: SERVICE)
    done = package(
        "open", str(sealed), "--key", "x", "--root", str(root), "--to", str(tmp_path / "o"),
        "--json",
    )  # fmt: skip
    told = json.loads(done.output)
    assert (done.exit_code, told["proven"], told["signer"]) == (0, True, "operator 1")
    assert told["case"] == ready.case.id.hex()


# --- keys of services


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [((), "n\n"), (("--fingerprint", "12345 " * 8), None)],
    ids=["asked", "given"],
)
def test_a_key_that_does_not_agree_is_not_kept(
    handing: Handing, run: Run, tmp_path: Path, arguments: tuple[str, ...], typed: str | None
) -> None:
    other = ServicePrivateKey.generate().public
    path = tmp_path / "other.pub"
    path.write_text(service_to_text(other))
    done = run("service-key", "cyber_unit", str(path), *arguments, input=typed)
    assert (done.exit_code, "another key" in done.output) == (1, True)
    assert services.key_of(handing.desk, "cyber_unit") == SERVICE.public
    digits = service_fingerprint(other)
    assert run("service-key", "cyber_unit", str(path), "--fingerprint", digits).exit_code == 0
    assert services.key_of(handing.desk, "cyber_unit") == other


def test_what_is_no_key_no_service_or_another_services_key_is_refused(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "key.pub"
    for content in (
        b"\xff\xfe",
        b"amana-service+00",
        service_to_text(SERVICE.public).encode()[:-9],
    ):
        path.write_bytes(content)
        assert run("service-key", "cyber_unit", str(path)).exit_code == 1
    assert run("service-key", "cyber_unit", str(tmp_path / "none")).exit_code == 1
    path.write_text(service_to_text(SERVICE.public))
    taken = run("service-key", "regional_unit", str(path), input="y\n")
    assert "already cyber_unit's" in taken.output
    unknown = run("service-key", "nobody", str(path), input="y\n")
    assert (unknown.exit_code, "know no such service" in unknown.output) == (1, True)


# --- transmit


def test_a_folder_is_said_to_be_in_clear(ready: Handing, run: Run) -> None:
    ready.act(
        "quarantine",
        {"file": ready.files[0].id.hex(), "sha256": "ab" * 32, "custodian": "c", "text": ""},
    )
    done = run("transmit", ready.case.ref, "--folder", str(ready.folder / "print"))
    assert done.exit_code == 0, done.output
    assert "IN CLEAR" in done.output
    assert "left out (quarantined)" in done.output


def test_json_says_what_was_left_out_and_whether_it_was_sent(ready: Handing, run: Run) -> None:
    done = run("transmit", ready.case.ref, "--to", str(ready.folder / "x"), "--json")
    told = json.loads(done.output)
    assert (told["files"], told["left_out"], told["sent"]) == (2, [], True)


@pytest.mark.parametrize(
    "arguments",
    [(), ("--to", "x", "--folder", "y"), ("--to", "x", "--custody-answer", "a")],
    ids=["nowhere", "both", "answers alone"],
)
def test_a_command_line_that_cannot_be_meant_writes_nothing(
    ready: Handing, run: Run, arguments: tuple[str, ...]
) -> None:
    assert run("transmit", ready.case.ref, *arguments).exit_code == 2
    assert ready.case.state == "ready"


def test_what_is_not_ready_is_refused_before_custody_is_asked(handing: Handing, run: Run) -> None:
    handing.begin()
    done = run(
        "transmit", handing.case.ref, "--to", "x", "--service", UNIT.service, "--basis",
        UNIT.basis, "--custody-request", "none", "--custody-answer", "none",
    )  # fmt: skip
    assert (done.exit_code, "does not lead to" in done.output) == (1, True)


def test_the_custodians_answers_put_the_identity_into_the_annex(
    ready: Handing, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crypto.manifest import IdentityManifest  # noqa: PLC0415  # one test's

    who = IdentityManifest(
        identity_mode="full_identity", identity={"name": "Yasmina B."}, safe_contact={}
    )
    asked: list[Any] = []

    opened = OpenedIdentity("00" * 16, TODAY, who)

    def agreed_to(*given: Any) -> Agreed:
        asked.append(given[2:])
        return Agreed((opened,), "ab" * 32, "To call them.", ("custodian 1",), given[1])

    monkeypatch.setattr("desk.commands_of_transmission.agreed_to", agreed_to)
    monkeypatch.setattr("desk.commands_of_transmission.request_id", lambda _, text: text.encode())
    letters = [tmp_path / "request", tmp_path / "answer"]
    for one in letters:
        one.write_text(one.name)
    out = ready.folder / "print"
    custody = ("--custody-request", str(letters[0]), "--custody-answer", str(letters[1]))
    done = run("transmit", ready.case.ref, "--folder", str(out), *custody)
    assert done.exit_code == 0, done.output
    assert asked == [(b"request", ["answer"])]
    assert b"Yasmina B." in (out / "identity-annex.json").read_bytes()
    letters[1].write_bytes(b"\xff")
    ready.last = ready.case.heads[0]
    ready.state("returned", text="no")
    ready.state("ready", service=UNIT.service, basis=UNIT.basis)
    refused = run("transmit", ready.case.ref, "--folder", str(out) + "2", *custody)
    assert (refused.exit_code, "cannot be read as a letter" in refused.output) == (1, True)
