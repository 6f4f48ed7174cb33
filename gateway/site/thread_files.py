"""The files of a conversation: with a message, and those of a page that was open for too long.

Such a page opens nothing: its code is asked for again.  What comes with it is cleaned and sealed
all the same, and waits, in the page's old token, for that code.  Claims C-TYPED, C-CHILD.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from flask import request

from gateway.errors import Busy, NoValidRoster
from gateway.places import VALID_SECONDS
from gateway.site import files
from gateway.site.tokens import ThreadToken, TokenExpired, TokenInvalid

if TYPE_CHECKING:
    from crypto.receipt import ReceiptKeys
    from gateway.handed import StagedFile
    from gateway.site.context import Site
    from gateway.upload import UploadRequest


def thread_token(site: Site, name: str = "token") -> ThreadToken:
    """Read a conversation's token from this request.  Raises TokenInvalid, TokenExpired."""
    return ThreadToken.open(
        site.intake.token_key,
        request.form.get(name, ""),
        now=site.clock.now(),
        seconds=site.config.times.form_seconds,
    )


def came_with(
    site: Site, token: ThreadToken, keys: ReceiptKeys, *, withdrawing: bool
) -> files.Batch:
    """(2)…(5), unless no file may come with this case, or all is to be erased."""
    upload = cast("UploadRequest", request)
    may_come = not site.intake.state_of(keys).no_files
    if may_come and not withdrawing:
        most = site.config.site.files
        return files.receive(upload, site.intake, token.case, token.files, most=most)
    destroyed = files.destroy(site.intake, token.files, upload)
    return replace(destroyed, destroyed=destroyed.destroyed and not may_come)


def came_too_late(site: Site, old: ThreadToken, *, withdrawing: bool) -> tuple[files.Batch, str]:
    """Keep what came with a page past its time; returns it, and the sentence that tells it."""
    batch = files.Batch(kept=old.files)
    if files.arrived(cast("UploadRequest", request)):
        try:
            # Whoever brings a file is as good as late: no page could hold it.
            keys = site.intake.keys_of(old.code, VALID_SECONDS)
            batch = came_with(site, old, keys, withdrawing=withdrawing)
        except (Busy, NoValidRoster):
            return batch, "error.old_form"
    if batch.destroyed:
        return batch, "talk.destroyed"
    kept = site.intake.still_there(batch.kept)
    is_whole = len(kept) == len(batch.kept) and not batch.refused
    batch = replace(batch, kept=kept)
    if not is_whole:
        return batch, "error.old_form"
    return batch, "error.old_talk_kept" if kept else "error.old_talk"


def files_before(site: Site, token: ThreadToken) -> tuple[StagedFile, ...]:
    """What is still there of the files of this conversation's page that was open too long."""
    try:
        thread_token(site, "old")
    except TokenExpired as expired:
        old = cast("ThreadToken", expired.token)
        if (old.case, old.code) == (token.case, token.code):
            return site.intake.still_there(old.files)
    except TokenInvalid:
        pass
    return ()
