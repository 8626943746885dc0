"""What types, reasons and failures are called on a page."""

from app.i18n import gettext as _


def type_words(type: str) -> str:
    return {
        "message.created": _("A message was written"),
        "message.edited": _("A message was changed"),
        "message.deleted": _("A message was taken back"),
        "message.reacted": _("Somebody reacted to a message"),
        "message.pinned": _("A message was pinned, or no longer is"),
        "member.joined": _("Somebody joined"),
        "member.left": _("Somebody left"),
        "room.changed": _("The room changed: frozen, slow, a poll, a product"),
        "commission.opened": _("A commission was earned"),
        "commission.changed": _("What stands of a commission changed"),
        "commission.held": _("A commission is held for a check"),
        "commission.approved": _("A commission was approved"),
        "commission.paid": _("A commission was paid out"),
        "commission.reversed": _("A commission was taken back"),
        "payout.settled": _("A payout arrived"),
        "payout.failed": _("A payout did not arrive"),
        "partner.applied": _("Somebody wants to become a partner"),
        "partner.joined": _("A partner joined"),
        "partner.declined": _("A partner was declined"),
        "partner.left": _("A partner left"),
        "check.opened": _("A check was opened"),
        "check.decided": _("A check was decided"),
        "endpoint.test": _("A test"),
    }.get(type, type)


def reason_words(reason: str) -> str:
    return {
        "by_hand": _("Switched off by hand."),
        "gone": _("It said that it is gone for good (410)."),
        "unreachable": _("It took nothing for three days."),
        "maker_left": _("Who gave it to us runs this no longer. Switch it on if it is yours."),
        "keys_lost": _("Its secret cannot be read any more. Make a new one and switch it on."),
    }.get(reason, reason)


def why_words(why: str) -> str:
    return {
        "timeout": _("It did not answer in time."),
        "connection_failed": _("It could not be reached."),
        "no_such_host": _("There is no such host."),
        "not_public": _("Its name leads into a private network, where we send nothing."),
        "not_http": _("This is not an address on the web."),
        "compressed": _("Its answer was compressed, which we did not ask for."),
        "nothing_left": _("What it was about is gone."),
    }.get(why, why)
