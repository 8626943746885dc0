import asyncpg
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.money import Money
from app.openapi import door
from app.paging import limit_of
from app.web import address_of, json_body
from referrals.attribution import conversions, deferred, examples, invites, overrides, phones
from referrals.attribution.kinds import is_named, rules_at, unknown_words
from referrals.attribution.overrides import NewOverride
from referrals.attribution.schemas import (
    ConversionView,
    DeferredLink,
    Device,
    NewConversion,
    NewInvite,
    NewPhoneInvite,
    OverrideList,
    OverrideView,
    ReadyMessage,
)
from storefront.stores.policy import access_own_store


class ConversionApi(Controller):
    tags = ["earn"]

    @post(
        "/conversions",
        summary="Tell of a sign-up, a lead, an order or an event of your own",
        status_code=201,
        opt=door(
            takes=examples.new_conversion,
            gives=examples.conversion,
            refuses=(Conflict, NotFound),
            scope="write",
            also=200,
        ),
    )
    async def tell(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[ConversionView]:
        """By the store's server. `id` is yours and is kept for ever: the same again is 200, with other facts 409."""
        require_member(viewer)
        wanted = await json_body(request, NewConversion)
        row, is_new = await conversions.tell(viewer, wanted)
        known = await conversions.is_click_of_store(row)
        is_known = is_named(row["kind"], await rules_at(row["store_id"], row["created_at"]))
        view = ConversionView(
            row["external_id"],
            wanted.store,
            row["kind"],
            known,
            row["occurred_at"].isoformat(),
            row["fields"],
            is_known,
            "" if is_known else unknown_words(row["kind"]),
        )
        return Response(view, status_code=201 if is_new else 200)

    @post(
        "/apps/first-start",
        summary="Where whoever installed an app wanted to go",
        status_code=200,
        opt=door(takes=examples.device, gives=examples.deferred),
    )
    async def first_start(self, request: Request) -> DeferredLink:
        """Asked once, by the app itself, on its first start. What is less sure than the programme wants never earns."""
        device = await json_body(request, Device)
        return await deferred.recognise(device, address_of(request))


class InviteApi(Controller):
    path = "/earn/invites"
    tags = ["earn"]

    @post(
        summary="Invite a friend by e-mail",
        status_code=204,
        opt=door(takes=examples.invite, scope="write"),
    )
    async def invite(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[None]:
        """One mail goes out, with your own link and its label. The address is kept as a keyed hash only."""
        require_member(viewer)
        await invites.invite(viewer, (await json_body(request, NewInvite)).email)
        return Response(None, status_code=204)

    @post(
        "/phone",
        summary="Make the message that invites a friend by phone",
        status_code=201,
        opt=door(takes=examples.phone_invite, gives=examples.ready, refuses=(Conflict,), scope="write"),
    )
    async def invite_by_phone(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[ReadyMessage]:
        """You send it yourself. It counts once your friend opens it and says so, as less sure than anything else, and
        earns only where a programme takes matches of 40 %."""
        require_member(viewer)
        made = await phones.invite(viewer, (await json_body(request, NewPhoneInvite)).phone)
        return Response(made, status_code=201)


class OverrideApi(Controller):
    path = "/stores/{slug:str}/overrides"
    tags = ["earn"]

    @get(
        summary="What people decided on the orders of a store, and why",
        opt=door(gives=examples.overrides, refuses=(NotFound,), scope="read"),
    )
    async def list_overrides(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> OverrideList:
        """What waits for a second person comes first."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        page = await overrides.overrides_of(store["id"], cursor=after, limit=limit_of(limit))
        return OverrideList([_view(row) for row in page.items], page.next)

    @post(
        summary="Decide who is credited for an order",
        status_code=201,
        opt=door(takes=examples.new_override, gives=examples.override, refuses=(Conflict, NotFound), scope="write"),
    )
    async def propose(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> OverrideView:
        """`winner` is a handle or "nobody". Above the programme's threshold it waits for a second person."""
        require_member(viewer)
        made = await overrides.propose(viewer, slug, await json_body(request, NewOverride))
        return _view(await overrides.override_of(made["id"]))

    @put(
        "/{override_id:int}/agreement",
        summary="Agree as the second person",
        status_code=204,
        opt=door(refuses=(Conflict, NotFound), scope="write"),
    )
    async def agree(self, viewer: NamedDependency[Viewer], slug: FromPath[str], override_id: FromPath[int]) -> None:
        """From now on it counts, until somebody withdraws it. Not by who proposed it, nor by who would gain."""
        require_member(viewer)
        await overrides.agree(viewer, slug, override_id)

    @delete(
        "/{override_id:int}",
        summary="Withdraw a decision",
        status_code=204,
        opt=door(refuses=(NotFound,), scope="write"),
    )
    async def withdraw(self, viewer: NamedDependency[Viewer], slug: FromPath[str], override_id: FromPath[int]) -> None:
        """The facts decide again. Both members are told."""
        require_member(viewer)
        await overrides.withdraw(viewer, slug, override_id)


def _view(row: asyncpg.Record) -> OverrideView:
    return OverrideView(
        id=str(row["id"]),
        order=row["order_ref"],
        winner=row["winner"],
        reason=row["reason"],
        state=row["state"],
        proposed_by=row["proposer"],
        decided_by=row["decider"],
        needs_second=row["needs_second"],
        at_stake=Money(row["stake"], row["currency"]),
        proposed_at=row["proposed_at"].isoformat(),
    )
