"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from community.phones.schemas import CodeView, NewNumber, PhoneView, TypedCode

_asked, _proven = datetime(2026, 11, 22, 9, 0, tzinfo=UTC), datetime(2026, 11, 22, 9, 1, tzinfo=UTC)
new_number = NewNumber("+49 171 1234567")
code = CodeView("+49…567", "asked", _asked.replace(minute=10), _proven)
typed = TypedCode("481290")
phone = PhoneView("+49…567", _proven, True)
