"""The kit of a link: its posters, and a text for every place."""

import asyncpg

from app import db, i18n
from app.auth import Viewer, require_member
from app.disclosure import MARKETS, mark, sentence
from app.errors import Gone, NotFound
from app.i18n import gettext as _
from app.settings import settings
from community.members.queries import AVATAR_URL
from referrals.kit.channels import CHANNELS, Channel, text_for
from referrals.kit.posters import CARD, SHAPES, file_of
from referrals.kit.schemas import KitView, PosterView, ShareText
from referrals.kit.subjects import Offer, Subject, offer_of, open_link, subject_of
from referrals.links.views import url_of_link


async def kit_of(
    viewer: Viewer, code: str, *, lang: str, market: str, scope: str = "read"
) -> tuple[asyncpg.Record, Subject, Offer, KitView]:
    """The viewer's own link with its kit. `lang` and `market` are of those who will read it; empty: as the page, as
    the programme."""
    member_id = require_member(viewer, scope)
    link = await open_link(code)
    if link["owner_id"] != member_id:
        raise NotFound()
    lang = lang if lang in i18n.LANGUAGES else i18n.current()
    with i18n.speaking(lang):
        subject, offer = await _public_subject(link), await offer_of(link)
        market = market if market in MARKETS else offer.market
        kit = KitView(
            url=url_of_link(link),
            greeting_url=f"{settings().base_url}/hi/{link['code']}",
            label=mark(lang, market),
            disclosure=sentence(),
            lang=lang,
            market=market,
            posters=[
                PosterView(shape, width, height, poster_url(link["code"], shape, lang))
                for shape, (width, height, _is_scanned) in SHAPES.items()
            ],
            texts=[_text(channel, link, subject, offer, lang, market) for channel in CHANNELS],
        )
    return link, subject, offer, kit


async def _public_subject(link: asyncpg.Record) -> Subject:
    try:
        return await subject_of(link)
    except (NotFound, Gone) as hidden:
        raise NotFound(
            _("Not everybody may see this, so it has no posters and no texts. The link works for those who may.")
        ) from hidden


def _text(channel: Channel, link: asyncpg.Record, subject: Subject, offer: Offer, lang: str, market: str) -> ShareText:
    shared = text_for(
        channel,
        subject,
        offer,
        label=mark(lang, market),
        url=url_of_link(link),
        code=link["code"],
        where=f"{settings().host}/hi",
    )
    return ShareText(channel.name, shared.text, channel.shape, channel.intent(shared) if channel.intent else "")


def poster_url(code: str, shape: str, lang: str) -> str:
    # Not `lang`: that one would change the reader's own language for good.
    if shape == CARD:
        return f"{settings().base_url}/r/{code}/{file_of(shape)}?in={lang}"
    return f"{settings().base_url}/r/{code}/{file_of(shape)}?shape={shape}&in={lang}"


async def owner_of(link: asyncpg.Record) -> asyncpg.Record:
    """Who shares it, as a page shows a member."""
    row = await db.fetch_one(
        f"""SELECT id, handle, name, coalesce('{AVATAR_URL}' || nullif(avatar_key, ''), '') AS avatar_url
              FROM member WHERE id = $1""",
        link["owner_id"],
    )
    assert row is not None
    return row
