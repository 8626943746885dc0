"""A crediting policy, said to a person."""

from app.i18n import gettext as _
from app.money import Money, format_money
from referrals.simulator.schemas import Draft


def kind_words(kind: str) -> str:
    return {
        "override": _("What a person decided"),
        "personal_code": _("A member's own code on the order"),
        "carried": _("The click that travelled with the order"),
        "claimed": _("A click the buyer made on some device"),
        "campaign_code": _("A campaign's code, or one that leaked"),
        "invite": _("An invitation to the buyer's address"),
        "bind": _("Who the buyer belongs to"),
        "placement": _("A printed code the buyer scanned"),
        "house": _("The house"),
    }.get(kind, kind)


def channel_words(channel: str) -> str:
    return {
        "click": _("Click on a link"),
        "qr": _("Scan of a printed code"),
        "s2s": _("Click told by the shop's server"),
        "deferred": _("Click before an app was installed"),
        "code": _("Code typed here"),
        "invite": _("Invitation"),
        "embed": _("Visit straight to the shop"),
    }.get(channel, channel)


def role_words(role: str) -> str:
    """What a member did for an order."""
    return {
        "sharer": _("led to the order"),
        "author": _("wrote the guide, review or topic"),
        "answerer": _("answered the question"),
        "host": _("hosts the room"),
        "introducer": _("introduced the buyer first"),
    }.get(role, role)


def bind_words(bind: str) -> str:
    return {
        "register": _("to whoever brought them to the community"),
        "first": _("to the first who led them to this store"),
        "override": _("to the latest who led them to this store"),
        "none": _("to nobody"),
    }.get(bind, bind)


def model_words(model: str) -> str:
    return _("The last click wins") if model == "last" else _("The first click wins")


def changes(now: Draft | None, draft: Draft, currency: str) -> list[tuple[str, str, str]]:
    """What a draft changes: what, how it is, how it would be."""
    if now is None:
        return []
    before, after = _lines(now, currency), _lines(draft, currency)
    return [(name, before[name], after[name]) for name in after if before[name] != after[name]]


def _lines(draft: Draft, currency: str) -> dict[str, str]:
    days = _("for ever")
    threshold = draft.second_approver_from
    return {
        _("Which click wins"): model_words(draft.model),
        _("A click counts for"): _("%(n)s days", n=draft.window_days),
        _("What goes first"): " › ".join(kind_words(kind) for kind in draft.order),
        _("For new customers"): " › ".join(kind_words(kind) for kind in draft.new_customer_order) or _("the same"),
        _("Days that differ"): ", ".join(f"{channel_words(one)} {n}" for one, n in sorted(draft.windows.items()))
        or _("none"),
        _("A buyer belongs"): bind_words(draft.bind),
        _("For so many days"): str(draft.bind_days or days),
        _("Ends when nothing was bought for"): str(draft.bind_idle_days or _("never")),
        _("Least confidence"): f"{draft.min_confidence} %",
        _("Protected for"): _("%(n)s hours", n=draft.stand_down_hours),
        _("Kinds of partners"): ", ".join(f"@{who} {kind}" for who, kind in sorted(draft.partners.items()))
        or _("none"),
        _("Helpers get"): ", ".join(
            f"{role_words(role)} {bps / 100:g} %" for role, bps in sorted(draft.assist_bps.items()) if bps
        )
        or _("nothing"),
        _("A second person agrees"): _("never")
        if threshold is None
        else _("from orders worth %(sum)s", sum=format_money(Money(threshold, currency))),
        _("A code is watched"): _(
            "from %(watch)s strangers, leaked from %(leaked)s, in %(days)s days, being %(percent)s of its uses",
            watch=draft.leak.watch,
            leaked=draft.leak.leaked,
            days=draft.leak.days,
            percent=f"{draft.leak.share_bps / 100:g} %",
        ),
        _("When nobody else is"): f"@{draft.house}" if draft.house else _("nobody"),
    }
