"""What a person typed into the form of a bounty, as the offer it means."""

from datetime import UTC, date, datetime, time
from typing import get_args

from app import clock
from app.errors import Invalid
from app.i18n import gettext as _
from app.money import Money, check_currency
from referrals.bounties.schemas import BountyOffer, Metric, NewBounty, Period
from referrals.programs.editor import as_amount


def offered(typed: NewBounty) -> BountyOffer:
    currency = check_currency(typed.currency.strip().upper())
    if typed.period not in get_args(Period):
        raise Invalid("period", _("Please choose one of these."))
    if typed.metric not in get_args(Metric):
        raise Invalid("metric", _("Please choose one of these."))
    return BountyOffer(
        title=typed.title,
        brief=typed.brief,
        pays=Money(as_amount(typed.amount, currency, "amount"), currency),
        closes_at=_end_of(typed.closes_on),
        most_awards=typed.most_awards,
        opens_at=_start_of(typed.opens_on) if typed.opens_on.strip() else None,
        period=typed.period,  # type: ignore[arg-type]
        metric=typed.metric,  # type: ignore[arg-type]
        least=min(max(typed.least, 0), 2_000_000_000),
        needs_proof=typed.needs_proof,
        awards_itself=typed.awards_itself,
        jump_times=min(max(typed.jump_times, 0), 1000),
    )


def _start_of(typed: str) -> datetime:
    return datetime.combine(_day(typed, "opens_on"), time(), UTC)


def _end_of(typed: str) -> datetime:
    end = datetime.combine(_day(typed, "closes_on"), time(23, 59, 59), UTC)
    if end <= clock.now():
        raise Invalid("closes_on", _("A day to come, please."))
    return end


def _day(typed: str, field: str) -> date:
    try:
        return datetime.fromisoformat(typed.strip()).date()
    except ValueError as error:
        raise Invalid(field, _("“%(value)s” is not a day; write 2026-11-30.", value=typed[:30])) from error
