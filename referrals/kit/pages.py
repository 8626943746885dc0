import asyncpg
from babel import Locale
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import i18n
from app.auth import Viewer
from app.disclosure import MARKETS, EarningLink
from app.errors import NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.web import address_of, page, redirect
from community.media import storage
from referrals.kit import posters, service
from referrals.kit.channels import CHANNELS, gift_of
from referrals.kit.subjects import offer_of, open_link, subject_of
from referrals.links.queries import could_be_code

FIVE_MINUTES = "public, max-age=300"
GUESSES, PER = 60, 600


class KitPages(Controller):
    """Posters and texts to share a link with, and the page that greets whoever comes by it."""

    include_in_schema = False

    @get("/share/{code:str}/kit")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        asked = request.query_params
        link, subject, offer, kit = await service.kit_of(
            viewer, code, lang=asked.get("in", ""), market=asked.get("market", "")
        )
        return page(
            request,
            viewer,
            "referrals/kit/show.html",
            link=link,
            subject=subject,
            kit=kit,
            greeting=EarningLink(f"/hi/{link['code']}", kit.market),
            posters={poster.shape: poster for poster in kit.posters},
            markets=_markets(may_be_any=not offer.market),
            channels={channel.name: channel for channel in CHANNELS},
        )

    @get(["/r/{code:str}/poster.png", "/r/{code:str}/card.jpg"])
    async def poster(self, request: Request, code: FromPath[str]) -> Response[bytes]:
        """Anybody's to see, as a poster is; what a stranger may not read has none."""
        file, lang = request.scope["path"].rpartition("/")[2], request.query_params.get("in", "en")
        shape = posters.CARD if file == "card.jpg" else request.query_params.get("shape", "poster")
        if shape not in posters.SHAPES or posters.file_of(shape) != file or lang not in i18n.LANGUAGES:
            raise NotFound()
        link = await _asked_for(request, code)
        sheet = await posters.sheet_of(link, shape, lang)
        tag = f'"{posters.digest_of(sheet)}"'
        headers = {"ETag": tag, "Cache-Control": FIVE_MINUTES, "X-Robots-Tag": "noindex"}
        if request.headers.get("if-none-match") == tag:
            return Response(b"", status_code=304, headers=headers)
        _digest, picture = await posters.poster(link, sheet, shape, lang, asked_by=address_of(request))
        headers["Content-Disposition"] = f'inline; filename="{link["code"]}-{shape}.{file[-3:]}"'
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return Response(picture, media_type=storage.media_type_of(file), headers=headers)

    @get("/hi")
    async def ask_for_code(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """For places where links are blocked: a code one can say, write on a hand, or put under a picture."""
        given = request.query_params.get("code", "").strip().lower()[:60]
        if given and could_be_code(given):
            return redirect(f"/hi/{given}")
        problem = _("A code has letters a–z, digits, - and _ only.") if given else ""
        return _unindexed(page(request, viewer, "referrals/kit/ask.html", given=given, problem=problem))

    @get("/hi/{code:str}")
    async def greet(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        """Whoever was told of this by somebody: who it was, what it is, what they get. Looking is not yet a click."""
        link = await _asked_for(request, code)
        subject, offer = await subject_of(link), await offer_of(link)
        owner = await service.owner_of(link)
        return _unindexed(
            page(
                request,
                viewer,
                "referrals/kit/greet.html",
                link=link,
                subject=subject,
                owner=owner,
                gift=gift_of(offer.friend, offer.currency) if offer.friend else "",
                way=EarningLink(f"/r/{link['code']}", offer.market),
                card_url=service.poster_url(link["code"], "card", i18n.current()),
            )
        )


async def _asked_for(request: Request, code: str) -> asyncpg.Record:
    """The link. Whoever asks for many that do not exist is guessing, and waits; a crowd at a poster is not."""
    try:
        return await open_link(code)
    except NotFound:
        await limit("guess-code", address_of(request), most=GUESSES, per=PER)
        raise


def _markets(*, may_be_any: bool) -> list[tuple[str, str]]:
    """The countries whose rule for labels we know, by their names in the reader's language."""
    names = Locale.parse(i18n.current(), sep="-").territories
    known = sorted(((code, names[code]) for code in MARKETS), key=lambda market: market[1])
    return [("", _("anywhere")), *known] if may_be_any else known


def _unindexed(response: Response) -> Response:
    response.headers |= {"X-Robots-Tag": "noindex"}
    return response
