"""What a message sets going, in the very transaction that says it: it holds its files, whoever it calls will be told,
its links will be looked at. Most messages set nothing going and cost nothing here."""

from collections.abc import Sequence

import msgspec

from app.events import Event, publish_all
from community.chat import files, hanging, mentions
from community.chat.events import LinksShared, PeopleCalled
from community.chat.links import has_links


class Message(msgspec.Struct):
    """What was said, as far as it matters here."""

    id: int
    body: str
    html: str
    reply_to: int | None
    files: list[int]


async def follow_up(said: Sequence[Message]) -> None:
    held = [(message.id, message.files) for message in said if message.files]
    if held:
        await files.hand_over(held)
        await hanging.fold([message_id for message_id, _files in held])
    if answered := [message.reply_to for message in said if message.reply_to is not None]:
        await hanging.count_replies(answered)
    events: list[Event] = []
    for message in said:
        if mentions.calls(message.body, message.reply_to):
            events.append(PeopleCalled(message_id=message.id))
        if has_links(message.html):
            events.append(LinksShared(message_id=message.id))
    await publish_all(events)
