"""`POST /hooks/rooms/{bot}`: what a bot says, signed. The one door a bot has."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooLarge, TooMany
from app.i18n import gettext as _
from app.limits import limit
from app.openapi import door
from app.signed import BadSignature, SameIdOtherBody, TooSlow, verified_id, whole_body
from app.web import address_of, json_body
from community.bots import examples, queries, service
from community.bots.schemas import BotSays
from community.chat.schemas import Sent
from community.chat.verdicts import Said

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
    With `edit` or `delete`, the id of a message of its own, that one says something else, or is taken back.
    """
    known = await queries.bot_by_key(bot)
    if known is None:
        raise NotFound()
    body = await whole_body(request)
    try:
        message_id = verified_id(service.valid_secrets(known), request.headers, body)
    except BadSignature:
        # Counted only when forged: nobody silences a bot by sending nonsense to its address.
        await limit("forged-bot", f"{known['id']}:{address_of(request)}", most=MOST_FORGED_A_MINUTE, per=60)
        raise
    await limit("bot", known["id"], most=MOST_A_MINUTE, per=60)
    said = await _heard(known, message_id, await json_body(request, BotSays))
    return Response(Sent(str(said.id), said.seq), status_code=201 if said.is_new else 200)


async def _heard(bot: Any, message_id: str, says: BotSays) -> Said:
    # What is to be done stands in the body: the signature covers that, and neither method nor address.
    if says.delete is not None:
        if says.text or says.edit or says.reply_to:
            raise Invalid("delete", _("Taken back is without words."))
        return await service.change(bot, message_id, int(says.delete), None)
    if says.edit is not None:
        if says.reply_to:
            raise Invalid("edit", _("What a message answers stays as it was."))
        return await service.change(bot, message_id, int(says.edit), says.text)
    return await service.say(bot, message_id, says.text, int(says.reply_to) if says.reply_to else None)
