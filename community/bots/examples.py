"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from app.paging import Page
from community.bots.schemas import BotMade, BotSays, BotView, NewBot, NewSecret, Secret
from community.chat.schemas import Sent

new_bot = NewBot("Roastery")
bot = BotView(
    id="3",
    name="Roastery",
    avatar_url="",
    author_id="31",
    room_id="3",
    url="https://community.example/hooks/rooms/k7m2p9xw4bqd",
    made_by="ada-o",
    created_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
    said_at=None,
    may_speak=True,
)
bots = Page([bot], None)
bot_made = BotMade(bot, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
new_secret = NewSecret(True)
secret = Secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
says = BotSays("The **Yirgacheffe** is out of the roaster.")
sent = Sent("12", 34)
headers = {
    "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    "webhook-timestamp": "1674087231",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}
