"""Campaigns: a store, some partners, some products, some weeks. Fees by milestone, a share of each sale, one ledger."""

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.money import Money, check_currency, format_money
from app.text import clean
from community.notifications.service import notify
from referrals.agreement.service import asks_for_two
from referrals.campaigns import escrow
from referrals.campaigns.events import CampaignAnswered, CampaignOffered, MilestoneDecided
from referrals.campaigns.forms import day_in, milestones_in, products_in
from referrals.campaigns.queries import access_contract, access_milestone
from referrals.campaigns.schemas import NewCampaign, NewOffer, Verdict, Work
from referrals.commissions.rewards import grant
from referrals.partners.applying import access_program, is_partner
from referrals.partners.service import lend_rate, take_rate_back
from referrals.programs.editor import as_amount, as_bps
from referrals.programs.queries import newest
from storefront.catalog.service import checked_url


async def plan(viewer: Viewer, slug: str, new: NewCampaign) -> int:
    """Set up a campaign; the caller has seen that the viewer runs the store."""
    by_id = require_member(viewer)
    program = await access_program(slug)
    currency = check_currency(new.currency.strip().upper())
    starts_at, ends_at = day_in(new.starts_on, "starts_on"), day_in(new.ends_on, "ends_on", last=True)
    if ends_at <= max(starts_at, clock.now()):
        raise Invalid("ends_on", _("It ends on a day to come, after it began."))
    if (ends_at - starts_at).days > 366:
        raise Invalid("ends_on", _("A campaign lasts a year at most."))
    products = await products_in(program["store_id"], new.products)
    async with db.transaction():
        campaign_id: int = await db.fetch_val(
            """INSERT INTO campaign (program_id, name, brief, starts_at, ends_at, currency, fee_budget, promised,
                                     by_id, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9) RETURNING id""",
            program["id"],
            clean(new.name, "name", least=3, most=120),
            clean(new.brief, "brief", most=4000, lines=True),
            starts_at,
            ends_at,
            currency,
            as_amount(new.fee_budget, currency, "fee_budget", empty=True),
            by_id,
            clock.now(),
        )
        await db.execute(
            "INSERT INTO campaign_product (campaign_id, product_id) SELECT $1, unnest($2::bigint[])",
            campaign_id,
            products,
        )
    return campaign_id


async def offer(viewer: Viewer, campaign: asyncpg.Record, new: NewOffer) -> int:
    """Offer a partner a part. Its fees are taken out of the budget at once, so no two offers promise the same money."""
    by_id, now = require_member(viewer), clock.now()
    if campaign["ends_at"] <= now:
        raise Gone(_("This campaign is over."))
    rate = as_bps(new.rate, "rate") if new.rate.strip() else None
    milestones = milestones_in(new, campaign["currency"])
    if rate is not None and await asks_for_two(campaign["store_id"]):
        raise Invalid("rate", _("Rates of this store take two people: agree on it under “Tiers and rates”."))
    if rate is None and not milestones:
        raise Invalid("rate", _("Offer a rate, a fee, or both."))
    member_id = await db.fetch_val(
        "SELECT id FROM member WHERE lower(handle) = lower($1)", new.handle.strip().removeprefix("@")
    )
    if member_id is None or not await is_partner(campaign["program_id"], member_id):
        raise Invalid("handle", _("No partner of yours is called that."))
    if member_id == by_id:
        raise Invalid("handle", _("Somebody else must make an offer to you."))
    async with db.transaction():
        await _promise(campaign, sum(fee for _title, fee, _due in milestones))
        contract_id = await db.fetch_val(
            """INSERT INTO campaign_contract AS c (campaign_id, member_id, rate_bps, state, by_id, created_at)
               VALUES ($1, $2, $3, 'offered', $4, $5)
               ON CONFLICT (campaign_id, member_id) DO UPDATE
                  SET rate_bps = excluded.rate_bps, state = 'offered', by_id = excluded.by_id,
                      created_at = excluded.created_at, answered_at = NULL
                WHERE c.state IN ('declined', 'ended') RETURNING id""",
            campaign["id"],
            member_id,
            rate,
            by_id,
            now,
        )
        if contract_id is None:
            raise Conflict(_("They have an offer for this campaign already."))
        for title, fee, due_at in milestones:
            await db.execute(
                """INSERT INTO campaign_milestone (contract_id, title, fee, due_at, state)
                   VALUES ($1, $2, $3, $4, 'open')""",
                contract_id,
                title,
                fee,
                due_at,
            )
        await publish(CampaignOffered(contract_id=contract_id, member_id=member_id), actor_id=by_id)
        await notify(
            member_id,
            "campaign_offered",
            source=f"campaign_contract:{contract_id}:{now:%Y%m%d%H%M%S}",
            url=f"/earn/campaigns/{contract_id}",
            data={"store": campaign["store_name"], "campaign": campaign["name"]},
        )
    return int(contract_id)


