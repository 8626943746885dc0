from urllib.parse import urlsplit

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Forbidden, Gone, NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.openapi import door
from app.web import json_body
from referrals.clicks import directory, examples, visitors, writer
from referrals.clicks.classify import HUMAN
from referrals.clicks.heard import DENIED
from referrals.clicks.schemas import ClickMade, DirectClick
from referrals.clicks.visit import click_of


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
        address = request.client.host if request.client else ""
        visitor = visitors.hash_of(clock.now(), address, request.headers.get("user-agent", "").encode("latin-1"))
        await limit("direct-click", visitor, most=30, per=60)
        origin = request.headers.get("origin", "")
        if origin:
            # A browser's name costs nothing to change. A shop's own server speaks for many from one address.
            await limit("direct-click-from", address, most=120, per=60)
        await _check_shop(viewer, origin, told.code)
        gv = await _keep(request, told, address)
        headers = {"Cache-Control": "no-store", "Vary": "Origin"}
        if origin:
            headers["Access-Control-Allow-Origin"] = origin
        return Response(ClickMade(gv), status_code=201, headers=headers)


async def _check_shop(viewer: Viewer, origin: str, code: str) -> None:
    """The page stands on an address of a shop that this link may lead to; a program speaks for whoever runs one."""
    if origin:
        allowed = await db.fetch_val(
            """SELECT 1 FROM store s
                WHERE (s.origin = $1 OR EXISTS (SELECT 1 FROM store_host h WHERE h.store_id = s.id AND h.host = $2))
                  AND s.id = coalesce((SELECT store_id FROM link WHERE code = $3), s.id)""",
            origin,
            urlsplit(origin).netloc.lower(),
            code.lower(),
        )
    else:
        allowed = viewer.is_admin or await db.fetch_val(
            """SELECT 1 FROM store s WHERE s.owner_id = $1
                  AND s.id = coalesce((SELECT store_id FROM link WHERE code = $2), s.id)""",
            require_member(viewer),
            code.lower(),
        )
    if not allowed:
        raise Forbidden(_("Only a page of the shop itself, or a token of whoever runs it, may tell of its visitors."))


async def _keep(request: Request, told: DirectClick, address: str) -> str | None:
    """The click in the books, and its id when it is a person's who may be recognised."""
    way = await directory.look_up(told.code.lower())
    if way is None:
        raise NotFound(_("There is no link with this code. It may have been mistyped."))
    consent = f"gv_consent={told.consent}&" if told.consent else ""
    scope = {
        "method": "GET",
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
    await writer.write(click)
    if click.blocked:
        raise Gone(_("Whoever shared this link has switched it off."))
    return click.id.hex if click.kind == HUMAN and click.consent != DENIED else None
