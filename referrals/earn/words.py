"""Stable words of the books, said to a person."""

from app.i18n import gettext as _
from referrals.commissions.reasons import reason_words as reason_words


def outcome_words(outcome: str) -> str:
    """Why a candidate won or lost."""
    return {
        "won": _("This led to the order."),
        "self": _("One's own purchase earns nothing."),
        "not_a_person": _("The visit was made by a program, a preview or a browser that looked ahead."),
        "other_store": _("The link was for another store."),
        "link_closed": _("The link was switched off before the order."),
        "suspended": _("The account was suspended at the time of the order."),
        "after_order": _("This came after the order."),
        "expired": _("This was longer ago than the programme looks back."),
        "carried_click_won": _("The order itself carried another click."),
        "later_click_won": _("A later click came after this one."),
        "earlier_click_won": _("An earlier click came before this one."),
        "click_won": _("A click on a link counts before who brought the buyer to the community."),
        "not_eligible": _("This could not earn from the order."),
    }.get(outcome, outcome)


def via_words(via: str) -> str:
    """In which way somebody may have led to the order."""
    return {
        "carried": _("Click that travelled with the order"),
        "claimed": _("Click the buyer made on some device"),
        "signup": _("Brought the buyer to the community"),
    }.get(via, via)


def rule_words(rule: str) -> str:
    return {
        "last_click": _("The last click before the order is credited."),
        "first_click": _("The first click of the buyer is credited."),
        "signup": _("No click counted, so whoever brought the buyer here is credited."),
        "nobody": _("Nothing that led to this order can earn from it."),
    }.get(rule, rule)


def state_words(state: str) -> str:
    return {
        "tentative": _("Waiting for payment"),
        "pending": _("On hold"),
        "held": _("Being checked"),
        "approved": _("Approved"),
        "allocated": _("In a payout"),
        "paid": _("Paid"),
        "rejected": _("Rejected"),
        "reversed": _("Taken back"),
    }.get(state, state)
