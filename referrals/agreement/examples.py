from datetime import UTC, datetime

from referrals.agreement.schemas import ChangeList, ChangeView

_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
change = ChangeView("4", "rate", ["@mara: 12 % until 2026-11-30"], "waiting", "ona", _AT, "", "")
changes = ChangeList(True, [change])
