"""Posters of links: printed by a process of its own (press.py), kept until what is on them changes."""

import asyncio
import hashlib
from pathlib import Path

import asyncpg
import msgspec
import segno

from app import clock, db, i18n
from app.apart import run_apart
from app.disclosure import mark, sentence
from app.errors import NotFound, Unavailable
from app.i18n import gettext as _
from app.limits import limit
from app.money import format_money
from app.settings import settings
from app.web import FRONTEND
from community.media import storage
from community.members.queries import AVATAR_URL
from referrals.kit.subjects import offer_of, subject_of
from referrals.links.views import scan_url_of

# Width, height, and whether it holds a code to scan.
SHAPES = {
    "poster": (1080, 1440, True),
    "story": (1080, 1920, True),
    "square": (1080, 1080, True),
    "plain": (1080, 1440, False),
    "card": (1200, 630, False),
}
# Chat apps leave out the picture of a preview that is larger than some 600 KB: a photo as PNG was 778, as JPEG 186.
CARD = "card"
PRESS = Path(__file__).with_name("press.py")
LETTERS = FRONTEND / "static" / "build" / "letters"
SECONDS = 15
AT_ONCE = 2
# Counted up when the same sheet is to look another way.
EDITION = 1

# Who waits behind so many will have gone before the poster is there.
MOST_WAITING = 24

_rooms: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}
_printing: dict[str, asyncio.Task[bytes]] = {}


class Sheet(msgspec.Struct):
    """All that is on a poster. Its digest is the poster's name."""

    width: int
    height: int
    title: str
    quote: str
    price: str
    store: str
    hue: int
    name: str
    handle: str
    face_hue: int
    initials: str
    saying: str
    disclosure: str
    mark: str
    hint: str
    qr: list[str]
    passcode: str
    passcode_is: str
    where: str
    thing_key: str
    face_key: str
    letters: str = ""
    pictures: list[int] = []


async def sheet_of(link: asyncpg.Record, shape: str, lang: str) -> Sheet:
    """What the poster says, in its own language, which need not be that of whoever asks for it."""
    owner = await db.fetch_one("SELECT id, handle, name, avatar_key FROM member WHERE id = $1", link["owner_id"])
    assert owner is not None
    width, height, is_scanned = SHAPES[shape]
    with i18n.speaking(lang):
        subject, offer = await subject_of(link), await offer_of(link)
        return Sheet(
            width=width,
            height=height,
            title=subject.title,
            quote=subject.quote,
            price=format_money(subject.price) if subject.price else "",
            store=_("at %(store)s", store=subject.store) if subject.store else "",
            hue=(link["target_id"] or link["id"]) * 5 % 12,
            name=owner["name"] or owner["handle"],
            handle=owner["handle"],
            face_hue=owner["id"] * 5 % 12,
            initials=_initials(owner["name"] or owner["handle"]),
            saying=_("shares this with you"),
            disclosure=sentence(),
            mark=mark(lang, offer.market),
            hint=_("Scan it to see what people say.") if is_scanned else "",
            # Only paper shows the scan code, so whoever comes by it came from there.
            qr=_modules(scan_url_of(link)) if is_scanned else [],
            passcode=link["code"],
            passcode_is=_("Code to type"),
            where=f"{settings().host}/hi",
            thing_key=_key_of(subject.picture),
            face_key=owner["avatar_key"],
        )


async def poster(link: asyncpg.Record, sheet: Sheet, shape: str, lang: str, *, asked_by: str) -> tuple[str, bytes]:
    """The digest and the picture of a sheet, printed only when it is not kept already."""
    digest = digest_of(sheet)
    if await _kept(link["id"], shape, lang) == digest:
        try:
            return digest, await storage.get(_key(digest, shape))
        except NotFound:
            pass  # Somebody emptied the storage: print it again.
    await limit("poster", asked_by, most=60, per=600)
    await limit("poster-of", link["id"], most=120, per=3600)
    # Many who ask at once for the same sheet cause one print. Shielded: one of them going away must not stop it.
    if digest not in _printing:
        if len(_printing) >= MOST_WAITING:
            raise Unavailable(_("The poster could not be printed just now. Please try again in a moment."))
        _printing[digest] = asyncio.create_task(_make(link["id"], sheet, shape, lang, digest))
    return digest, await asyncio.shield(_printing[digest])


