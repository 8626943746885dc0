import asyncpg

from app import db
from app.errors import Conflict
from app.events import on
from app.i18n import gettext as _
from app.jobs import enqueue_one, every, job
from app.limits import limit
from storefront.connectors import reconcile, refusals, service, silence
from storefront.orders.events import WebhookReceived


@on(WebhookReceived)
async def read_message(event: WebhookReceived) -> None:
    await service.read_message(event.inbox_id)


@every("17 3 * * *")
async def ask_every_store() -> None:
    """One job for each, so that one that hangs keeps nobody waiting."""
    async with db.transaction():
        for store in await reconcile.stores_to_ask():
            await enqueue_one(ask_store, str(store["id"]).encode())


async def ask_soon(store: asyncpg.Record) -> None:
    """Ask this store now rather than at night; a few times an hour at most."""
    if not await db.fetch_val("SELECT 1 FROM store_access WHERE store_id = $1", store["id"]):
        raise Conflict(_("Nobody has said yet how to ask this shop: it needs an address and a key."))
    await limit("store-pull", store["id"], most=6, per=3600)
    async with db.transaction():
        await enqueue_one(ask_store, str(store["id"]).encode())


@job
async def ask_store(payload: bytes) -> None:
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", int(payload))
    if store:
        await reconcile.reconcile(store)


@every("43 * * * *")
async def notice_silence() -> None:
    await silence.tell_owners()


@every("* * * * *")
async def gather_refusals() -> None:
    await refusals.gather()


@every("51 2 * * *")
async def strip_old_messages() -> None:
    await refusals.forget_old()
    while await service.strip_old():
        pass
