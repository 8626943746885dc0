from piccolo.columns import BigSerial, Integer
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, moment, reference, words
from community.members.tables import Member
from referrals.commissions.tables import Commission
from referrals.programs.tables import Program
from storefront.catalog.tables import Product


class Campaign(Table, tablename="campaign"):
    """A store and some partners, some products, some weeks. Fees are promised out of `fee_budget` and no further."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program)
    name = words()
    brief = words()
    starts_at = moment()
    ends_at = moment()
    currency = words()
    fee_budget = amount()
    promised = amount()
    """The fees of offers that stand and of what was paid. The check is the hard stop."""
    by_id = reference(Member)
    created_at = moment()

    campaign_ends = Check("ends_at > starts_at")
    campaign_budget_holds = Check("promised BETWEEN 0 AND fee_budget")


class CampaignProduct(Table, tablename="campaign_product"):
    """What a campaign is about. None: everything the store has."""

    id = BigSerial(primary_key=True)
    campaign_id = reference(Campaign, cascade=True, index=False)
    product_id = reference(Product)

    campaign_product_once = Unique([campaign_id, product_id])


class Contract(Table, tablename="campaign_contract"):
    """What a store offers a partner for a campaign: fees by milestone, and a share of each sale."""

    id = BigSerial(primary_key=True)
    campaign_id = reference(Campaign, index=False)
    member_id = reference(Member)
    rate_bps = Integer(default=None, null=True)
    """Of each sale while the campaign runs; null: what the rules pay."""
    state = words()
    by_id = reference(Member)
    created_at = moment()
    answered_at = moment(null=True)
    escrowed_at = moment(null=True)
    """When its fees were set aside in the books; empty for what was agreed before there was an escrow."""

    campaign_contract_once = Unique([campaign_id, member_id])
    campaign_contract_state_known = Check("state IN ('offered', 'accepted', 'declined', 'ended')")
    campaign_contract_rate_sane = Check("rate_bps BETWEEN 0 AND 10000")


class Milestone(Table, tablename="campaign_milestone"):
    """A piece of work of a contract and the fee for it, paid once a person has looked at it."""

    id = BigSerial(primary_key=True)
    contract_id = reference(Contract)
    title = words()
    fee = amount()
    due_at = moment()
    state = words()
    proof_url = words(optional=True)
    note = words(optional=True)
    reason = words(optional=True)
    decided_by_id = reference(Member, null=True)
    decided_at = moment(null=True)
    commission_id = reference(Commission, null=True)

    campaign_milestone_fee_sane = Check("fee > 0")
    campaign_milestone_state_is_known = Check(
        "state IN ('open', 'handed_in', 'approved', 'declined', 'dropped', 'expired')"
    )
