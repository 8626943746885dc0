"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime
from uuid import UUID

from app.paging import Page
from community.chat.parts import ChatFileView, FormerWords, ReactionView
from community.chat.schemas import (
    Author,
    ChangedMessage,
    EventView,
    ExportView,
    NewMessage,
    Reacted,
    RoomView,
    Sent,
    Ticket,
)

_client_id = UUID("0b8f7c52-3a4e-4a83-9a44-0f6f3c1d2e5b")

room = RoomView("3", "Coffee at home", 131, "b7Qd2x", "/chat/3", "coffee")
new_message = NewMessage(_client_id, "The new beans are here.")
changed_message = ChangedMessage("The new beans are here, finally.")
sent = Sent("905", 131)
messages = Page(
    [
        EventView(
            seq=131,
            kind="message",
            at=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
            author=Author("7", "ada", "Ada"),
            id="905",
            client_id=str(_client_id),
            body="The new beans are here.",
            html="<p>The new beans are here.</p>",
        )
    ],
    None,
)
ticket = Ticket("tk_3q1Zf0vN8sYbK5")
message = EventView(
    seq=131,
    kind="message",
    at=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
    author=Author("7", "ada", "Ada"),
    id="905",
    client_id=str(_client_id),
    body="The new beans are here.",
    html="<p>The new beans are here.</p>",
    pinned=True,
    reactions=[ReactionView("🎉", 1, ["9"])],
)
pins = Page([message], None)
reacted = Page([Reacted("🎉", Author("9", "carl-o", "Carl"), datetime(2026, 3, 14, 9, 27, 2, tzinfo=UTC))], None)
versions = Page([FormerWords("The new beens are here.", datetime(2026, 3, 14, 9, 26, 58, tzinfo=UTC))], None)
file = ChatFileView(
    "31", "picture", "beans.jpg", "image/webp", 184_320, "/chat/3/files/31", "/chat/3/files/31?size=small", 1280, 960
)
export = ExportView("4", "running", 60_000, 140_231, "", datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC))
