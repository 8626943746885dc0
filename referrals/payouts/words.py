"""The stable words of payouts, said to a person."""

from decimal import Decimal

import asyncpg

from app.i18n import gettext as _
from app.money import EXPONENTS, Money, format_money, plain_decimal
from referrals.payouts.quotes import Quote
from referrals.payouts.rates import convert, rest_of


def rail_words(rail: str) -> str:
    return {
        "bank": _("Bank transfer"),
        "paypal": "PayPal",
        "wise": "Wise",
        "alipay": _("Alipay"),
        "store_credit": _("Store credit"),
        "stripe": "Stripe",
    }.get(rail, rail)


def field_words(field: str, rail: str) -> str:
    """What a rail asks for."""
    if field == "account":
        return {
            "bank": _("IBAN or account number"),
            "stripe": _("Stripe account"),
            "alipay": _("Phone or e-mail at Alipay"),
        }.get(rail, _("E-mail address there"))
    return {"holder": _("Name on the account"), "bic": _("BIC or routing number")}.get(field, field)


def state_words(state: str) -> str:
    return {
        "claimed": _("Waiting for the next batch"),
        "approved": _("Approved"),
        "submitted": _("On its way"),
        "settled": _("Paid"),
        "failed": _("Did not arrive"),
        "returned": _("Came back"),
        "cancelled": _("Taken back"),
    }.get(state, state)


def where_words(payout: asyncpg.Record) -> str:
    """How far a payout has come; one that lies in a batch waits for its approvals."""
    in_batch = payout["state"] == "claimed" and payout["batch_id"]
    return _("Waiting for approval") if in_batch else state_words(payout["state"])


def batch_words(state: str) -> str:
    return {
        "gathering": _("Being put together"),
        "frozen": _("Waiting for approval"),
        "approved": _("Ready to be sent"),
        "submitted": _("Being sent"),
        "done": _("Done"),
        "cancelled": _("Cancelled"),
    }.get(state, state)


def step_words(step: str) -> str:
    return {
        "asked": _("Asked for"),
        "frozen": _("Frozen"),
        "approved": _("Approved"),
        "submitted": _("Sent off"),
        "exported": _("Exported"),
        "settled": _("Arrived"),
        "failed": _("Did not arrive"),
        "returned": _("Came back"),
        "cancelled": _("Cancelled"),
        "paused": _("Paused"),
        "resumed": _("Went on"),
        "unknown": _("No answer yet"),
    }.get(step, step)


def reason_words(reason: str) -> str:
    """Why a payout did not arrive; what a provider said in its own words stays as it is."""
    return {
        "method_changed": _("The account was changed or removed meanwhile"),
        "never_came": _("The provider never received it"),
        "no_answer": _("The provider gave no answer for too long"),
        "account_invalid": _("The provider does not know this account"),
        "balance_insufficient": _("The store's balance at the provider was too low"),
        "details_unreadable": _("The account's details can no longer be read"),
        "refused": _("The bank refused it"),
        "suspended": _("Suspended"),
        "under_review": _("Something was being checked"),
        "cooling_off": _("The account was added too recently"),
        "method_failed": _("Payouts to this account failed more than once"),
        "identity_needed": _("The store had not looked at who you are, or what it saw no longer holds"),
    }.get(reason, reason)


def rate_words(base: str, quote: str, rate: Decimal) -> str:
    return _("1 %(base)s = %(rate)s %(quote)s", base=base, rate=plain_decimal(rate), quote=quote)


def rounding_words(amount: int, base: str, quote: str, rate: Decimal) -> str:
    """How the other currency's amount was rounded; empty when there was nothing to round."""
    rest = rest_of(amount, base, quote, rate)
    if not rest:
        return ""
    exact = (Decimal(convert(amount, base, quote, rate)) + rest).scaleb(-EXPONENTS[quote])
    return _("exactly %(exact)s %(quote)s, rounded half to even", exact=plain_decimal(exact), quote=quote)


def trouble_words(of: Quote) -> str:
    """Why a payout cannot be asked for now, and what to do."""
    currency = of.sum.currency
    least = format_money(Money(of.terms.least or of.terms.minimum, currency))
    return {
        "suspended": _("A suspended account is not paid."),
        "under_review": _("Something of yours is being checked. Until that is done, nothing is paid out here."),
        "not_offered": _("This store does not pay this way."),
        "nothing": _("Nothing is available to pay out: it is on its way already, or was taken back."),
        "no_method": _("Say first where the money should go."),
        "cooling_off": _("This account was added less than 72 hours ago. It can be paid to after that."),
        "method_failed": _("Payouts to this account failed more than once. Check it and add it again."),
        "below_minimum": _("A payout starts at %(least)s.", least=least),
        "tax_number_needed": _("You have reached a sum from which we must ask for a tax number. Add it to go on."),
        "identity_needed": _(
            "Above %(sum)s in a year this store has to know who you are. Ask it to look, before you are paid.",
            sum=format_money(Money(of.terms.identity_from, currency)),
        ),
        "fees_eat_it": _("After fees nothing would be left."),
        "no_rate": _(
            "This account is kept in %(currency)s, and the store has no rate of the last seven days for it."
            " Wait for one, or add an account in %(earned)s.",
            currency=of.paid_in,
            earned=currency,
        ),
        "own_rate": _("You entered this rate yourself. Somebody else has to, before you are paid by it."),
    }.get(of.trouble, of.trouble)


def trouble_about_other(of: Quote) -> str:
    """The same about somebody else, for those who run the store."""
    return {
        "suspended": _("Suspended"),
        "under_review": _("Something of theirs is being checked"),
        "not_offered": _("Wants to be paid in a way this store does not offer"),
        "no_method": _("Has not said where the money should go"),
        "nothing": _("Owes the store as much, after refunds"),
        "cooling_off": _("The account was added too recently"),
        "method_failed": _("Payouts to this account failed more than once"),
        "below_minimum": _("Below the minimum"),
        "tax_number_needed": _("A tax number is missing"),
        "identity_needed": _("Above your limit, and nobody has looked at who they are"),
        "by_hand_only": _("Asks for each payout personally"),
        "fees_eat_it": _("Fees would leave nothing"),
        "no_rate": _("There is no rate of the last seven days into %(currency)s", currency=of.paid_in),
        "own_rate": _("Entered the rate personally"),
    }.get(of.trouble, of.trouble)
