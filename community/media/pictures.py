"""Pictures from people are opened in a locked-in process (darkroom.py) and come back as plain WebP, or not at all."""

import asyncio
from pathlib import Path

import msgspec

from app.apart import run_apart
from app.errors import Invalid, Problem, TooLarge
from app.i18n import gettext as _

MOST_BYTES = 10 * 1024 * 1024
SECONDS = 20
AT_ONCE = 2
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
DARKROOM = Path(__file__).with_name("darkroom.py")

_rooms: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


class Print(msgspec.Struct, frozen=True):
    """One re-encoded picture."""

    content: bytes
    width: int
    height: int


class _Head(msgspec.Struct):
    prints: list[tuple[int, int, int]] = []
    refused: str = ""


async def develop(raw: bytes, sizes: list[str], *, field: str) -> list[Print]:
    """The picture in each of the sizes (most pixels a side, or `square:N`); Invalid says what to bring instead."""
    if len(raw) > MOST_BYTES:
        raise too_large()
    if problem := _refused_at_sight(raw, field):
        raise problem
    room = _rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    async with room:
        answer = await _ask(raw, sizes)
    if answer is None:
        raise Invalid(field, _("This picture could not be read: it is damaged or incomplete."))
    line, _newline, rest = answer.partition(b"\n")
    head = msgspec.json.decode(line, type=_Head)
    if head.refused:
        raise Invalid(field, _sentence(head.refused))
    prints, at = [], 0
    for length, width, height in head.prints:
        prints.append(Print(rest[at : at + length], width, height))
        at += length
    return prints


def too_large() -> Problem:
    return TooLarge(_("A picture may have up to 10 MB. Please choose a smaller one."))


def _refused_at_sight(raw: bytes, field: str) -> Problem | None:
    """What the first bytes already tell, so that the answer can say what to do."""
    start = raw[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not raw:
        return Invalid(field, _("Please choose a picture."))
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")) or b"<svg" in start:
        return Invalid(
            field, _("SVG drawings can carry programs. Please choose a PNG, JPEG, WebP, AVIF or GIF picture.")
        )
    if raw[4:8] == b"ftyp" and raw[8:12] in HEIC and b"avif" not in raw[8:40]:
        return Invalid(field, _("HEIC photos are not supported. Export it as JPEG, or take a screenshot of it."))
    return None


async def _ask(raw: bytes, sizes: list[str]) -> bytes | None:
    answer = await run_apart(DARKROOM, *sizes, given=raw, seconds=SECONDS)
    return answer if answer and b"\n" in answer else None


def _sentence(refused: str) -> str:
    return {
        "unreadable": _("This is not a picture we can read. Please choose a PNG, JPEG, WebP, AVIF or GIF."),
        "too-many-pixels": _(
            "This picture has too many pixels. Up to 52 million are fine in a JPEG, up to 32 million in other kinds."
        ),
        "animated": _("Moving pictures are not supported. Please choose a still one."),
        "broken": _("This picture could not be read: it is damaged or incomplete."),
    }[refused]
