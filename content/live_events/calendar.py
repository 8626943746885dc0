"""Events as iCalendar (RFC 5545), for a member's own calendar."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import asyncpg

from app import clock
from app.settings import settings

USUALLY = timedelta(hours=1)
_STATUS = {"planned": "CONFIRMED", "live": "CONFIRMED", "ended": "CONFIRMED", "cancelled": "CANCELLED"}


def calendar_of(events: Sequence[asyncpg.Record]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Grapevine//Live//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for event in events:
        lines += _entry(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _entry(event: asyncpg.Record) -> list[str]:
    address = f"{settings().base_url}/live/{quote(event['slug'])}"
    starts = event["went_live_at"] or event["starts_at"]
    return [
        "BEGIN:VEVENT",
        # The host's own name would let two communities overwrite each other's entries.
        f"UID:live-{event['id']}@{settings().host}",
        f"DTSTAMP:{_moment(clock.now())}",
        f"DTSTART:{_moment(starts)}",
        f"DTEND:{_moment(event['ended_at'] or starts + USUALLY)}",
        f"SEQUENCE:{event['revision']}",
        f"STATUS:{_STATUS[event['state']]}",
        f"SUMMARY:{_text(event['title'])}",
        f"DESCRIPTION:{_text((event['summary'] + chr(10) if event['summary'] else '') + address)}",
        f"URL:{address}",
        f"LOCATION:{_text(event['watch_url'] or address)}",
        "END:VEVENT",
    ]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> list[str]:
    """Lines of at most 75 octets, never broken within a character."""
    parts, part = [], ""
    for sign in line:
        if len((part + sign).encode()) > 75:
            parts.append(part)
            part = " "
        part += sign
    return [*parts, part]
