"""The roof: every door of every feature, put together into one ASGI application."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.types import ASGIApp
from prometheus_client import start_http_server

from app import db, edge, faces, features, health, log, openapi, valkey
from app.auth import refuse_cross_site, refuse_much_from_strangers
from app.settings import settings
from frontend.viewer import provide_api_viewer, provide_viewer, viewer_of_session

MOST_BODY_BYTES = 1024 * 1024


def build() -> Litestar:
    """The framework's application, without the edge around it (tests build this one too)."""
    pages = Router("/", route_handlers=features.PAGES, dependencies={"viewer": Provide(provide_viewer)})
    api = Router(
        "/api/v1",
        route_handlers=features.API,
        dependencies={"viewer": Provide(provide_api_viewer)},
        opt={"csrf_exempt": True},
    )
    return Litestar(
        route_handlers=[pages, api, *features.BARE, health.healthz, health.readyz, health.metrics],
        before_request=refuse_what_is_not_ours,
        exception_handlers=faces.HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=MOST_BODY_BYTES,
        openapi_config=openapi.CONFIG,
        logging_config=None,
        debug=False,
    )


async def refuse_what_is_not_ours(request: Request) -> None:
    await refuse_much_from_strangers(request, viewer_of_session)
    await refuse_cross_site(request)


@asynccontextmanager
async def lifespan(application: Litestar) -> AsyncIterator[None]:
    if settings().is_production and settings().metrics_port:
        _serve_metrics(settings().metrics_port)
    try:
        await db.open(settings().database_url, min_size=2, max_size=16)
    except db.LOST as lost:
        # Shared links answer from what was known last; every page says 503 until the database is there.
        logging.getLogger(__name__).warning("starting without the database: %s", lost)
        await db.open(settings().database_url, min_size=0, max_size=16)
    try:
        async with features.running():
            _spare_the_collector()
            yield
    finally:
        await valkey.close()
        await db.close()


def _spare_the_collector() -> None:
    """What stands after the start stays for good. Walking it again stopped every request for 60 to 90 ms; now for 1."""
    gc.collect()
    gc.freeze()


def _serve_metrics(port: int) -> None:
    try:
        start_http_server(port)
    except OSError:
        # Another web process of this machine has the port; it serves its own figures.
        logging.getLogger(__name__).warning("metrics port %s is taken; this process serves none", port)


def create() -> ASGIApp:
    """The application as uvicorn serves it: `uvicorn app.main:create --factory`."""
    log.configure(as_json=settings().is_production)
    return edge.protected(build(), features.RAW_ROUTES, features.SOCKETS)
