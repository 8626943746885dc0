"""`POST /hooks/rooms/{bot}`: what a bot says, signed. The one door a bot has."""

from litestar import Request, Response, post
from litestar.params import FromPath

from app.errors import Conflict, Forbidden, Gone, NotFound, TooLarge, TooMany
from app.limits import limit
from app.openapi import door
from app.signed import BadSignature, SameIdOtherBody, TooSlow, verified_id, whole_body
from app.web import json_body
from community.bots import examples, queries, service
from community.bots.schemas import BotSays
from community.chat.schemas import Sent

MOST_BYTES = 64 * 1024
MOST_A_MINUTE = 60
MOST_FORGED_A_MINUTE = 60


@post(
    "/hooks/rooms/{bot:str}",
    summary="A bot says something in its room",
    tags=["chat"],
    request_max_body_size=MOST_BYTES,
    status_code=201,
    opt={"csrf_exempt": True}
    | door(
        takes=examples.says,
        gives=examples.sent,
        refuses=(BadSignature, Forbidden, TooSlow, SameIdOtherBody, Conflict, Gone, TooLarge, TooMany),
        also=200,
        headers=examples.headers,
    ),
)
async def hear_bot(request: Request, bot: FromPath[str]) -> Response[Sent]:
    """Standard Webhooks, with the bot's secret. 201 once it is durable and every reader will see it; the same
    `webhook-id` again is 200 and says nothing twice, with other words 409. A bot that was revoked is told 410.
    """
    known = await queries.bot_by_key(bot)
    if known is None:
        raise NotFound()
    body = await whole_body(request)
    try:
        message_id = verified_id(service.valid_secrets(known), request.headers, body)
    except BadSignature:
        # Counted only when forged: nobody silences a bot by sending nonsense to its address.
        await limit("forged-bot", f"{known['id']}:{_sender(request)}", most=MOST_FORGED_A_MINUTE, per=60)
        raise
    await limit("bot", known["id"], most=MOST_A_MINUTE, per=60)
    says = await json_body(request, BotSays)
    said = await service.say(known, message_id, says.text, int(says.reply_to) if says.reply_to else None)
    return Response(Sent(str(said.id), said.seq), status_code=201 if said.is_new else 200)


def _sender(request: Request) -> str:
    return request.client.host if request.client else ""
