"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from referrals.identity.schemas import (
    CheckList,
    CheckView,
    NewCheck,
    NewRequest,
    StandingView,
    WaitingList,
    WaitingView,
)

_asked, _until = datetime(2026, 11, 22, 9, 0, tzinfo=UTC), datetime(2031, 3, 31, 23, 59, 59, tzinfo=UTC)
new_request = NewRequest("By video, any evening this week.")
standing = StandingView("north", "asked", _asked, None, True)
waiting = WaitingList([WaitingView("bob-o", "Bob", "By video, any evening this week.", _asked)], None)
new_check = NewCheck("bob-o", "checked", "passport", "DE", "2031-03-31", "Seen by video.", "correct horse battery")
check = CheckView("3", "bob-o", "checked", "passport", "DE", _until, "Seen by video.", "ada-o", _asked, True)
checks = CheckList([check], None)
