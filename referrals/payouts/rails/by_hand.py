"""Rails where a person moves the money: the batch is exported, paid at the bank or provider, and marked as arrived."""

import re

from app.errors import Invalid
from app.i18n import gettext as _
from community.members.service import checked_email
from referrals.payouts.rails.shape import Field, Rail

_ACCOUNT = re.compile(r"[A-Z0-9]{5,34}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")


def checked_account(value: str, field: str) -> str:
    """An IBAN with its check digits right, or a domestic account number."""
    account = re.sub(r"[\s-]", "", value).upper()
    if _IBAN.fullmatch(account):
        moved = account[4:] + account[:4]
        if int("".join(str(int(character, 36)) for character in moved)) % 97 != 1:
            raise Invalid(field, _("This IBAN has a slip in it: its check digits do not fit."))
    elif not _ACCOUNT.fullmatch(account) or not any(character.isdigit() for character in account):
        raise Invalid(field, _("An IBAN, or an account number of letters and digits."))
    return account


def checked_bic(value: str, field: str) -> str:
    """A BIC, or the digits by which banks of a country know each other (routing number, sort code)."""
    code = re.sub(r"[\s-]", "", value).upper()
    if not (_BIC.fullmatch(code) or re.fullmatch(r"[0-9]{6,12}", code)):
        raise Invalid(field, _("A BIC like DEUTDEFF, or a routing number of digits."))
    return code


def checked_address(value: str, field: str) -> str:
    try:
        return checked_email(value)
    except Invalid as problem:
        raise Invalid(field, problem.detail) from problem


def checked_alipay(value: str, field: str) -> str:
    phone = re.sub(r"[\s-]", "", value)
    # Without the plus: in a file for a spreadsheet it would begin a formula.
    return phone.lstrip("+") if re.fullmatch(r"\+?[0-9]{7,15}", phone) else checked_address(value, field)


HOLDER = Field("holder")

RAILS = (
    Rail(
        "bank", (HOLDER, Field("account", 60, check=checked_account), Field("bic", 20, False, checked_bic)), "account"
    ),
    Rail("paypal", (Field("account", 254, check=checked_address),), "account"),
    Rail("wise", (HOLDER, Field("account", 254, check=checked_address)), "account"),
    Rail("alipay", (HOLDER, Field("account", 254, check=checked_alipay)), "account"),
)
