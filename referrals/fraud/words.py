"""Rules and what they saw, said to the person who decides; and what a member is told, which helps nobody to cheat."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.i18n import gettext as _
from app.i18n import ngettext


def rule_words(rule: str) -> str:
    """A rule's name for who decides."""
    return {
        "own_email": _("Bought with the member’s own mailbox"),
        "own_device": _("Clicked or bought in the member’s own browser"),
        "own_address": _("Sent to an address of the member’s own orders"),
        "own_card": _("Paid with a card of the member’s own orders"),
        "own_phone": _("Named a phone number of the member’s own orders"),
        "ring": _("Several customers, one address or card"),
        "circle": _("Members who buy by one another’s word"),
        "cluster": _("Members who share much buy from each other"),
        "velocity": _("Very many in an hour"),
        "click_flood": _("Visits like a machine’s"),
        "stuffing": _("Visits nobody chose to make"),
        "leaked_code": _("A code among strangers"),
        "paid_traffic": _("Advertised where it may not be"),
        "banned_referrer": _("From a site that may not send visitors"),
        "new_sites": _("On many new sites at once"),
        "shared_account": _("Several members, one payout account"),
        "refunds": _("Most of it goes back"),
        "odd_times": _("Orders at odd times after the click"),
        "odd_paths": _("Orders by a path that buyers do not take"),
    }.get(rule, rule)


def rule_help(rule: str) -> str:
    """What an honest reason may be: whoever decides should think of it."""
    return {
        "own_email": _("The order names the mailbox of the member, perhaps written another way."),
        "own_device": _("Family and flat-mates share browsers. Ask who bought."),
        "own_address": _("Flat-mates and families share an address, and an office shares one with hundreds."),
        "own_card": _("A couple may share a card."),
        "own_phone": _("Nobody proves a number at a checkout: anybody may have typed it. Ask who bought."),
        "ring": _("A students’ home or an office looks like this, too."),
        "circle": _(
            "Friends with one taste tell each other of things, too. Look at what was bought, and whether it stayed."
        ),
        "cluster": _(
            "A family tells each other of things, too, and the first ones were let pass. Look at who buys besides them."
        ),
        "velocity": _("A post that takes off looks like this. Look at where the visitors came from."),
        "click_flood": _("People come at uneven times and from many browsers."),
        "stuffing": _(
            "The browsers say that the link was loaded as a picture or in a frame, or nobody looked at the page. "
            "A page without the script tells no times: look at where the links lead."
        ),
        "leaked_code": _("New buyers of whom nothing else is known typed the code: it may stand on a coupon site."),
        "paid_traffic": _("The address carried an advertiser’s parameter. Links that may be advertised can be listed."),
        "banned_referrer": _("The list of sites is yours, among the limits."),
        "new_sites": _("Perhaps a newspaper wrote of it and others copied that. Look at two or three of the sites."),
        "shared_account": _("A couple or a club may be paid to one account. Ask."),
        "refunds": _("Wrong sizes come back as well. Look at what was bought."),
        "odd_times": _(
            "Seconds after the click: perhaps a click thrown in at the checkout. Spread over days: perhaps stuffed."
        ),
        "odd_paths": _(
            "An extension of the browser may throw clicks in at the checkout. Whoever shows their link on the shop’s "
            "own pages, by agreement, looks like this, too."
        ),
    }.get(rule, "")


