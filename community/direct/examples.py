"""What the JSON doors of direct messages take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime
from uuid import UUID

from app.paging import Page
from community.chat.schemas import Author
from community.direct.schemas import AnswerBody, Begun, NewDirect, RequestLine
from community.privacy.schemas import Blocked, PrivacyView

_at = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

new_direct = NewDirect(["bob-o"], UUID("0b8f7c52-3a4e-4a83-9a44-0f6f3c1d2e5b"), "Is the grinder still for sale?")
begun = Begun("12", "905", 1, waits=True)
requests = Page([RequestLine("12", Author("9", "carol", "Carol"), "Is the grinder still for sale?", "905", _at)], None)
answer = AnswerBody("accept")
privacy = PrivacyView("everyone", False)
blocked = Page([Blocked("9", "carol", "Carol", _at)], None)
