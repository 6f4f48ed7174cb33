"""The command that says which cases resemble one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from desk import words
from desk.cases import REF_DIGITS, Cases
from desk.console import showing
from desk.program import Setting, json_shape, jsonable, main, print_json, unlocking
from desk.similar import SHOWN_MOST
from desk.similar_cases import SimilarCases, told

if TYPE_CHECKING:
    from pathlib import Path

    from desk.similar import Similar

REASON_SHOWN = 160


@main.command(
    short_help="List the cases that resemble one, and why.",
    epilog=json_shape(
        '--json: {"case": id, "similar": [{"case", "ref", "strength": number,',
        '         "link": ""|"related"|"duplicate",',
        '         "reasons": [{"kind", "value", "strength", "words"}]}]}',
    ),
)
@click.argument("case")
@click.option("--most", type=click.IntRange(1, 1000), default=SHOWN_MOST, show_default=True)
@click.option("--pictures", is_flag=True, help="First look at pictures that are new; see below.")
@jsonable
@unlocking
@click.pass_obj
def similar(  # noqa: PLR0913  # the command's options
    setting: Setting, case: str, *, most: int, pictures: bool, as_json: bool,
    passphrase_file: Path | None,
) -> None:  # fmt: skip
    """List the cases that share something with one: an account, a number, a file, the words.

    What is too common to count stands in similar.toml. Pairs that `link --kind unrelated` says do
    not belong together are left out.

    With --pictures, every picture that was not compared yet is looked at in a worker that is locked
    in; with many it takes a while, once. Nearly the same picture is then a reason, too.
    """
    desk = setting.unlock(passphrase_file)
    found = Cases(desk).find(case)
    cases = SimilarCases(desk)
    with showing() as progress:
        looked = cases.look(progress) if pictures else None
        rows = cases.to(found, most=most, progress=progress)
    if looked is not None:
        click.echo(words.count(looked, "new picture"), err=True)
    if as_json:
        print_json({"case": found.id.hex(), "similar": [similar_json(one) for one in rows]})
        return
    for one in rows:
        linked = f"  ({one.link})" if one.link else ""
        click.echo(f"{_ref(one)}  {one.strength:.1f}{linked}")
        for reason in one.reasons:
            click.echo(f"    {words.cell(told(reason), REASON_SHOWN)}")
    if not rows:
        click.echo("No case here resembles it.")


def similar_json(one: Similar) -> dict[str, object]:
    """The stable shape of one row."""
    return {
        "case": one.case.hex(),
        "ref": _ref(one),
        "strength": round(one.strength, 2),
        "link": one.link,
        "reasons": [{**reason.to_json(), "words": told(reason)} for reason in one.reasons],
    }


def _ref(one: Similar) -> str:
    digits = one.case.hex()[:REF_DIGITS]
    return f"{digits[:4]}-{digits[4:]}"
