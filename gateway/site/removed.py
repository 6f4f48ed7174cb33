"""One sentence for the reporter: what was taken out of their files, by kind and never by value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from gateway.handed import StagedFile
    from gateway.site.words import Words

# What a person fears first comes first; whatever has no words of its own is "other hidden things".
_TOLD = {
    "place": frozenset({"gps", "location_track"}),
    "serial": frozenset({"camera_serial"}),
    "camera": frozenset({"camera_model", "maker_note"}),
    "time": frozenset({"capture_time"}),
    "author": frozenset({"author"}),
    "preview": frozenset({"thumbnail", "cover"}),
}
_OTHER = "other"
# Told, and not removed: without those frames the first one that is shown cannot be decoded.
_STILL_THERE = "cut_frames"


def sentence(words: Words, files: Sequence[StagedFile]) -> Markup | None:
    """Return "We removed the place and the phone's serial number from your photo", or None.

    ``files`` are clean copies; None where nothing had to go.  Where a video still holds something
    that its maker cut away, a second sentence says so, and what to do.
    """
    gone = _gone(words, [one for one in files if set(one.removed) - {_STILL_THERE}])
    if not any(_STILL_THERE in one.removed for one in files):
        return gone
    warning = words("removed.still_there")
    return warning if gone is None else gone + " " + warning


def _gone(words: Words, cleaned: list[StagedFile]) -> Markup | None:
    if not cleaned:
        return None
    found = {kind for one in cleaned for kind in one.removed} - {_STILL_THERE}
    things = [name for name, kinds in _TOLD.items() if kinds & found]
    if found - frozenset().union(*_TOLD.values()):
        things.append(_OTHER)
    return words(
        "removed.sentence",
        things=_listed(words, [words(f"removed.{name}") for name in things]),
        files=words(f"removed.from.{_whose(cleaned)}"),
    )


def _listed(words: Words, things: list[Markup]) -> Markup:
    if len(things) == 1:
        return things[0]
    first = words("write.comma").join(things[:-1])
    return words("removed.and", first=first, second=things[-1])


def _whose(files: Sequence[StagedFile]) -> str:
    kinds = {one.name.partition("-")[0] for one in files}
    if len(kinds) > 1:
        return "files"
    return kinds.pop() + ("s" if len(files) > 1 else "")
