from piccolo.columns import BigSerial, Numeric
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, big, big_from, count, document, moment, raw_bytes, reference, words, yes_no
from community.members.tables import Member
from referrals.commissions.tables import Commission
from storefront.stores.tables import Store


class PayoutTerms(Table, tablename="payout_terms"):
    """How a store pays out in one currency. Never changed: the newest row counts."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    currency = words()
    minimum = amount()
    least = amount()
    """What a member may take early, below the minimum, for `early_fee`; 0: not before the minimum."""
    early_fee = amount()
    fees = document()
    """What one payout costs the member, by rail."""
    credit_bonus_bps = count()
    pay_day = count()
    """The day of the month on which a batch is prepared by itself; 0: only by hand."""
    rails = document()
    identity_from = big_from(0)
    """Above this sum in a calendar year money goes only to whom the store's people have looked at; 0: to anybody."""
    by_id = reference(Member, null=True)
    created_at = moment()

    payout_terms_sane = Check(
        "minimum >= 0 AND least >= 0 AND early_fee >= 0 AND credit_bonus_bps BETWEEN 0 AND 10000"
        " AND pay_day BETWEEN 0 AND 28"
    )


class PayoutMethod(Table, tablename="payout_method"):
    """Where a member's money goes. The details are sealed; `fingerprint` finds the same account again."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member)
    rail = words()
    sealed = raw_bytes()
    hint = words()
    fingerprint = words(index=True)
    currency = words(optional=True)
    """What the account is kept in; empty: whatever is earned."""
    created_at = moment()
    usable_at = moment()
    removed_at = moment(null=True)
    failures = count()
    """In a row; a method that keeps failing is not tried for ever."""
    verified_at = moment(null=True)
    """When the provider last said that it knows whose account it is."""


class PayoutWish(Table, tablename="payout_wish"):
    """How a member wants to be paid when the store's pay day comes: by which rail, and whether at all by itself."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, index=False)
    rail = words(optional=True)
    automatic = yes_no(True)

    payout_wish_once = Unique([member_id])


class TaxProfile(Table, tablename="tax_profile"):
    """Who is paid, as tax offices ask; name and number are sealed."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, index=False)
    country = words()
    kind = words()
    sealed = raw_bytes()
    last4 = words(optional=True)
    changed_at = moment()

    tax_profile_once = Unique([member_id])
    tax_profile_kind_known = Check("kind IN ('person', 'business')")


class TaxThreshold(Table, tablename="tax_threshold"):
    """The operator's own thresholds; one with the same regime, country and start stands in place of a shipped one."""

    id = BigSerial(primary_key=True)
    regime = words()
    country = words()
    currency = words()
    amount = amount()
    action = words()
    withhold_bps = count()
    since_year = count()
    created_at = moment()

    tax_threshold_once = Unique([regime, country, since_year])
    tax_threshold_action_known = Check("action IN ('tell', 'ask', 'withhold')")


class PayoutBatch(Table, tablename="payout_batch"):
    """Payouts that are looked at, approved and sent together."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    currency = words()
    cutoff_at = moment()
    minimum = amount()
    state = words()
    requested_by = reference(Member, null=True)
    """Empty: the store's pay day asked for it."""
    frozen_hash = raw_bytes(null=True)
    paused_for = words(optional=True)
    """Why sending stopped; empty while nothing is wrong."""
    failures = count()
    created_at = moment()
    frozen_at = moment(null=True)
    submitted_at = moment(null=True)
    closed_at = moment(null=True)

    payout_batch_state_known = Check("state IN ('gathering', 'frozen', 'approved', 'submitted', 'done', 'cancelled')")


class BatchApproval(Table, tablename="payout_batch_approval"):
    """One of the two who looked at the frozen batch, and what exactly they saw."""

    id = BigSerial(primary_key=True)
    batch_id = reference(PayoutBatch, index=False)
    member_id = reference(Member)
    frozen_hash = raw_bytes()
    at = moment()

    payout_batch_approval_once = Unique([batch_id, member_id])


