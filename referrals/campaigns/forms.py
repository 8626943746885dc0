"""What a store typed into the forms of a campaign, as amounts, days and products."""

from datetime import UTC, datetime, time

from app import db
from app.errors import Invalid
from app.i18n import gettext as _
from app.text import clean
from referrals.campaigns.schemas import NewOffer
from referrals.programs.editor import as_amount

MOST_PRODUCTS = 100
MOST_MILESTONES = 12


def milestones_in(new: NewOffer, currency: str) -> list[tuple[str, int, datetime]]:
    if not len(new.title) == len(new.fee) == len(new.due_on):
        raise Invalid("title", _("The form came in pieces. Please send it again."))
    rows = [row for row in zip(new.title, new.fee, new.due_on, strict=True) if any(one.strip() for one in row)]
    if len(rows) > MOST_MILESTONES:
        raise Invalid("title", _("At most %(n)s milestones.", n=MOST_MILESTONES))
    milestones = []
    for title, fee, due_on in rows:
        amount = as_amount(fee, currency, "fee")
        if amount == 0:
            raise Invalid("fee", _("Say what it pays."))
        milestones.append((clean(title, "title", least=3, most=120), amount, day_in(due_on, "due_on", last=True)))
    return milestones


async def products_in(store_id: int, typed: str) -> list[int]:
    slugs = sorted({line.strip().removeprefix("/p/") for line in typed.replace(",", "\n").splitlines()} - {""})
    if len(slugs) > MOST_PRODUCTS:
        raise Invalid("products", _("At most %(n)s products.", n=MOST_PRODUCTS))
    rows = await db.fetch(
        "SELECT id, slug FROM product WHERE store_id = $1 AND slug = ANY($2::text[])", store_id, slugs
    )
    unknown = set(slugs) - {row["slug"] for row in rows}
    if unknown:
        raise Invalid("products", _("Your store has no product “%(slug)s”.", slug=min(unknown)[:80]))
    return [row["id"] for row in rows]


def day_in(typed: str, field: str, *, last: bool = False) -> datetime:
    try:
        day = datetime.fromisoformat(typed.strip()).date()
    except ValueError as error:
        raise Invalid(field, _("“%(value)s” is not a day; write 2026-11-30.", value=typed[:30])) from error
    return datetime.combine(day, time(23, 59, 59) if last else time(0), UTC)
