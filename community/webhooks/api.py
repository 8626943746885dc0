from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict
from app.limits import limit as limit_rate
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from community.webhooks import examples, queries, service
from community.webhooks.schemas import (
    ChangedEndpoint,
    Deliveries,
    EndpointMade,
    Endpoints,
    EndpointView,
    NewEndpoint,
    NewRedelivery,
    NewSecret,
    Queued,
    Secret,
)
from community.webhooks.source import Place, Source

MOST_CHANGES_AN_HOUR = 120
MOST_SENDS_AN_HOUR = 60


def webhook_api(path_of_owner: str, source: Source) -> type[Controller]:
    """The JSON doors of what one kind of owner tells: a group, or a store."""

    class WebhookApi(Controller):
        path = f"{path_of_owner}/webhooks"
        dependencies = {"place": Provide(source.access)}
        tags = ["webhooks"]

        @get(summary="Addresses that are told what happens", opt=door(gives=examples.endpoints, scope="write"))
        async def show_all(
            self,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            after: FromQuery[str | None] = None,
            limit: FromQuery[int | None] = None,
        ) -> Endpoints:
            """For those who run it. Secrets are never shown again."""
            shown = await queries.endpoints_of(
                source.owner_kind, place.owner_id, cursor=after, limit=limit_of(limit, 50)
            )
            return Endpoints(shown.items, list(source.types), shown.next)

        @post(
            summary="Tell an address what happens",
            status_code=201,
            opt=door(takes=examples.new, gives=examples.made, refuses=(Conflict,), scope="write"),
        )
        async def add(
            self, request: Request, viewer: NamedDependency[Viewer], place: NamedDependency[Place]
        ) -> Response[EndpointMade]:
            """From now on, signed by Standard Webhooks with the secret that is shown this once."""
            await limit_changes(viewer)
            new = await json_body(request, NewEndpoint)
            endpoint_id, secret = await service.add(viewer, source, place, new.url, new.types)
            row = await queries.endpoint_of(source.owner_kind, place.owner_id, endpoint_id)
            return Response(EndpointMade(queries.endpoint_view(row), secret), status_code=201)

        @put(
            "/{webhook_id:int}",
            summary="Change what is told where, or switch it on or off",
            opt=door(takes=examples.changed, gives=examples.endpoint, scope="write"),
        )
        async def change(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
        ) -> EndpointView:
            await limit_changes(viewer)
            wanted = await json_body(request, ChangedEndpoint)
            await service.change(source, place, webhook_id, wanted.url, wanted.types)
            await service.switch(source, place, webhook_id, on=wanted.on, catch_up=wanted.catch_up)
            return queries.endpoint_view(await queries.endpoint_of(source.owner_kind, place.owner_id, webhook_id))

        @delete("/{webhook_id:int}", summary="Tell it no more", status_code=204, opt=door(scope="write"))
        async def remove(
            self, viewer: NamedDependency[Viewer], place: NamedDependency[Place], webhook_id: FromPath[int]
        ) -> None:
            """Its log goes with it."""
            await service.remove(source, place, webhook_id)

        @post(
            "/{webhook_id:int}/secret",
            summary="A new secret for an address",
            status_code=201,
            opt=door(takes=examples.new_secret, gives=examples.secret, scope="write"),
        )
        async def change_secret(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
        ) -> Response[Secret]:
            """For another day each message is signed with both, unless `keep_old` is false."""
            await limit_changes(viewer)
            wanted = await json_body(request, NewSecret)
            secret = await service.change_secret(source, place, webhook_id, keep_old=wanted.keep_old)
            until = clock.now() + service.OVERLAP if wanted.keep_old else None
            return Response(Secret(secret, until), status_code=201)

        @post(
            "/{webhook_id:int}/test",
            summary="Send it a message that means nothing",
            status_code=202,
            opt=door(gives=examples.queued, refuses=(Conflict,), scope="write"),
        )
        async def test(
            self, viewer: NamedDependency[Viewer], place: NamedDependency[Place], webhook_id: FromPath[int]
        ) -> Queued:
            """Of the type `endpoint.test`."""
            await limit_sends(viewer)
            await service.test(source, place, webhook_id)
            return Queued(1)

        @get(
            "/{webhook_id:int}/deliveries",
            summary="What was sent there, and what was answered",
            opt=door(gives=examples.deliveries, scope="write"),
        )
        async def deliveries(
            self,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
            after: FromQuery[str | None] = None,
            limit: FromQuery[int | None] = None,
        ) -> Deliveries:
            """The newest first; kept for a month."""
            endpoint = await queries.endpoint_of(source.owner_kind, place.owner_id, webhook_id)
            found = await queries.deliveries_of(endpoint["id"], after, limit_of(limit))
            return Deliveries(found.items, found.next)

        @post(
            "/{webhook_id:int}/redeliveries",
            summary="Send again",
            status_code=202,
            opt=door(takes=examples.redelivery, gives=examples.queued, refuses=(Conflict,), scope="write"),
        )
        async def redeliver(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
        ) -> Queued:
            """One delivery, or all that failed since a time. Under the same `webhook-id`: who knows it lets it be."""
            await limit_sends(viewer)
            wanted = await json_body(request, NewRedelivery)
            return Queued(
                await service.redeliver(
                    source,
                    place,
                    webhook_id,
                    delivery_id=int(wanted.delivery) if wanted.delivery else None,
                    since=wanted.since,
                    delivered_too=wanted.delivered_too,
                )
            )

    return WebhookApi


async def limit_changes(viewer: Viewer) -> None:
    await limit_rate("webhooks", require_member(viewer), most=MOST_CHANGES_AN_HOUR, per=3600)


async def limit_sends(viewer: Viewer) -> None:
    await limit_rate("webhook-sends", require_member(viewer), most=MOST_SENDS_AN_HOUR, per=3600)
