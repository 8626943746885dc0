"""What members owe a store, and letting go of it: by a person, with a reason, never by itself."""

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid
from app.i18n import gettext as _
from app.money import Money
from referrals.commissions.debts import Debts
from referrals.commissions.postings import legs_of, owed, posting, tell_changed
from referrals.commissions.standing import lock_commissions
from referrals.ledger.schemas import AccountName
from referrals.ledger.service import post_all
from storefront.stores.policy import access_own_store

LONGEST_NOTE = 500

_BY_COMMISSION = """
SELECT c.id, c.member_id, c.currency, sum(e.amount)::bigint AS amount
  FROM ledger_account a
  JOIN ledger_entry e ON e.account_id = a.id
  JOIN ledger_transaction t ON t.id = e.transaction_id AND t.ref_type = 'commission'
  JOIN commission c ON c.id = t.ref_id
  JOIN program_version v ON v.id = c.program_version_id
  JOIN program p ON p.id = v.program_id
 WHERE a.owner_kind = 'member' AND a.kind = 'receivable' AND p.store_id = $1
"""


async def debts_to(store_id: int) -> list[asyncpg.Record]:
    """Who owes a store how much, the most first."""
    return await db.fetch(
        f"""SELECT d.member_id, m.handle, d.currency, sum(d.amount)::bigint AS amount
              FROM ({_BY_COMMISSION} GROUP BY c.id) d JOIN member m ON m.id = d.member_id
             GROUP BY d.member_id, m.handle, d.currency HAVING sum(d.amount) > 0
             ORDER BY 4 DESC, 1 LIMIT 200""",
        store_id,
    )


async def write_offs_of(store_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT w.*, m.handle, b.handle AS by_handle
             FROM write_off w JOIN member m ON m.id = w.member_id JOIN member b ON b.id = w.by_id
            WHERE w.store_id = $1 ORDER BY w.id DESC LIMIT 50""",
        store_id,
    )


async def write_off(viewer: Viewer, slug: str, member_id: int, currency: str, note: str) -> Money:
    """Let go of all that a member owes a store in a currency. An entry of its own, with who and why."""
    store = await access_own_store(viewer, slug)
    by_id = require_member(viewer)
    if member_id == by_id:
        raise Forbidden(_("Nobody lets go of their own debt."))
    note = note.strip()
    if not note or len(note) > LONGEST_NOTE:
        raise Invalid("note", _("Say why, in up to %(most)s characters.", most=LONGEST_NOTE))
    async with db.transaction():
        owing = await db.fetch(
            f"{_BY_COMMISSION} AND a.owner_id = $2 AND a.currency = $3 GROUP BY c.id HAVING sum(e.amount) > 0",
            store["id"],
            member_id,
            currency,
        )
        left = {row["id"]: row["amount"] for row in owing}
        found = await lock_commissions(left)
        debts, postings = await Debts.of(found), []
        # What other commissions have paid of it since is not let go of a second time.
        for one in found:
            part = debts.pay(one, left[one["id"]])
            loss = AccountName("store", store["id"], "written_off", currency)
            legs = legs_of((loss, part), (owed(one, "receivable"), -part))
            if legs:
                postings.append(posting("write_off", one, legs, "written_off"))
        amount = sum(leg.amount for one in postings for leg in one.legs if leg.amount > 0)
        if amount == 0:
            raise Conflict(_("Nothing is owed there any more."))
        await db.execute(
            """INSERT INTO write_off (member_id, store_id, currency, amount, note, by_id, at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            member_id,
            store["id"],
            currency,
            amount,
            note,
            by_id,
            clock.now(),
        )
        await tell_changed(found, actor_id=by_id)
        await post_all(postings)
    return Money(amount, currency)
