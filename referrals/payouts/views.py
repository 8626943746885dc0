"""Payouts as programs see them."""

import asyncpg

from app.money import Money, plain_decimal
from referrals.payouts.amounts import leaves
from referrals.payouts.exports import number_of
from referrals.payouts.methods import trouble_with
from referrals.payouts.quotes import Quote
from referrals.payouts.schemas import MethodView, PayoutView, QuoteView, RateUsed, RateView
from referrals.payouts.words import trouble_words


def quote_view(store_slug: str, of: Quote) -> QuoteView:
    def money(amount: int) -> Money:
        return Money(amount, of.sum.currency)

    return QuoteView(
        store=store_slug,
        rail=of.rail,
        account=of.hint,
        available=money(of.sum.available),
        owed=money(of.sum.owed),
        fee=money(of.fee),
        bonus=money(of.bonus),
        withheld=money(of.withheld),
        amount=money(of.sum.amount),
        receives=money(of.sends),
        arrives=Money(of.pays, of.paid_in) if of.rate or of.paid_in == of.sum.currency else None,
        rate=RateUsed(str(of.rate.id), plain_decimal(of.rate.rate), of.rate.source, of.rate.taken_at.isoformat())
        if of.rate
        else None,
        is_early=of.is_early,
        minimum=money(of.terms.minimum),
        least=money(of.terms.least),
        pays_on=of.pays_on.isoformat() if of.pays_on else None,
        trouble=of.trouble,
        words=trouble_words(of) if of.trouble else "",
        identity_from=money(of.terms.identity_from) if of.terms.identity_from else None,
        asks_identity=of.asks_identity,
    )


def payout_view(row: asyncpg.Record) -> PayoutView:
    def money(name: str) -> Money:
        return Money(row[name], row["currency"])

    return PayoutView(
        id=str(row["id"]),
        number=number_of(row["id"]),
        store=row["store"],
        rail=row["rail"],
        account=row["hint"],
        state=row["state"],
        reason=row["reason"],
        amount=money("amount"),
        netted=money("netted"),
        fee=money("fee"),
        withheld=money("withheld"),
        bonus=money("bonus"),
        receives=money("sends"),
        arrives=Money(*leaves(row)),
        rate=RateUsed(
            str(row["rate_id"]), plain_decimal(row["fx_rate"]), row["fx_source"], row["fx_taken_at"].isoformat()
        )
        if row["rate_id"]
        else None,
        asked_at=row["created_at"].isoformat(),
        changed_at=row["state_at"].isoformat(),
        credit_code=row["credit_code"],
        advice_url=f"/earn/payouts/{row['id']}",
    )


def method_view(row: asyncpg.Record) -> MethodView:
    return MethodView(
        str(row["id"]), row["rail"], row["hint"], row["usable_at"].isoformat(), trouble_with(row), row["currency"]
    )


def rate_view(row: asyncpg.Record) -> RateView:
    return RateView(
        str(row["id"]),
        row["base"],
        row["quote"],
        plain_decimal(row["rate"]),
        row["source"],
        row["taken_at"].isoformat(),
        row["handle"],
        row["in_force"],
    )
