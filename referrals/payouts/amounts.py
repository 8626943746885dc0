"""Amounts as people type them: major units with a point, exactly; and which of a payout's leaves the house."""

import re
from collections.abc import Mapping
from typing import Any

from app.errors import Invalid
from app.i18n import gettext as _
from app.money import EXPONENTS, Money, check_amount, in_major_units


def minor_units(text: str, currency: str, field: str) -> int:
    """ "12.50" is 1250 cents; "12.505" is no amount of dollars."""
    exponent = EXPONENTS[currency]
    found = re.fullmatch(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?", text.strip().replace(",", "").replace(" ", ""))
    fraction = (found[2] or "") if found else ""
    if not found or len(fraction) > exponent:
        raise Invalid(field, _("An amount like %(example)s.", example=typed(10 * 10**exponent, currency)))
    return check_amount(int(found[1] + fraction.ljust(exponent, "0")), field)


def typed(amount: int, currency: str) -> str:
    return str(in_major_units(Money(amount, currency)))


def leaves(payout: Mapping[str, Any]) -> tuple[int, str]:
    """What is really sent: in the account's currency, where that is another one."""
    return (payout["pays"], payout["pays_currency"]) if payout["rate_id"] else (payout["sends"], payout["currency"])
