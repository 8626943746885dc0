import asyncio

import asyncpg
from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery

from app.auth import Viewer
from app.errors import Conflict, NotFound, TooLarge, TooMany
from app.limits import limit
from app.openapi import door
from app.paging import limit_of
from app.web import address_of, json_body
from storefront.connectors import examples, refusals
from storefront.connectors.jobs import ask_soon
from storefront.connectors.queries import finds_of, held_orders, pulls_of, unapplied_of
from storefront.connectors.schemas import (
    Asked,
    BadSignature,
    Find,
    Finds,
    HeldOrder,
    HeldOrders,
    KeptMessage,
    KeptMessages,
    KeysUnavailable,
    NewClearance,
    NewReplay,
    Pull,
    Pulls,
    Received,
    Refused,
    RefusedList,
    Replayed,
    SameIdOtherBody,
    TooSlow,
)
from storefront.connectors.service import receive, replay
from storefront.orders.doubts import clear_doubt
from storefront.orders.queries import order_of_store
from storefront.stores.policy import access_own_store

MOST_BYTES = 1024 * 1024
BODY_SECONDS = 10
MOST_FORGED_A_MINUTE = 60
# Far more, for most of them may be true: a shop that changed its key is heard again within a minute.
MOST_UNCHECKED_A_MINUTE = 600


@post(
    "/webhooks/{store:str}",
    summary="A store's signed message",
    tags=["webhooks"],
    request_max_body_size=MOST_BYTES,
    opt={"csrf_exempt": True}
    | door(
        takes=examples.order_paid,
        gives=examples.received,
        refuses=(BadSignature, TooSlow, SameIdOtherBody, TooLarge, TooMany, KeysUnavailable),
        also=200,
        headers=examples.headers,
    ),
    status_code=202,
)
async def receive_webhook(request: Request, store: FromPath[str]) -> Response[Received]:
    """202 once it is durable, 200 when it was here before, 401 unsigned, 409 the same id with another body.

    What is signed with, and the shape of the body, are those of the store's provider; this is the generic one. What is
    not understood is kept and answered with 202 all the same.
    """
    try:
        # A sender that says a byte now and then may not hold a connection for ever.
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.body()
    except TimeoutError as error:
        raise TooSlow() from error
    except HTTPException as error:
        if error.status_code == 413:
            await refusals.count_oversize(store, request.headers.get("content-length", ""))
        raise
    try:
        is_new = await receive(store, request.headers, body)
    except SameIdOtherBody as refused:
        await refusals.count(store, refusals.CONFLICT, refused.event_id)
        raise
    except BadSignature:
        await refusals.count(store, refusals.SIGNATURE, refusals.why_unsigned(request.headers))
        # Counted only when forged: whoever else sits behind the same address goes on being heard.
        await limit("forged-webhook", f"{store}:{address_of(request)}", most=MOST_FORGED_A_MINUTE, per=60)
        raise
    except KeysUnavailable:
        await refusals.count(store, refusals.SIGNATURE, refusals.UNCHECKED)
        await limit("unchecked-webhook", f"{store}:{address_of(request)}", most=MOST_UNCHECKED_A_MINUTE, per=60)
        raise
    return Response(Received(True), status_code=202 if is_new else 200)


