from datetime import timedelta

from app import clock, db
from app.errors import Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from referrals.programs.events import ProgramPublished
from referrals.programs.schemas import Rules

LONGEST_HOLD = timedelta(days=365)
LONGEST_WINDOW = timedelta(days=730)


async def publish_rules(store_slug: str, rules: Rules) -> tuple[int, int]:
    """Put new rules in force for a store from now on; the programme's id and the version's number.

    Orders that were told before keep the version they were told under.
    """
    check_rules(rules)
    async with db.transaction():
        store_id = await db.fetch_val("SELECT id FROM store WHERE slug = $1", store_slug)
        if store_id is None:
            raise NotFound(_("There is no store “%(slug)s”.", slug=store_slug[:60]))
        now = clock.now()
        await db.execute(
            "INSERT INTO program (store_id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", store_id, now
        )
        # The programme's row is the lock: two versions at once get two numbers.
        program_id = await db.fetch_val("SELECT id FROM program WHERE store_id = $1 FOR UPDATE", store_id)
        row = await db.fetch_one(
            """INSERT INTO program_version (program_id, version, rate_bps, hold_days, window_days, model, published_at)
               SELECT $1::bigint, coalesce(max(version), 0) + 1, $2::int, $3::int, $4::int, $5, $6::timestamptz
                 FROM program_version WHERE program_id = $1
               RETURNING id, version""",
            program_id,
            rules.rate_bps,
            rules.hold_days,
            rules.window_days,
            rules.model,
            now,
        )
        assert row is not None
        await publish(ProgramPublished(store_id=store_id, program_version_id=row["id"]))
        number: int = row["version"]
    return program_id, number


def check_rules(rules: Rules) -> None:
    if not 0 <= rules.rate_bps <= 10_000:
        raise Invalid("rate_bps", _("A rate is 0 to 10,000 basis points; 1,000 is ten percent."))
    if not 0 <= rules.hold_days <= LONGEST_HOLD.days:
        raise Invalid("hold_days", _("The hold is 0 to %(most)s days.", most=LONGEST_HOLD.days))
    if not 1 <= rules.window_days <= LONGEST_WINDOW.days:
        raise Invalid("window_days", _("A click counts for 1 to %(most)s days.", most=LONGEST_WINDOW.days))
    if rules.model not in ("last", "first"):
        raise Invalid("model", _("The model is “last” or “first”."))
