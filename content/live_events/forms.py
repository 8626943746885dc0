"""What the pages' forms send: texts, which become what the JSON doors take."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from app.errors import Invalid
from app.i18n import gettext as _
from app.web import convert
from content.live_events.schemas import LiveChange, NewLive, NewPin

Short = Annotated[str, Meta(max_length=400)]


class LiveForm(msgspec.Struct):
    title: Short = ""
    starts_at: Annotated[str, Meta(max_length=40)] = ""
    zone: Annotated[str, Meta(pattern=r"^(-?[0-9]{1,4})?$")] = ""
    """Minutes that the writer's clock is ahead of UTC; a browser with scripts says it."""
    summary: Annotated[str, Meta(max_length=8000)] = ""
    lang: Annotated[str, Meta(max_length=20)] = "en"
    group: Annotated[str, Meta(max_length=100)] = ""
    store: Annotated[str, Meta(max_length=100)] = ""
    watch_url: Annotated[str, Meta(max_length=2000)] = ""


class PinForm(msgspec.Struct):
    product: Annotated[str, Meta(max_length=2000)] = ""
    note: Short = ""


class QuestionForm(msgspec.Struct):
    client_id: UUID
    question: Annotated[str, Meta(max_length=20_000)] = ""


class SettleForm(msgspec.Struct):
    how: Annotated[str, Meta(pattern="^(answered|dismissed|raised)$")]


class VoteForm(msgspec.Struct):
    vote: Annotated[str, Meta(pattern="^(on|off)$")] = "on"


class ChoiceForm(msgspec.Struct):
    option: Annotated[int, Meta(ge=1, le=100)]


class PollForm(msgspec.Struct):
    question: Short = ""
    options: Annotated[str, Meta(max_length=2000)] = ""
    """One a line."""


class SegmentForm(msgspec.Struct):
    body: Annotated[str, Meta(max_length=8000)] = ""
    offset: Annotated[str, Meta(max_length=20)] = ""


class TranscriptForm(msgspec.Struct):
    text: Annotated[str, Meta(max_length=1_000_000)] = ""


class HostForm(msgspec.Struct):
    handle: Short = ""


class AnswerForm(msgspec.Struct):
    answer: Annotated[str, Meta(pattern="^(yes|no)$")]


class StateForm(msgspec.Struct):
    state: Annotated[str, Meta(pattern="^(live|ended|cancelled)$")]


class GuideForm(msgspec.Struct):
    segment: list[str] = []


def new_live(given: LiveForm) -> NewLive:
    values = {name: getattr(given, name) for name in ("title", "summary", "lang", "group", "store", "watch_url")}
    return convert({**values, "starts_at": _hour(given)}, NewLive, strict=False)


def live_change(given: LiveForm) -> LiveChange:
    values = {name: getattr(given, name) for name in ("title", "summary", "lang", "watch_url")}
    return convert({**values, "starts_at": _hour(given)}, LiveChange, strict=False)


def values_of(event: asyncpg.Record) -> dict[str, str]:
    """The form as the event stands, in UTC."""
    kept = {name: event[name] for name in ("title", "summary", "lang", "watch_url")}
    return {**kept, "starts_at": f"{event['starts_at']:%Y-%m-%dT%H:%M}", "zone": ""}


def new_pin(given: PinForm) -> NewPin:
    """The product by its address here, or the last part of it."""
    slug = slug_in(given.product)
    if not slug:
        raise Invalid("product", _("Please fill this in."))
    return convert({"product": slug, "note": given.note}, NewPin, strict=True)


def slug_in(address: str) -> str:
    """`trail-pack` of `https://here.example/p/trail-pack?sort=new`."""
    return address.strip().split("?")[0].split("#")[0].rstrip("/").rpartition("/")[2]


def seconds_of(given: str) -> int | None:
    """`12:04` or `724` as seconds; None for nothing."""
    given = given.strip()
    if not given:
        return None
    parts = given.split(":")
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise Invalid("offset", _("A time like 12:04, please."))
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds


def _hour(given: LiveForm) -> datetime:
    try:
        at = datetime.fromisoformat(given.starts_at.strip())
    except ValueError:
        raise Invalid("starts_at", _("A day and an hour, please.")) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC) - timedelta(minutes=int(given.zone or 0))
    return at.astimezone(UTC)
