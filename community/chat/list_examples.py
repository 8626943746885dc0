"""What the doors of the list of rooms take and give."""

from datetime import UTC, datetime

from app.paging import Page
from community.chat.list_schemas import LastWords, Mute, ReadUpTo, RoomLine
from community.chat.schemas import Author

room_line = RoomLine(
    id="12",
    kind="direct",
    name="Ada",
    url="/chat/12",
    group="",
    seq=131,
    epoch="b7Qd2x",
    unread=2,
    mentions=0,
    muted=False,
    muted_until=None,
    waits=False,
    may_write=True,
    partner=Author("7", "ada", "Ada"),
    last=LastWords("7", "Ada", "The new beans are here.", datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)),
)
rooms = Page([room_line], None)
mute = Mute("day")
read_up_to = ReadUpTo(131)
