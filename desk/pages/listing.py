"""The list of cases: views, a search, sorting, a hundred cases to a page, keys.

Rule: what an operator searches for stands in no address, for a browser keeps those on the disk.
It is posted, and kept in memory under a random name, which the address bears, until Lock.  This is
the one page with a script, for the keys; everything works without it.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from flask import Response, make_response, redirect, render_template, request, url_for
from markupsafe import escape

from desk.cases import desk_alarms
from desk.errors import SearchRefused
from desk.saved_views import NAME_MOST, OURS, SORTS, Views, counted, found, narrowed
from desk.search import QUERY_MOST
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.desk import Desk
    from desk.pages.syncing import Syncing
    from desk.row import Row
    from desk.saved_views import View

PAGE = 100
"""Cases on one page."""
_DIGITS_MOST = 9
REMEMBERED_MOST = 64
"""Searches of one run that their addresses still find."""


class Shared(Protocol):
    """What this needs of the pages: the desk, and one notice to show next."""

    desk: Desk
    syncing: Syncing

    def say(self, notice: str) -> None:
        """Say it on the page that follows."""
        ...

    def take_notice(self) -> str:
        """The notice, which is then gone."""
        ...


@dataclass(slots=True)
class Listing:
    """The list's routes, and what they remember while the pages are open."""

    pages: Shared
    policy: str
    with_keys: bool = True
    _typed: OrderedDict[str, str] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _counts: tuple[object, Mapping[str, int]] = (None, {})
    _is_over: bool = False

    def show(self) -> Response:
        """One page of what a view, and a search within it, finds."""
        desk = self.pages.desk
        views = Views(desk).all()
        view = _by_id(views, request.args.get("show", ""))
        token = request.args.get("s", "")
        typed = self._typed.get(token, "")
        sort = request.args.get("sort", "")
        wanted = narrowed(view, typed, sort if sort in SORTS else "")
        rows = desk.index.rows()
        problem, chosen = "", []
        try:
            chosen = found(desk, wanted, rows)
        except SearchRefused as refused:
            problem = reason(refused)
        last = max(1, -(-len(chosen) // PAGE))
        number = min(_number(request.args.get("page", "")), last)
        shown = chosen[(number - 1) * PAGE : number * PAGE]
        response = make_response(
            render_template(
                "cases.html",
                cases=shown,
                total=len(chosen),
                first=(number - 1) * PAGE + 1,
                number=number,
                last=last,
                view=view,
                views=views,
                counts=self._counted(views, rows),
                everything=len(rows),
                # The operator's own words come back to the letter.
                typed=escape(typed),
                token=token if typed else "",
                forgotten=bool(token and not typed),
                problem=problem,
                sort=wanted.sort,
                sorts=SORTS,
                priorities=_priorities(desk),
                rules=desk.rules,
                today=desk.today(),
                alarms=desk_alarms(desk),
                last_sync=desk.store.noted("last_sync"),
                waiting=len(desk.store.unposted()),
                notice=self.pages.take_notice(),
                doing=self.pages.syncing.doing,
                syncing=self.pages.syncing,
                with_keys=self.with_keys,
                most=QUERY_MOST,
                name_most=NAME_MOST,
            )
        )
        response.headers["Content-Security-Policy"] = f"{self.policy}; script-src 'self'"
        return response

    def search(self) -> BaseResponse:
        """Remember what was typed, and go where it is shown."""
        typed = request.form.get("q", "").strip()[: QUERY_MOST + 1]
        where = {name: request.form.get(name, "") for name in ("show", "sort")}
        if typed:
            where["s"] = self._remember(typed)
        return _to_list(**where)

    def save(self) -> BaseResponse:
        """Keep the search that is shown as a view of the operator's own."""
        views = Views(self.pages.desk)
        view = _by_id(views.all(), request.form.get("show", ""))
        token, sort = request.form.get("s", ""), request.form.get("sort", "")
        shown = narrowed(view, self._typed.get(token, ""), sort)
        try:
            kept = views.save(request.form.get("name", ""), shown.search, shown.sort)
        except SearchRefused as refused:
            self.pages.say(reason(refused))
            return _to_list(show=view.id, sort=sort, s=token)
        self.pages.say(Sentence("The view was saved. Only this desk can read it."))
        return _to_list(show=kept.id)

    def forget(self) -> BaseResponse:
        """Forget a view of the operator's own."""
        try:
            Views(self.pages.desk).forget(request.form.get("show", ""))
        except SearchRefused as refused:
            self.pages.say(reason(refused))
        else:
            self.pages.say(Sentence("The view was forgotten."))
        return _to_list()

    def end(self) -> None:
        """Forget what was searched for, and what was counted, for good: Lock was pressed."""
        with self._lock:
            self._is_over = True
            self._typed.clear()
            self._counts = (None, {})

    def keys(self) -> BaseResponse:
        """Switch the keys on or off, for as long as the pages are open."""
        self.with_keys = not self.with_keys
        where = {name: request.form.get(name, "") for name in ("show", "sort", "s")}
        return _to_list(**where)

    def _remember(self, typed: str) -> str:
        token = secrets.token_hex(8)
        with self._lock:
            if not self._is_over:  # a request that had begun by then ends after it
                self._typed[token] = typed
            while len(self._typed) > REMEMBERED_MOST:
                self._typed.popitem(last=False)
        return token

    def _counted(self, views: Sequence[View], rows: Sequence[Row]) -> Mapping[str, int]:
        """The counts; worked out anew when a row, a view or the day is another."""
        desk = self.pages.desk
        of, counts = self._counts
        asked = (id(rows), views, desk.today())
        if of != asked:
            counts = counted(desk, views, rows)
            with self._lock:
                if not self._is_over:
                    self._counts = (asked, counts)
        return counts


def register(app: Flask, pages: Shared, policy: str) -> Listing:
    """Add the list and its forms; `policy` is the one that pages without a script have."""
    listing = Listing(pages, policy)
    app.add_url_rule("/", "cases", listing.show)
    app.add_url_rule("/search", "search", listing.search, methods=["POST"])
    app.add_url_rule("/views", "save_view", listing.save, methods=["POST"])
    app.add_url_rule("/views/forget", "forget_view", listing.forget, methods=["POST"])
    app.add_url_rule("/keys", "keys", listing.keys, methods=["POST"])
    return listing


def _to_list(**where: str) -> BaseResponse:
    kept: dict[str, Any] = {name: one for name, one in where.items() if one}
    return redirect(url_for("cases", **kept), 303)


def _by_id(views: Sequence[View], untrusted: str) -> View:
    return next((one for one in views if one.id == untrusted), OURS["all"])


def _number(untrusted: str) -> int:
    short = untrusted.isascii() and untrusted.isdigit() and len(untrusted) <= _DIGITS_MOST
    return max(1, int(untrusted)) if short else 1


def _priorities(desk: Desk) -> dict[str, tuple[int, str]]:
    """By id: how urgent it is (0 is the first), and its words."""
    return {
        name: (rank, one.said()) for rank, (name, one) in enumerate(desk.rules.priorities.items())
    }
