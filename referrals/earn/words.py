"""Stable words of the books, said to a person."""

import asyncpg

from app.i18n import gettext as _
from referrals.attribution.addresses import objection_address as objection_address
from referrals.attribution.addresses import why_address
from referrals.commissions.causes import Cause
from referrals.commissions.causes import kind_words as kind_words
from referrals.commissions.reasons import bucket_words as bucket_words
from referrals.commissions.reasons import reason_words as reason_words
from referrals.programs.words import rule_name
from referrals.simulator.words import role_words as role_words


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
        "click_before_this": _("A click on a link counts before this in the programme."),
        "override_won": _("A person of the store decided otherwise, with a reason."),
        "code_won": _("The buyer typed somebody's code, which counts before this."),
        "invite_won": _("An invitation to the buyer's address counts before this in the programme."),
        "bind_won": _("The buyer belonged to somebody already, and that counts before this in the programme."),
        "placement_won": _("A printed code that the buyer scanned counts before this in the programme."),
        "house_won": _("The house counts before this in the programme."),
        "later_one_won": _("A later one of the same kind came after this."),
        "earlier_one_won": _("An earlier one of the same kind came before this."),
        "stood_down": _("Somebody had told the buyer about it shortly before; partners at the checkout stand down."),
        "too_uncertain": _("It is not sure enough that this was the buyer."),
        "not_in_programme": _("The programme does not credit this kind."),
        "code_not_valid": _("The code was not valid at the time of the order."),
        "code_used_up": _("The code had been used as often as it may be."),
        "bind_ended": _("The buyer no longer belonged to anybody: it was too long ago."),
        "bind_idle": _("The buyer no longer belonged to anybody: they had bought nothing for too long."),
    }.get(outcome, outcome)


def via_words(via: str) -> str:
    """In which way somebody may have led to the order."""
    return {
        "carried": _("Click that travelled with the order"),
        "claimed": _("Click the buyer made on some device"),
        "signup": _("Brought the buyer to the community"),
        "override": _("Decided by a person of the store"),
        "personal_code": _("Own code, typed at the shop"),
        "campaign_code": _("Campaign's code, typed at the shop"),
        "leaked_code": _("Own code that had leaked, typed at the shop"),
        "s2s_order": _("Click that the shop's server told for the order"),
        "s2s_customer": _("Click that the shop's server told for the buyer"),
        "entered_code": _("Own code, typed by the buyer in the community"),
        "invite": _("Invitation to the buyer's address"),
        "phone_invite": _("Invitation to the buyer's number, which nobody has proven"),
        "bind": _("Led the buyer to this store before"),
        "placement": _("Printed code that the buyer scanned"),
        "house": _("The house"),
    }.get(via, via)


def rule_words(rule: str) -> str:
    return {
        "last_click": _("The last click before the order is credited."),
        "first_click": _("The first click of the buyer is credited."),
        "signup": _("No click counted, so whoever brought the buyer here is credited."),
        "nobody": _("Nothing that led to this order can earn from it."),
        "override": _("A person of the store decided who is credited."),
        "override_nobody": _("A person of the store decided that nobody is credited."),
        "personal_code": _("The buyer typed a member's own code; its owner is credited."),
        "campaign_code": _("The buyer typed a campaign's code, and nothing that goes before it counted."),
        "leaked_code": _("The buyer typed a code that had leaked, and nothing that goes before it counted."),
        "entered_code": _("The buyer had typed a friend's code here; the friend is credited."),
        "invite": _("The buyer's address had been invited, and nothing that goes before that counted."),
        "phone_invite": _("The number on the order had been invited, and nothing that goes before that counted."),
        "bind": _("Nothing newer counted, so whoever led the buyer to this store before is credited."),
        "placement": _("The buyer scanned a printed code, and nothing that goes before it counted."),
        "house": _("Nobody else is credited, so the house is."),
    }.get(rule, rule)


def through(row: asyncpg.Record, cause: Cause | None) -> str:
    """In which way a commission came to be its member's."""
    if cause:
        return cause.words
    told = {
        "author": _("You wrote the guide, review or topic"),
        "answerer": _("You answered the question"),
        "host": _("You host the room"),
        "introducer": _("You introduced the buyer first"),
        "recruiter": _("Somebody you brought to the programme earned"),
    }
    if row["role"] in told:
        return told[row["role"]]
    if row["code"]:
        return f"/r/{row['code']}"
    return {
        "signup": _("You brought the buyer here"),
        "bind": _("You led the buyer to this store before"),
        "personal_code": _("The buyer typed your code"),
        "campaign_code": _("The buyer typed your code"),
        "leaked_code": _("The buyer typed your code"),
        "invite": _("You invited the buyer"),
        "phone_invite": _("You invited the buyer"),
    }.get(row["rule"]) or rule_words(row["rule"])


def name_of(row: asyncpg.Record, cause: Cause | None) -> str:
    return cause.title if cause else row["title"] or rule_name(row["rule_name"])


def why_of(row: asyncpg.Record) -> str:
    """Where a commission is explained: with its order, or on a page of its own."""
    if row["order_ref"]:
        return why_address(row["order_ref"], row["store_slug"])
    return f"/earn/commissions/{row['id']}"


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
