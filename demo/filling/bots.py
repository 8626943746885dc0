"""Bots in the rooms of the demo: made by who owns the group, and speaking through the verb behind their door."""

from app import db
from community.bots import queries, service
from community.bots.policy import home_of_group
from demo.content.source import read
from demo.filling.rows import Filling, go_to

HOUR = 3600


async def speak(f: Filling) -> None:
    for one in read("bots")["bot"]:
        go_to(f.at(26 * HOUR))
        owner = next(group.owner for group in f.content.groups if group.slug == one["group"])
        viewer = f.viewer(owner)
        bot_id, _secret = await service.make(viewer, await home_of_group(viewer, one["group"]), one["name"])
        key = await db.fetch_val("SELECT key FROM bot WHERE id = $1", bot_id)
        for number, line in enumerate(one["lines"]):
            go_to(f.at((25 - 20 * number) * HOUR))
            bot = await queries.bot_by_key(key)
            assert bot is not None
            await service.say(bot, f"demo-{number}", line)
