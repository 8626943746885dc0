from datetime import timedelta

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer
from app.web import page
from referrals.attribution.kinds import is_named, rules_at, told_lately
from storefront.stores.policy import access_own_store

LATELY = timedelta(days=30)


class ConversionPages(Controller):
    """What a store's server told lately, and whether the rules know what it speaks of."""

    path = "/admin/programs/{slug:str}/conversions"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        now = clock.now()
        terms = await rules_at(store["id"], now)
        rows = await told_lately(store["id"], now - LATELY)
        return page(
            request,
            viewer,
            "referrals/attribution/conversions.html",
            store=store,
            told=[(row, is_named(row["kind"], terms)) for row in rows],
            kinds=terms.kinds,
        )
