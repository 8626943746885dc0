from urllib.parse import urlsplit

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency

from app import clock, db
from app.auth import Viewer, is_own_origin, require_member
from app.errors import Forbidden, Gone, NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.openapi import door
from app.web import address_of, json_body
from referrals.clicks import directory, dwell, examples, visitors, writer
from referrals.clicks.classify import HUMAN
from referrals.clicks.directory import Way
from referrals.clicks.heard import DENIED, GRANTED, consent_of
from referrals.clicks.queries import click_id
from referrals.clicks.schemas import ClickMade, DirectClick, Stay
from referrals.clicks.visit import click_of
from referrals.links import passing


class ClickApi(Controller):
    path = "/clicks"
    tags = ["earn"]

    @post(
        summary="Tell of a visitor who came straight to the shop with somebody's code",
        status_code=201,
        opt=door(takes=examples.direct_click, gives=examples.click_made, refuses=(Forbidden, NotFound, Gone)),
    )
    async def tell(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[ClickMade]:
        """From a page of the shop (its Origin is its key), or with a token of whoever runs the shop.

        A page sends it as `text/plain`, so that the browser need not ask first. The click is kept before the answer.
        """
        told = await json_body(request, DirectClick)
        address = address_of(request)
        visitor = visitors.hash_of(clock.now(), address, request.headers.get("user-agent", "").encode("latin-1"))
        await limit("direct-click", visitor, most=30, per=60)
        origin = request.headers.get("origin", "")
        if origin:
            # A browser's name costs nothing to change. A shop's own server speaks for many from one address.
            await limit("direct-click-from", address, most=120, per=60)
        # By its own code, the one on its QR or a former one: all of them lead to one link and its shop.
        way = await directory.look_up(told.code.lower())
        await _check_shop(viewer, origin, way.store_id if way else None)
        if way is None:
            raise NotFound(_("There is no link with this code. It may have been mistyped."))
        gv = await _keep(request, told, way, address)
        headers = {"Cache-Control": "no-store", "Vary": "Origin"}
        if origin:
            headers["Access-Control-Allow-Origin"] = origin
        return Response(ClickMade(gv), status_code=201, headers=headers)

    @post(
        "/dwell",
        summary="Tell how long a visitor stayed on the page that a click led to",
        status_code=204,
        opt=door(takes=examples.stay, refuses=(Forbidden,)),
    )
    async def tell_dwell(self, request: Request) -> None:
        """From a page of the shop or of ours (its Origin is its key), by `navigator.sendBeacon` when it is left.

        The answer never says whether the click is known: what cannot be true, or must not be kept, is not kept.
        """
        told = await json_body(request, Stay)
        origin = request.headers.get("origin", "")
        if not origin.startswith(("https://", "http://")):
            raise Forbidden(_("Only a page may tell how long it was looked at."))
        address = address_of(request)
        visitor = visitors.hash_of(clock.now(), address, request.headers.get("user-agent", "").encode("latin-1"))
        await limit("dwell", visitor, most=60, per=60)
        # A browser's name costs nothing to change, and a carrier has thousands behind one address.
        await limit("dwell-from", address, most=600, per=60)
        asked = click_id(told.gv)
        if asked is not None and _may_keep(request, told):
            await dwell.keep(asked, told.seconds, origin, is_ours=is_own_origin(origin, request.headers))


def _may_keep(request: Request, told: Stay) -> bool:
    """What the visitor says now counts, also when they had said nothing at the click."""
    if told.consent:
        return told.consent == GRANTED
    return consent_of(dict(request.scope["headers"]), b"") != DENIED


async def _check_shop(viewer: Viewer, origin: str, store_id: int | None) -> None:
    """The page stands on an address of a shop that this link may lead to; a program speaks for whoever runs one."""
    if origin:
        allowed = await db.fetch_val(
            """SELECT 1 FROM store s
                WHERE (s.origin = $1 OR EXISTS (SELECT 1 FROM store_host h WHERE h.store_id = s.id AND h.host = $2))
                  AND s.id = coalesce($3, s.id)""",
            origin,
            urlsplit(origin).netloc.lower(),
            store_id,
        )
    else:
        allowed = viewer.is_admin or await db.fetch_val(
            "SELECT 1 FROM store s WHERE s.owner_id = $1 AND s.id = coalesce($2, s.id)",
            require_member(viewer),
            store_id,
        )
    if not allowed:
        raise Forbidden(_("Only a page of the shop itself, or a token of whoever runs it, may tell of its visitors."))


async def _keep(request: Request, told: DirectClick, way: Way, address: str) -> str | None:
    """The click in the books, and its id when it is a person's who may be recognised.

    A link's days, its number of visits and its password hold here as they do at `/r/`; a password cannot be given here.
    """
    consent = f"gv_consent={told.consent}&" if told.consent else ""
    scope = {
        "method": "GET",
        "client": (address, 0),
        "query_string": (consent + urlsplit(told.page).query).encode(),
        # A script speaks, yet a person opened the page: what the browser says of scripts is not held against them.
        "headers": [
            *(
                pair
                for pair in request.scope["headers"]
                if not pair[0].startswith((b"sec-fetch", b"accept", b"referer"))
            ),
            (b"accept", b"text/html"),
            (b"accept-language", request.headers.get("accept-language", "*").encode("latin-1")),
            (b"referer", told.referrer.encode("latin-1", "replace")),
        ],
    }
    click = click_of(way.link_id, scope, at=clock.now(), address=address, trigger="embed")
    click.blocked = way.blocked
    if not click.blocked and way.turns is not None:
        passage = await directory.pass_by(way, scope, clock.now(), is_person=click.kind == HUMAN)  # type: ignore[arg-type]
        click.blocked, click.variant = passage.blocked, passage.variant
    await writer.write(click)
    if click.blocked:
        raise Gone(_reason(click.blocked))
    return click.id.hex if click.kind == HUMAN and click.consent != DENIED else None


def _reason(blocked: str) -> str:
    return {
        passing.EARLY: _("This link is not open yet."),
        passing.EXPIRED: _("This link was open until a day that has passed."),
        passing.USED_UP: _("This link has let in as many visitors as it may."),
        passing.LOCKED: _("This link asks for a password."),
    }.get(blocked, _("Whoever shared this link has switched it off."))
