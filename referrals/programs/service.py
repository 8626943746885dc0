from datetime import timedelta

import asyncpg
import msgspec

from app import clock, db
from app.errors import Conflict, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from referrals.programs.events import ProgramPublished
from referrals.programs.policy import Policy
from referrals.programs.queries import newest
from referrals.programs.schemas import Rules
from referrals.programs.soundness import check_terms
from referrals.programs.terms import Terms

LONGEST_HOLD = timedelta(days=365)
LONGEST_WINDOW = timedelta(days=730)


async def publish_rules(
    store_slug: str,
    rules: Rules | None = None,
    *,
    terms: Terms | None = None,
    policy: Policy | None = None,
    actor_id: int | None = None,
    base_version: int | None = None,
) -> tuple[int, int]:
    """Put new rules in force for a store from now on; the programme's id and the version's number.

    What is not given stays as it was in the version before. Orders that were told before keep theirs. With a
    `base_version`, somebody else's newer version is not run over.
    """
    async with db.transaction():
        store = await db.fetch_one("SELECT id FROM store WHERE slug = $1", store_slug)
        if store is None:
            raise NotFound(_("There is no store “%(slug)s”.", slug=store_slug[:60]))
        now = clock.now()
        await db.execute(
            "INSERT INTO program (store_id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", store["id"], now
        )
        # The programme's row is the lock: two versions at once get two numbers.
        program_id = await db.fetch_val("SELECT id FROM program WHERE store_id = $1 FOR UPDATE", store["id"])
        before = await newest(program_id)
        if base_version is not None and base_version != (before["version"] if before else 0):
            raise Conflict(_("Somebody published other rules meanwhile. Look at them, and begin from there."))
        rules = rules or rules_of(before)
        check_rules(rules)
        if terms is not None:
            check_terms(terms)
        number = (before["version"] if before else 0) + 1
        version_id = await db.fetch_val(
            """INSERT INTO program_version
                      (program_id, version, rate_bps, hold_days, window_days, model, terms, policy, published_at, by_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9, $10) RETURNING id""",
            program_id,
            number,
            rules.rate_bps,
            rules.hold_days,
            rules.window_days,
            rules.model,
            _document(terms, before, "terms"),
            _document(policy, before, "policy"),
            now,
            actor_id,
        )
        await publish(ProgramPublished(store_id=store["id"], program_version_id=version_id), actor_id=actor_id)
    return program_id, number


def rules_of(version: asyncpg.Record | None) -> Rules:
    """The plain rules of a version; what a programme that has none would begin with."""
    if version is None:
        return Rules(rate_bps=0)
    return Rules(version["rate_bps"], version["hold_days"], version["window_days"], version["model"])


def _document(given: Terms | Policy | None, before: asyncpg.Record | None, column: str) -> str:
    kept = given if given is not None else (before[column] if before else {})
    return msgspec.json.encode(kept).decode()


def check_rules(rules: Rules) -> None:
    if not 0 <= rules.rate_bps <= 10_000:
        raise Invalid("rate_bps", _("A rate is 0 to 10,000 basis points; 1,000 is ten percent."))
    if not 0 <= rules.hold_days <= LONGEST_HOLD.days:
        raise Invalid("hold_days", _("The hold is 0 to %(most)s days.", most=LONGEST_HOLD.days))
    if not 1 <= rules.window_days <= LONGEST_WINDOW.days:
        raise Invalid("window_days", _("A click counts for 1 to %(most)s days.", most=LONGEST_WINDOW.days))
    if rules.model not in ("last", "first"):
        raise Invalid("model", _("The model is “last” or “first”."))