async def _make(link_id: int, sheet: Sheet, shape: str, lang: str, digest: str) -> bytes:
    try:
        picture = await _print(sheet)
        await storage.put(_key(digest, shape), picture)
        await _remember(link_id, shape, lang, digest)
        return picture
    finally:
        _printing.pop(digest, None)


def digest_of(sheet: Sheet) -> str:
    return hashlib.blake2b(msgspec.json.encode((EDITION, sheet)), digest_size=16).hexdigest()


async def forget_of(member_id: int) -> None:
    """A person who left takes name and face off every poster."""
    await _forget(
        """DELETE FROM poster WHERE link_id IN (SELECT id FROM link WHERE owner_id = $1)
           RETURNING digest, shape""",
        member_id,
    )


async def forget_old() -> None:
    """Posters nobody needed anew for a month: whoever asks gets them printed again."""
    await _forget(
        "DELETE FROM poster WHERE made_at < $1::timestamptz - interval '30 days' RETURNING digest, shape", clock.now()
    )


async def _forget(query: str, argument: object) -> None:
    for row in await db.fetch(query, argument):
        await storage.forget(_key(row["digest"], row["shape"]))


async def _kept(link_id: int, shape: str, lang: str) -> str | None:
    return await db.fetch_val(
        "SELECT digest FROM poster WHERE link_id = $1 AND shape = $2 AND lang = $3", link_id, shape, lang
    )


async def _remember(link_id: int, shape: str, lang: str, digest: str) -> None:
    former = await _kept(link_id, shape, lang)
    await db.execute(
        """INSERT INTO poster (link_id, shape, lang, digest, made_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT ON CONSTRAINT poster_once DO UPDATE SET digest = excluded.digest, made_at = excluded.made_at""",
        link_id,
        shape,
        lang,
        digest,
        clock.now(),
    )
    if former and former != digest:
        await storage.forget(_key(former, shape))


async def _print(sheet: Sheet) -> bytes:
    pictures = [await _picture(sheet.thing_key), await _picture(sheet.face_key)]
    order = msgspec.structs.replace(sheet, letters=str(LETTERS), pictures=[len(picture) for picture in pictures])
    room = _rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    async with room:
        printed = await _ask(msgspec.json.encode(order) + b"\n" + b"".join(pictures))
    if printed is None:
        raise Unavailable(_("The poster could not be printed just now. Please try again in a moment."))
    return printed


async def _picture(key: str) -> bytes:
    """A picture that is gone leaves its place empty."""
    try:
        return await storage.get(key) if key else b""
    except NotFound:
        return b""


async def _ask(order: bytes) -> bytes | None:
    """The press's picture, or None when it failed or took too long."""
    printed = await run_apart(PRESS, given=order, seconds=SECONDS)
    return printed if printed and printed.startswith((b"\x89PNG", b"\xff\xd8")) else None


def _modules(url: str) -> list[str]:
    """Error level Q: a quarter of the code may be smudged."""
    code = segno.make(url, error="q", micro=False)
    return ["".join("1" if dark else "0" for dark in row) for row in code.matrix]


def _initials(name: str) -> str:
    """Two letters of a Latin name, one sign of a Chinese one."""
    words = name.split() or ["?"]
    if words[0][0] > "⺀":
        return words[0][0]
    return (words[0][0] + words[-1][0]).upper() if len(words) > 1 else words[0][:2].upper()


def file_of(shape: str) -> str:
    """What the picture is called below its link."""
    return "card.jpg" if shape == CARD else "poster.png"


def _key(digest: str, shape: str) -> str:
    return f"posters/{digest}.{file_of(shape).rpartition('.')[2]}"


def _key_of(picture: str) -> str:
    """The storage key behind a path of ours; anything else is no picture of ours."""
    key = picture.removeprefix(AVATAR_URL)
    return key if picture.startswith(AVATAR_URL) and storage.is_key(key) else ""
