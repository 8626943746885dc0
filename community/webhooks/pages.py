from datetime import timedelta
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from app import clock
from app.auth import Viewer
from app.errors import Problem
from app.i18n import gettext as _
from app.i18n import ngettext
from app.web import form, form_again, page, redirect
from community.webhooks import queries, service
from community.webhooks.api import limit_changes, limit_sends
from community.webhooks.schemas import EndpointForm, RedeliveryForm, SecretForm, SwitchForm
from community.webhooks.source import Place, Source
from community.webhooks.words import reason_words, type_words, why_words


def webhook_pages(path_of_owner: str, source: Source, template: str, one_template: str) -> type[Controller]:
    """The pages of what one kind of owner tells; the templates are frames of that owner's around the same parts."""

    class WebhookPages(Controller):
        path = f"{path_of_owner}/webhooks"
        dependencies = {"place": Provide(source.access)}
        include_in_schema = False

        @get()
        async def index(
            self, request: Request, viewer: NamedDependency[Viewer], place: NamedDependency[Place]
        ) -> Response:
            return page(request, viewer, template, values={}, problem=None, **await _all(source, place))

        @post()
        async def add(
            self, request: Request, viewer: NamedDependency[Viewer], place: NamedDependency[Place]
        ) -> Response:
            await limit_changes(viewer)
            try:
                new = await form(request, EndpointForm)
                endpoint_id, secret = await service.add(viewer, source, place, new.url, new.types)
            except Problem as problem:
                return await form_again(request, viewer, template, problem, **await _all(source, place))
            return await _secret_shown(request, viewer, place, endpoint_id, secret)

        @get("/{webhook_id:int}")
        async def show(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
            after: FromQuery[str | None] = None,
        ) -> Response:
            shown = await _one(source, place, webhook_id, after)
            return page(request, viewer, one_template, values={}, problem=None, **shown)

        @post("/{webhook_id:int}")
        async def change(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
        ) -> Response:
            await limit_changes(viewer)
            try:
                wanted = await form(request, EndpointForm)
                await service.change(source, place, webhook_id, wanted.url, wanted.types)
            except Problem as problem:
                shown = await _one(source, place, webhook_id)
                return await form_again(request, viewer, one_template, problem, **shown)
            return redirect(f"{place.url}/{webhook_id}", flash=_("Saved."))

        @post("/{webhook_id:int}/switch")
        async def switch(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
        ) -> Response[str]:
            await limit_changes(viewer)
            wanted = await form(request, SwitchForm)
            await service.switch(source, place, webhook_id, on=wanted.on, catch_up=wanted.catch_up)
            said = _("It is told again.") if wanted.on else _("It is told nothing until you switch it on.")
            return redirect(f"{place.url}/{webhook_id}", flash=said)

        @post("/{webhook_id:int}/secret")
        async def change_secret(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
        ) -> Response:
            await limit_changes(viewer)
            wanted = await form(request, SecretForm)
            secret = await service.change_secret(source, place, webhook_id, keep_old=wanted.keep_old)
            return await _secret_shown(request, viewer, place, webhook_id, secret)

        @post("/{webhook_id:int}/test")
        async def test(
            self, viewer: NamedDependency[Viewer], place: NamedDependency[Place], webhook_id: FromPath[int]
        ) -> Response[str]:
            await limit_sends(viewer)
            await service.test(source, place, webhook_id)
            return redirect(
                f"{place.url}/{webhook_id}", flash=_("It is on its way. What is answered stands here soon.")
            )

        @post("/{webhook_id:int}/redeliveries")
        async def redeliver(
            self,
            request: Request,
            viewer: NamedDependency[Viewer],
            place: NamedDependency[Place],
            webhook_id: FromPath[int],
        ) -> Response[str]:
            await limit_sends(viewer)
            wanted = await form(request, RedeliveryForm)
            queued = await service.redeliver(
                source,
                place,
                webhook_id,
                delivery_id=int(wanted.delivery) if wanted.delivery else None,
                since=None if wanted.delivery else clock.now() - timedelta(days=wanted.days),
                delivered_too=wanted.delivered_too,
            )
            said = ngettext("%(n)s message is sent again.", "%(n)s messages are sent again.", queued)
            return redirect(f"{place.url}/{webhook_id}", flash=said)

        @post("/{webhook_id:int}/end")
        async def remove(
            self, viewer: NamedDependency[Viewer], place: NamedDependency[Place], webhook_id: FromPath[int]
        ) -> Response[str]:
            await service.remove(source, place, webhook_id)
            return redirect(place.url, flash=_("It is told no more."))

    async def _secret_shown(request: Request, viewer: Viewer, place: Place, webhook_id: int, secret: str) -> Response:
        """The page with the secret on it, this once: it is in no address, no cookie and no cache."""
        shown = await _one(source, place, webhook_id) | {"secret": secret}
        response = page(request, viewer, one_template, values={}, problem=None, **shown)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return WebhookPages


async def _all(source: Source, place: Place) -> dict[str, Any]:
    return {
        **place.shown,
        "here": place.url,
        "types": source.types,
        "type_words": type_words,
        "reason_words": reason_words,
        "endpoints": (await queries.endpoints_of(source.owner_kind, place.owner_id)).items,
    }


async def _one(source: Source, place: Place, webhook_id: int, after: str | None = None) -> dict[str, Any]:
    endpoint = await queries.endpoint_of(source.owner_kind, place.owner_id, webhook_id)
    return {
        **place.shown,
        "here": place.url,
        "types": source.types,
        "type_words": type_words,
        "reason_words": reason_words,
        "why_words": why_words,
        "endpoint": queries.endpoint_view(endpoint),
        "deliveries": await queries.deliveries_of(endpoint["id"], after),
        "secret": "",
    }
