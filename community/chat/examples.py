"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime
from uuid import UUID

from app.paging import Page
from community.chat.schemas import Author, ChangedMessage, EventView, NewMessage, RoomView, Sent, Ticket

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