class ConnectorApi(Controller):
    path = "/stores/{slug:str}"
    tags = ["webhooks"]

    @get(
        "/held-orders",
        summary="Orders whose amounts do not add up",
        opt=door(gives=examples.held_orders, scope="write"),
    )
    async def held(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> HeldOrders:
        """Nothing is earned on them until they are cleared. For the store's owner and admins, newest first."""
        store = await access_own_store(viewer, slug)
        found = await held_orders(store["id"], after, limit_of(limit))
        return HeldOrders([_held(row) for row in found.items], found.next)

    @put(
        "/orders/{ref:str}/clearance",
        summary="Say that an order's amounts are right",
        opt=door(takes=examples.clearance, gives=examples.cleared, scope="write"),
    )
    async def clear(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], ref: FromPath[str]
    ) -> HeldOrder:
        """It holds for these amounts; other ones later raise a doubt of their own."""
        store = await access_own_store(viewer, slug)
        told = await json_body(request, NewClearance)
        order = await order_of_store(store["id"], ref)
        if order is None:
            raise NotFound()
        await clear_doubt(viewer, store, order["id"], told.note)
        return HeldOrder(order["external_id"], order["number"], "", order["placed_at"])

    @get("/pulls", summary="Looks at what the store says it sold", opt=door(gives=examples.pulls, scope="write"))
    async def pulls(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Pulls:
        """One every night where the store may be asked, newest first. For the store's owner and admins."""
        store = await access_own_store(viewer, slug)
        found = await pulls_of(store["id"], after, limit_of(limit))
        return Pulls([_pull(row) for row in found.items], found.next)

    @post(
        "/pulls",
        summary="Ask the store now what it sold",
        opt=door(gives=examples.asked, scope="write", refuses=(TooMany, Conflict)),
        status_code=202,
    )
    async def ask_now(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Asked:
        """Instead of at night; six times an hour at most. 409 when nobody has said yet how it may be asked."""
        store = await access_own_store(viewer, slug)
        await ask_soon(store)
        return Asked(True)

    @get(
        "/pulls/orders",
        summary="Orders that those looks found",
        opt=door(gives=examples.finds, scope="write"),
    )
    async def finds(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Finds:
        """What was missing or differed is made up for by now; an `extra` one the store itself does not know."""
        store = await access_own_store(viewer, slug)
        found = await finds_of(store["id"], after, limit_of(limit))
        return Finds([_find(row) for row in found.items], found.next)

    @get(
        "/messages",
        summary="Messages that could not be applied",
        opt=door(gives=examples.kept_messages, scope="write"),
    )
    async def kept(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> KeptMessages:
        """What contradicts itself or was not understood, with the reason. For the store's owner and admins."""
        store = await access_own_store(viewer, slug)
        found = await unapplied_of(store["id"], after, limit_of(limit))
        return KeptMessages([_kept(row) for row in found.items], found.next)

    @get(
        "/messages/refused",
        summary="Messages refused at the door",
        opt=door(gives=examples.refused, scope="write"),
    )
    async def refused(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> RefusedList:
        """How many of each kind in a week, and why the last one was; what they said is not kept. Counted once a minute.
        For the store's owner and admins."""
        store = await access_own_store(viewer, slug)
        rows = await refusals.refused_at(store["id"])
        times = ("first_at", "last_at")
        return RefusedList(
            [Refused(row["kind"], row["many"], row["reason"], *(row[at] for at in times)) for row in rows]
        )

    @post(
        "/messages/replays",
        summary="Read such messages again",
        opt=door(takes=examples.replay, gives=examples.replayed, scope="write", refuses=(TooMany,)),
        status_code=202,
    )
    async def read_again(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Replayed:
        """Once whatever stood in their way was put right. What was applied before is not touched."""
        store = await access_own_store(viewer, slug)
        told = await json_body(request, NewReplay)
        await limit_replays(store)
        return Replayed(await replay(told.since, store_id=store["id"]))


async def limit_replays(store: asyncpg.Record) -> None:
    await limit("replay", store["id"], most=30, per=3600)


def _held(row: asyncpg.Record) -> HeldOrder:
    return HeldOrder(row["external_id"], row["number"], row["doubt"], row["placed_at"])


def _kept(row: asyncpg.Record) -> KeptMessage:
    return KeptMessage(str(row["id"]), row["event_id"], row["topic"], row["state"], row["note"], row["received_at"])


def _pull(row: asyncpg.Record) -> Pull:
    times = (row["since"], row["started_at"], row["ended_at"])
    return Pull(str(row["id"]), *times, row["seen"], row["missed"], row["stale"], row["extra"], row["error"])


def _find(row: asyncpg.Record) -> Find:
    return Find(row["order_external_id"], row["number"] or "", row["kind"], row["found_at"])
