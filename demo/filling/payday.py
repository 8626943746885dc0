"""Where people are paid, and the store's pay days: one that is settled, and one that waits for its second approver."""

from app import db
from demo.filling.people import PASSWORD
from demo.filling.rows import Filling, copy_in
from demo.filling.trade import Deed
from referrals.payouts import batches, exports
from referrals.payouts.claims import Figures, ask_for_payout
from referrals.payouts.methods import COOL_OFF
from referrals.payouts.quotes import quote_for
from referrals.payouts.rails import RAILS
from referrals.payouts.rails.shape import masked
from referrals.payouts.seal import fingerprint, seal
from referrals.payouts.terms import Terms, publish_terms

DAY, HOUR = 86400, 3600
STORE, CURRENCY, OWNER = "demo", "USD", "ines"
APPROVERS = ("dmitri", "wenjing")
# Accounts of the books that explain IBANs: their check digits are right, and nobody's money lies there.
ACCOUNTS = {
    "linwei": "DE89370400440532013000",
    "jonas": "GB29NWBK60161331926819",
    "callum": "IE29AIBK93115212345678",
    "kirsten": "NO9386011117947",
    "ben": "NL91ABNA0417164300",
    "mara": "FR1420041010050500013M02606",
    "henry": "ES9121000418450200051332",
    "gareth": "BE68539007547034",
}
REFUSED = "callum"


def deeds() -> list[Deed]:
    return [
        (70 * DAY, _say_where),
        (70 * DAY, _publish_terms),
        (20 * DAY, _gather_first),
        (20 * DAY - 5 * HOUR, _approve_by_both),
        (20 * DAY - 7 * HOUR, _submit),
        (18 * DAY, _hear_from_the_bank),
        (10 * DAY, _take_credit),
        (26 * HOUR, _gather_second),
        (22 * HOUR, _approve_by_one),
    ]


async def _say_where(f: Filling) -> None:
    """As adding an account would have written it, without everybody's password."""
    now = f.at(70 * DAY)
    rows = []
    for handle, account in ACCOUNTS.items():
        member_id, name = f.members[handle], next(one.name for one in f.content.members if one.handle == handle)
        sealed = seal("method", member_id, {"holder": name, "account": account, "bic": ""})
        rows.append((member_id, "bank", sealed, masked(account), fingerprint("bank", account), now, now + COOL_OFF, 0))
    await copy_in("payout_method", "member_id rail sealed hint fingerprint created_at usable_at failures", rows)
    await copy_in("payout_wish", "member_id rail automatic", [(row[0], "bank", True) for row in rows])


async def _publish_terms(f: Filling) -> None:
    terms = Terms(CURRENCY, 2_000, least=500, early_fee=100, credit_bonus_bps=500, pay_day=1)
    assert set(terms.rails) <= set(RAILS)
    await publish_terms(f.viewer(OWNER), STORE, terms)


async def _gather_first(f: Filling) -> None:
    await batches.request_batch(f.viewer(OWNER), STORE, CURRENCY, f.at(20 * DAY), 200)


async def _gather_second(f: Filling) -> None:
    await batches.request_batch(f.viewer(OWNER), STORE, CURRENCY, f.at(4 * DAY), 500)


async def _approve_by_both(f: Filling) -> None:
    for handle in APPROVERS:
        await _approve(f, handle)


async def _approve_by_one(f: Filling) -> None:
    await _approve(f, APPROVERS[0])


async def _approve(f: Filling, handle: str) -> None:
    batch = await _newest()
    await batches.approve(f.viewer(handle), STORE, batch["id"], seen=batch["frozen_hash"].hex(), password=PASSWORD)


async def _submit(f: Filling) -> None:
    await batches.submit(f.viewer(OWNER), STORE, (await _newest())["id"])


async def _hear_from_the_bank(f: Filling) -> None:
    """It paid all but one: that account was closed, and the money is its owner's again."""
    batch = await _newest()
    refused = f.members[REFUSED]
    for row in await db.fetch("SELECT id, member_id FROM payout WHERE batch_id = $1 ORDER BY id", batch["id"]):
        result, reason = ("failed", "account_closed") if row["member_id"] == refused else ("settled", "")
        said = await exports.mark(f.viewer(OWNER), batch["id"], row["id"], result, f"NF-{row['id']:05}", reason)
        assert not said, said


async def _take_credit(f: Filling) -> None:
    """Mara does not wait for the pay day: credit at the shop, with its bonus."""
    quote = await quote_for(f.members["mara"], f.stores[STORE], CURRENCY, "store_credit")
    if not quote.trouble:
        store = await db.fetch_one("SELECT * FROM store WHERE id = $1", f.stores[STORE])
        assert store is not None
        shown = Figures(quote.sum.amount, quote.sends)
        await ask_for_payout(f.viewer("mara"), store, CURRENCY, "store_credit", shown)


async def _newest():  # type: ignore[no-untyped-def]
    row = await db.fetch_one("SELECT * FROM payout_batch ORDER BY id DESC LIMIT 1")
    assert row is not None
    return row
