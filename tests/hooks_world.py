"""In the world of the OpenAPI examples: bots in Ada's group and about a product, and three addresses that are told."""

from app import db
from tests.factories import Person


async def hooks_at_coffee_and_north(ada: Person) -> dict[str, str]:
    from community.bots import service as bots
    from community.bots.jobs import SOURCE as ROOMS
    from community.bots.jobs import SOURCE_OF_ROOMS as KEPT_ROOMS
    from community.bots.policy import home_of_group, home_of_room
    from community.webhooks.service import add
    from content.product_rooms.service import enter
    from referrals.webhooks.jobs import SOURCE as PROGRAMMES

    bot_id, secret = await bots.make(ada.viewer, await home_of_group(ada.viewer, "coffee"), "Roastery")
    key = await db.fetch_val("SELECT key FROM bot WHERE id = $1", bot_id)
    url = "https://hooks.shop.example/grapevine"
    of_group, _ = await add(ada.viewer, ROOMS, await ROOMS.access(ada.viewer, "coffee"), url, [])
    of_store, _ = await add(ada.viewer, PROGRAMMES, await PROGRAMMES.access(ada.viewer, "north"), url, [])
    room_id = await enter(ada.viewer, "hand-grinder-38-mm")
    kept_bot_id, _secret = await bots.make(ada.viewer, await home_of_room(ada.viewer, room_id), "Stock")
    of_room, _ = await add(ada.viewer, KEPT_ROOMS, await KEPT_ROOMS.access(ada.viewer, room_id), url, [])
    return {
        "kept_room_id": str(room_id),
        "kept_bot_id": str(kept_bot_id),
        "kept_webhook_id": str(of_room),
        "bot": key,
        "bot_id": str(bot_id),
        "bot_secret": secret,
        "webhook_id": str(of_group),
        "store_webhook_id": str(of_store),
    }