async def answer(viewer: Viewer, contract_id: int, *, takes: bool) -> None:
    """Take an offer, or not; what was promised for one that is not taken is free again."""
    member_id, now = require_member(viewer), clock.now()
    state = "accepted" if takes else "declined"
    async with db.transaction():
        contract = await access_contract(member_id, contract_id, lock=True)
        if contract["state"] != "offered":
            raise Conflict(_("This was answered already."))
        if takes and contract["ends_at"] <= now:
            raise Gone(_("This campaign is over."))
        await db.execute(
            "UPDATE campaign_contract SET state = $2, answered_at = $3 WHERE id = $1", contract_id, state, now
        )
        if takes and contract["rate_bps"] is not None:
            await lend_rate(
                contract["program_id"],
                member_id,
                contract["rate_bps"],
                max(now, contract["starts_at"]),
                contract["ends_at"],
                contract["by_id"],
                _note(contract_id),
            )
        await publish(CampaignAnswered(contract_id=contract_id, member_id=member_id, state=state), actor_id=member_id)
        await notify(
            contract["by_id"],
            "campaign_answered",
            source=f"campaign_contract:{contract_id}:{state}:{now:%Y%m%d%H%M%S}",
            url=f"/admin/programs/{contract['slug']}/campaigns/{contract['campaign_id']}",
            data={"member": contract["handle"], "campaign": contract["name"], "state": state},
        )
        if takes:
            await escrow.set_aside(contract, now)
        else:
            await escrow.drop(contract, ["open"])


async def call_off(viewer: Viewer, campaign: asyncpg.Record, contract_id: int) -> None:
    """The store ends a part in a campaign: the rate stops, open fees are free again. What was approved stays, and what
    was handed in still has to be looked at: the work is done."""
    by_id = require_member(viewer)
    async with db.transaction():
        contract = await db.fetch_one(
            """SELECT c.*, k.program_id, k.currency, p.store_id
                 FROM campaign_contract c JOIN campaign k ON k.id = c.campaign_id JOIN program p ON p.id = k.program_id
                WHERE c.id = $1 AND k.id = $2 AND c.state IN ('offered', 'accepted') FOR UPDATE OF k, c""",
            contract_id,
            campaign["id"],
        )
        if contract is None:
            raise NotFound()
        await db.execute("UPDATE campaign_contract SET state = 'ended' WHERE id = $1", contract_id)
        await take_rate_back(contract["program_id"], contract["member_id"], _note(contract_id), by_id)
        ended = CampaignAnswered(contract_id=contract_id, member_id=contract["member_id"], state="ended")
        await publish(ended, actor_id=by_id)
        await escrow.drop(contract, ["open", "declined"])


async def hand_in(viewer: Viewer, milestone_id: int, work: Work) -> None:
    """Say where the work can be seen; what was not approved may be handed in again, better."""
    member_id = require_member(viewer)
    await limit("milestone", member_id, most=60, per=3600)
    proof, note = checked_url(work.proof_url, "proof_url"), clean(work.note, "note", most=1000, lines=True)
    async with db.transaction():
        milestone = await access_milestone(milestone_id, member_id=member_id)
        # While it waits it stays as it is: what is approved must be what was looked at.
        if milestone["contract_state"] != "accepted" or milestone["state"] not in ("open", "declined"):
            raise Conflict(_("It is being looked at, or settled already."))
        if escrow.latest(milestone) < clock.now():
            raise Gone(_("It is too late for this one."))
        await db.execute(
            "UPDATE campaign_milestone SET state = 'handed_in', proof_url = $2, note = $3 WHERE id = $1",
            milestone_id,
            proof,
            note,
        )
        await notify(
            milestone["by_id"],
            "milestone_handed_in",
            source=f"milestone:{milestone_id}:{clock.now():%Y%m%d%H%M%S}",
            url=f"/admin/programs/{milestone['slug']}/campaigns/{milestone['campaign_id']}",
            data={"member": milestone["handle"], "title": milestone["title"]},
        )


