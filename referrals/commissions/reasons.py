"""The fixed vocabulary of why the books moved, and of the buckets: stable words for programs, plain ones for people.

A reason is chosen from here, never written by hand; what a person adds in their own words is evidence.
"""

from app.i18n import gettext as _


def reason_words(reason: str) -> str:
    """Why the books moved, said to the member whose books they are. It never helps anybody to cheat."""
    return {
        "order_paid": _("The order was paid"),
        "order_changed": _("The order was changed"),
        "order_cancelled": _("The order was cancelled"),
        "refunded": _("The buyer got money back"),
        "disputed": _("The buyer’s bank took the payment back"),
        "dispute_won": _("The store won the dispute, so your part is back"),
        "in_doubt": _("The store’s figures do not add up, and somebody looks at them"),
        "decided_anew": _("The order was credited to another link"),
        "overruled": _("A manager credited the order to somebody else, and a second one agreed"),
        "hold_ended": _("The hold ended"),
        "limit_reached": _("A limit of the programme was reached"),
        "rerated": _("Your rate changed with the month’s volume"),
        "activated": _("Somebody you brought became active"),
        "lead": _("Somebody you brought did what the store hoped for"),
        "bounty": _("Your work for a bounty was approved"),
        "milestone": _("Your work for a campaign was approved"),
        "recruited": _("Somebody you brought to the programme earned"),
        "self_referral": _("This looks like a purchase of your own"),
        "household": _("This looks like a purchase of your own household"),
        "velocity": _("Unusually much happened in a short time"),
        "traffic": _("The visits behind this do not look like people who chose to come"),
        "shared_account": _("Another member is paid to the same account"),
        "refund_ratio": _("Unusually many of these orders go back"),
        "code_leaked": _("The code was spread beyond the people it was for"),
        "under_review": _("Somebody looks at this before it is paid"),
        "cleared": _("It was looked at, and all is well"),
        "confirmed": _("It was looked at, and it breaks the rules of the programme"),
        "clawed_back": _("It breaks the rules of the programme and had been paid out, so you owe it to the store"),
        "appeal_upheld": _("Your objection was right"),
        "debt_netted": _("It went to what you owed the store"),
        "payout": _("It went into a payout"),
        "payout_settled": _("It was paid to you"),
        "payout_failed": _("The payout did not arrive, so it is yours again"),
        "payout_returned": _("Your bank sent the payout back, so it is yours again"),
        "payout_cancelled": _("The payout was called off, so it is yours again"),
        "more_earned": _("More was earned after it was paid"),
        "written_off": _("The store lets go of what you owed"),
        "credit_used": _("Credit was spent at the shop"),
        "credit_given_back": _("The shop gave the credit back"),
        "friend_reward": _("Credit for buying on a friend’s word"),
    }.get(reason, _("The books were put right"))


def bucket_words(bucket: str) -> str:
    """Where money lies."""
    return {
        "pending": _("On hold"),
        "held": _("Being checked"),
        "available": _("Available"),
        "in_payout": _("In a payout"),
        "receivable": _("Owed to the store"),
        "store_credit": _("Store credit"),
    }.get(bucket, bucket)
