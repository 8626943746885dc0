"""In the world of the OpenAPI examples: a bot in Ada's group, and two addresses that are told."""

from app import db
from tests.factories import Person


async def hooks_at_coffee_and_north(ada: Person) -> dict[str, str]:
    from community.bots import service as bots
    from community.bots.jobs import SOURCE as ROOMS
    from community.webhooks.service import add
    from referrals.webhooks.jobs import SOURCE as PROGRAMMES

    bot_id, secret = await bots.make(ada.viewer, "coffee", "Roastery")
    key = await db.fetch_val("SELECT key FROM bot WHERE id = $1", bot_id)
    url = "https://hooks.shop.example/grapevine"
    of_group, _ = await add(ada.viewer, ROOMS, await ROOMS.access(ada.viewer, "coffee"), url, [])
    of_store, _ = await add(ada.viewer, PROGRAMMES, await PROGRAMMES.access(ada.viewer, "north"), url, [])
    return {
        "bot": key,
        "bot_id": str(bot_id),
        "bot_secret": secret,
        "webhook_id": str(of_group),
        "store_webhook_id": str(of_store),
    }
