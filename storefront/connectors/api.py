import asyncio

import asyncpg
from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer
from app.errors import NotFound, TooLarge, TooMany
from app.limits import limit
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from storefront.connectors import examples
from storefront.connectors.queries import held_orders, unapplied_of
from storefront.connectors.schemas import (
    BadSignature,
    HeldOrder,
    HeldOrders,
    KeptMessage,
    KeptMessages,
    NewClearance,
    NewReplay,
    Received,
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


@post(
    "/webhooks/{store:str}",
    summary="A store's signed message",
    tags=["webhooks"],
    request_max_body_size=MOST_BYTES,
    opt={"csrf_exempt": True}
    | door(
        takes=examples.order_paid,
        gives=examples.received,
        refuses=(BadSignature, TooSlow, SameIdOtherBody, TooLarge, TooMany),
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
    try:
        is_new = await receive(store, request.headers, body)
    except BadSignature:
        # Counted only when forged: whoever else sits behind the same address goes on being heard.
        await limit("forged-webhook", f"{store}:{_sender(request)}", most=MOST_FORGED_A_MINUTE, per=60)
        raise
    return Response(Received(True), status_code=202 if is_new else 200)


def _sender(request: Request) -> str:
    return request.client.host if request.client else ""


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