def evidence_words(rule: str, seen: Mapping[str, Any]) -> str:
    """What the rule saw, as a sentence. It never names the buyer."""
    match rule:
        case "own_email":
            return _("The buyer’s mailbox is the member’s.")
        case "own_device":
            return ngettext("Seen together on %(n)s day.", "Seen together on %(n)s days.", seen["days"])
        case "own_phone" if seen.get("proven"):
            return _("It is the number that the member has proven to be theirs.")
        case "own_address" | "own_card" | "own_phone":
            return ngettext(
                "It stands on %(n)s order of the member’s own.",
                "It stands on %(n)s orders of the member’s own.",
                seen["orders"],
            )
        case "ring":
            return _("%(n)s customers credited to the member share it.", n=seen["customers"])
        case "circle":
            return _(
                "%(members)s members each bought %(orders)s times or more by the next one’s word, in a circle.", **seen
            )
        case "cluster":
            return _(
                "%(members)s members share: %(what)s. This is number %(orders)s of their orders and sign-ups by one "
                "another in three months.",
                members=seen["members"],
                orders=seen["orders"],
                what=", ".join(_signs(seen["signs"])),
            )
        case "velocity":
            return _("%(orders)s orders and %(signups)s sign-ups within an hour.", **seen)
        case "click_flood":
            said = _(
                "%(clicks)s visits and %(orders)s orders in a day. The times between visits vary by %(spread)s %% "
                "(people: about 100 %%); %(one_browser)s %% came from one browser.",
                **seen,
            )
            rented = seen.get("data_centre", 0)
            return f"{said} {_('%(n)s %% came from data centres.', n=rented)}" if rented else said
        case "stuffing":
            return " ".join(_stuffed(seen))
        case "leaked_code":
            return _("%(strangers)s strangers used the code %(code)s.", **_only(seen, "strangers", "code"))
        case "paid_traffic":
            return _("The address of the visit carried “%(parameter)s”; the link was /r/%(link)s.", **seen)
        case "banned_referrer":
            return _("The visit came from %(site)s.", **seen)
        case "new_sites":
            which = ", ".join(f"{site} ({people})" for site, people in seen["which"])
            return _(
                "%(sites)s sites sent people to /r/%(link)s for the first time within a week; usually %(usual)s do. "
                "Most people came from: %(which)s.",
                **{**seen, "which": which},
            )
        case "shared_account":
            return _("%(members)s members told the same account.", **seen)
        case "refunds":
            return _("%(returned)s of %(orders)s orders in three months went back, in part or whole.", **seen)
        case "odd_times":
            return _(
                "Half of the member’s %(orders)s orders came within %(mine)s of the click, half of everybody else’s "
                "within %(others)s. The two differ by %(distance)s %%.",
                orders=seen["orders"],
                mine=span(seen["half_within"]),
                others=span(seen["others_half_within"]),
                distance=seen["distance"],
            )
        case "odd_paths":
            return " ".join(_odd_paths(seen))
    return ""


def state_words(state: str) -> str:
    return {
        "open": _("Being checked"),
        "cleared": _("All is well"),
        "confirmed": _("Against the rules"),
        "appealed": _("Objection, being looked at"),
        "upheld": _("The objection was right"),
        "dismissed": _("The objection was heard, the decision stays"),
    }.get(state, state)


def entry_words(kind: str) -> str:
    return {
        "opened": _("A rule noticed something"),
        "extended": _("It noticed more of it"),
        "answered": _("The member answered"),
        "noted": _("Note"),
        "escalated": _("Late: the admins were told"),
        "cleared": _("Decided: all is well"),
        "confirmed": _("Decided: against the rules"),
        "appealed": _("The member objects"),
        "upheld": _("The objection was right; the money is back"),
        "dismissed": _("The decision stays"),
    }.get(kind, kind)


def span(seconds: float) -> str:
    """A length of time, roughly."""
    if seconds >= 86_400:
        return ngettext("%(n)s day", "%(n)s days", round(seconds / 86_400))
    if seconds >= 3_600:
        return ngettext("%(n)s hour", "%(n)s hours", round(seconds / 3_600))
    if seconds >= 60:
        return ngettext("%(n)s minute", "%(n)s minutes", round(seconds / 60))
    return ngettext("%(n)s second", "%(n)s seconds", max(0, round(seconds)))


def _stuffed(seen: Mapping[str, Any]) -> Iterator[str]:
    if "hidden" in seen:
        what = {"hidden": seen["hidden"], "visits": seen["visits"], "what": seen.get("as") or "?"}
        yield _("%(hidden)s of %(visits)s visits in a week were loaded as: %(what)s.", **what)
    if "fleeting" in seen:
        yield _(
            "%(fleeting)s of %(measured)s visits in a week ended within two seconds or told no time at all; of visits "
            "to the same place by others’ links it was %(others)s %%.",
            **_only(seen, "fleeting", "measured", "others"),
        )


def _odd_paths(seen: Mapping[str, Any]) -> Iterator[str]:
    if "late" in seen:
        yield _(
            "%(late)s of %(late_of)s orders began with a click inside the shop or on its checkout; of everybody else’s "
            "%(late_others)s %%.",
            **_only(seen, "late", "late_of", "late_others"),
        )
    if "unmet" in seen:
        yield _(
            "%(unmet)s of %(unmet_of)s orders were without the product that the link led to; of everybody else’s "
            "%(unmet_others)s %%.",
            **_only(seen, "unmet", "unmet_of", "unmet_others"),
        )


def _signs(signs: Mapping[str, int]) -> Iterator[str]:
    names = {
        "account": _("payout account"),
        "card": _("card"),
        "address": _("address"),
        "phone": _("phone number"),
        "browser": _("browser on a day"),
    }
    for kind, name in names.items():
        if kind in signs:
            yield f"{name} × {signs[kind]}"


def _only(seen: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: seen[name] for name in names}