class FxRate(Table, tablename="fx_rate"):
    """One unit of `base` in `quote`, as a store's people told it. Never changed, by trigger; the newest counts."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    base = words()
    quote = words()
    rate = Numeric(digits=(17, 10), default=None, null=False)
    source = words()
    taken_at = moment()
    by_id = reference(Member)
    created_at = moment()

    fx_rate_sane = Check("rate > 0::numeric AND base <> quote")


class Payout(Table, tablename="payout"):
    """One member's money on its way: `amount` is the sum of its items, `sends` what leaves the house.

    `netted` went to what the member owed the store, before; it is in neither. Where the account is kept in another
    currency, `sends` becomes `pays` of `pays_currency` by a rate; everything else stays in `currency`.
    """

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    member_id = reference(Member)
    batch_id = reference(PayoutBatch, null=True)
    currency = words()
    netted = amount()
    fee = amount()
    withheld = amount()
    bonus = amount()
    sends = amount()
    rate_id = reference(FxRate, null=True)
    pays = big(null=True)
    pays_currency = words(optional=True)
    amount = amount()
    rail = words()
    method_id = reference(PayoutMethod, null=True)
    asked_by = words()
    asks_identity = yes_no(False)
    """It was above what the store's terms let go to anybody, and goes to nobody unchecked."""
    state = words()
    reason = words(optional=True)
    provider_ref = words(optional=True)
    created_at = moment()
    state_at = moment()

    payout_state_known = Check(
        "state IN ('claimed', 'approved', 'submitted', 'settled', 'failed', 'returned', 'cancelled')"
    )
    payout_asked_by_known = Check("asked_by IN ('member', 'schedule', 'store')")
    payout_sums_up = Check(
        "sends = amount - fee - withheld + bonus AND sends > 0 AND amount > 0"
        " AND netted >= 0 AND fee >= 0 AND withheld >= 0 AND bonus >= 0"
    )
    payout_rate_and_sum = Check(
        "(rate_id IS NULL AND pays IS NULL AND pays_currency = '')"
        " OR (rate_id IS NOT NULL AND pays IS NOT NULL AND pays > 0 AND pays_currency <> '')"
    )


class PayoutItem(Table, tablename="payout_item"):
    """A commission in a payout, with what stood of it. In one live payout at most, by a partial unique index."""

    id = BigSerial(primary_key=True)
    payout_id = reference(Payout)
    commission_id = reference(Commission)
    amount = amount()
    active = yes_no(True)
    """While the payout is on its way."""

    payout_item_once = Unique([payout_id, commission_id])


class PayoutAttempt(Table, tablename="payout_attempt"):
    """One question to a provider, written before it is asked, so that nobody asks it twice."""

    id = BigSerial(primary_key=True)
    payout_id = reference(Payout, index=False)
    number = count()
    key = words(unique=True)
    outcome = words()
    provider_ref = words(optional=True)
    said = words(optional=True)
    asked_at = moment()
    answered_at = moment(null=True)

    payout_attempt_once = Unique([payout_id, number])
    payout_attempt_outcome_known = Check("outcome IN ('asking', 'unknown', 'sent', 'settled', 'failed')")


class PayoutStep(Table, tablename="payout_step"):
    """What happened to a payout or its batch, who did it and when; never changed."""

    id = BigSerial(primary_key=True)
    batch_id = reference(PayoutBatch, null=True)
    payout_id = reference(Payout, null=True)
    step = words()
    note = words(optional=True)
    actor_id = reference(Member, null=True)
    at = moment()


class StoreCredit(Table, tablename="store_credit"):
    """Credit a store gave instead of money; its code pays at that store."""

    id = BigSerial(primary_key=True)
    payout_id = reference(Payout, index=False)
    store_id = reference(Store)
    member_id = reference(Member)
    code = words(unique=True)
    currency = words()
    amount = amount()
    issued_at = moment()
    used_at = moment(null=True)
    used_on = words(optional=True)

    store_credit_once_per_payout = Unique([payout_id])
