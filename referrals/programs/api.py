import msgspec
from litestar import Controller, Request, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.i18n import gettext as _
from app.idempotency import once
from app.limits import limit
from app.openapi import door
from app.web import json_body
from referrals.agreement.service import refuse_alone
from referrals.programs import examples, words
from referrals.programs.queries import version_at
from referrals.programs.schemas import ProgramTold, ProgramView, Rules
from referrals.programs.service import publish_rules, rules_of
from referrals.programs.terms import terms_of
from storefront.stores.policy import access_own_store, may_run
from storefront.stores.queries import store_by_slug


class ProgramApi(Controller):
    path = "/stores/{slug:str}/program"
    tags = ["earn"]

    @get(summary="What a store's referral programme pays", opt=door(gives=examples.program, scope="read"))
    async def show(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> ProgramView:
        """The rules in force now, for everybody who may earn by them."""
        require_member(viewer, "read")
        return await _view(viewer, slug)

    @put(
        summary="Put new rules in force for a store",
        opt=door(takes=examples.told, gives=examples.program, refuses=(Conflict,), scope="write", once=True),
    )
    async def publish(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> ProgramView:
        """By the store's owner or an admin. Orders that were told before keep the rules they were told under."""
        store = await access_own_store(viewer, slug)
        member_id = require_member(viewer)
        await refuse_alone(store)
        told = await json_body(request, ProgramTold)

        async def do() -> ProgramView:
            await limit("program:publish", store["id"], most=60, per=3600)
            rules = Rules(told.rate_bps, told.hold_days, told.window_days, told.model)
            await publish_rules(slug, rules, terms=told.terms, actor_id=member_id, base_version=told.base_version)
            return await _view(viewer, slug)

        return await once(request, member_id, ProgramView, do)


async def _view(viewer: Viewer, slug: str) -> ProgramView:
    store = await store_by_slug(slug)
    row = await version_at(store["id"], clock.now())
    if row is None:
        raise NotFound(_("This store has no programme yet."))
    # What a line pays at most stands in the words; what the shop keeps of a sale is its own affair.
    terms = terms_of(row)
    return ProgramView(
        store=slug,
        version=row["version"],
        published_at=row["published_at"].isoformat(),
        rate_bps=row["rate_bps"],
        hold_days=row["hold_days"],
        window_days=row["window_days"],
        model=row["model"],
        terms=terms if may_run(viewer, store) else msgspec.structs.replace(terms, margins=[], margin_share_bps=0),
        words=words.sentences(rules_of(row), terms),
    )