async def decide(viewer: Viewer, campaign: asyncpg.Record, milestone_id: int, verdict: Verdict) -> None:
    """Approve, which grants the fee once and for ever, or decline with a reason. Nobody decides on their own work."""
    by_id = require_member(viewer)
    reason = clean(verdict.reason, "reason", most=500, lines=True)
    if verdict.verdict not in ("approved", "declined"):
        raise Invalid("verdict", _("Approve it or decline it."))
    if verdict.verdict == "declined" and not reason:
        raise Invalid("reason", _("Say why, so that they can do better."))
    async with db.transaction():
        milestone = await access_milestone(milestone_id, campaign_id=campaign["id"])
        if milestone["member_id"] == by_id:
            raise Forbidden(_("Somebody else must look at your own work."))
        if milestone["state"] != "handed_in":
            raise Conflict(_("There is nothing to look at, or it was decided already."))
        state = verdict.verdict
        if state == "declined" and milestone["contract_state"] == "ended":
            state = "dropped"  # The part was called off, so nothing better can come.
        commission_id = await _pay(campaign, milestone) if state == "approved" else None
        await db.execute(
            """UPDATE campaign_milestone SET state = $2, reason = $3, decided_by_id = $4, decided_at = $5,
                      commission_id = $6 WHERE id = $1""",
            milestone_id,
            state,
            reason,
            by_id,
            clock.now(),
            commission_id,
        )
        member_id = milestone["member_id"]
        await publish(MilestoneDecided(milestone_id=milestone_id, member_id=member_id, state=state), actor_id=by_id)
        await notify(
            member_id,
            "milestone_decided",
            source=f"milestone:{milestone_id}:{state}:{clock.now():%Y%m%d%H%M%S}",
            url=f"/earn/campaigns/{milestone['contract_id']}",
            data={
                "title": milestone["title"],
                "state": state,
                "amount": milestone["fee"],
                "currency": campaign["currency"],
            },
        )
        if state == "dropped":
            await escrow.free(milestone, [milestone])
        if state != "declined":
            await escrow.release(milestone, [milestone], "milestone" if commission_id else "campaign_ended")


async def _pay(campaign: asyncpg.Record, milestone: asyncpg.Record) -> int:
    rules = await newest(campaign["program_id"])
    assert rules is not None
    commission_id = await grant(
        f"milestone:{milestone['id']}",
        rules,
        member_id=milestone["member_id"],
        role="partner",
        rule="milestone",
        amount=milestone["fee"],
        currency=campaign["currency"],
        reason="milestone",
    )
    granted = await db.fetch_val("SELECT granted FROM commission WHERE id = $1", commission_id)
    if granted != milestone["fee"]:
        # A fee that was agreed is paid whole or not yet: the limits of the rules stand above it.
        raise Conflict(_("A budget or cap of your rules leaves less than this fee. Raise it, then approve."))
    assert commission_id is not None
    return commission_id


async def _promise(campaign: asyncpg.Record, fees: int) -> None:
    taken = await db.fetch_val(
        "UPDATE campaign SET promised = promised + $2 WHERE id = $1 AND promised + $2 <= fee_budget RETURNING id",
        campaign["id"],
        fees,
    )
    if taken is None:
        row = await db.fetch_one("SELECT fee_budget, promised FROM campaign WHERE id = $1", campaign["id"])
        assert row is not None
        left = format_money(Money(row["fee_budget"] - row["promised"], campaign["currency"]))
        raise Invalid("fee", _("The campaign has %(left)s left for fees.", left=left))


def _note(contract_id: int) -> str:
    return f"campaign contract {contract_id}"
