"""Sending a code: soon or not at all, and never twice by a gateway that cannot tell that it is the same."""

import structlog

from app import clock, db, i18n, mail, sms
from app.i18n import gettext as _
from app.settings import settings
from community.phones.codes import code_of, digits_in

log = structlog.get_logger()

MOST_SENDS = 3


async def send_code(code_id: int) -> None:
    """Try once. Raises NotSent while the worker shall try again, in seconds; what failed for good stands in the row,
    where the member reads it and `grapevine doctor` counts it; so does why nobody knows, of what is perhaps out."""
    now = clock.now()
    row = await db.fetch_one(
        """UPDATE phone_code x SET sends = x.sends + 1, why = '' FROM phone_code old, member m
            WHERE x.id = $1 AND old.id = x.id AND m.id = x.member_id AND x.state = 'asked' AND x.expires_at > $2
        RETURNING x.*, old.why AS why_before, m.lang""",
        code_id,
        now,
    )
    if row is None:
        return
    # We died in the middle of the try before: the message may be out.
    is_unknown = row["sends"] > 1 and not row["why_before"]
    try:
        if is_unknown and not sms.may_repeat():
            raise sms.NotSent("unknown", again=False, perhaps=True)
        i18n.use(row["lang"])
        await sms.send(f"phone-code-{code_id}-{row['nonce'][:8]}", digits_in(row), text_of(code_of(row)))
    except sms.NotSent as failed:
        goes_on = failed.again and row["sends"] < MOST_SENDS
        # What is perhaps out counts like what is: else who makes gateways stumble could send without end.
        is_perhaps_out = failed.perhaps or is_unknown or _was_perhaps_out(row["why_before"])
        await db.execute(
            "UPDATE phone_code SET why = $2, state = $3 WHERE id = $1 AND state = 'asked'",
            code_id,
            failed.why[:200],
            "asked" if goes_on else "sent" if is_perhaps_out else "failed",
        )
        if goes_on:
            raise
        log.warning("a code could not be sent to a phone", code=code_id, why=failed.why, perhaps=is_perhaps_out)
    else:
        await db.execute("UPDATE phone_code SET state = 'sent' WHERE id = $1 AND state = 'asked'", code_id)


def _was_perhaps_out(why_before: str) -> bool:
    """Of the tries before: a gateway that is asked anew in doubt may have the message from any of them."""
    return sms.may_repeat() and bool(why_before) and why_before not in sms.SURELY_NOT_SENT


def text_of(code: str) -> str:
    """The last line is what phones fill in by themselves, on our pages alone."""
    host = settings().host
    said = _("%(code)s is your code for %(host)s. It holds for 10 minutes. Give it to nobody.", code=code, host=host)
    return f"{said}\n\n@{host.partition(':')[0]} #{code}"


async def letter_about_phone(member_id: int, hint: str, *, is_removed: bool) -> None:
    """To the address they have proven: whoever sits at the browser may be somebody else."""
    member = await db.fetch_one("SELECT email, lang, email_proven_at FROM member WHERE id = $1", member_id)
    if member is None or member["email_proven_at"] is None or not mail.is_set_up():
        return
    i18n.use(member["lang"])
    lines = [
        _("The phone number %(number)s was removed from your account.", number=hint)
        if is_removed
        else _("The phone number %(number)s was proven for your account.", number=hint),
        _("If this was not you, change your password now:"),
        f"{settings().base_url}/settings/password",
    ]
    await mail.send(member["email"], _("Your phone number was changed"), "\n\n".join(lines) + "\n")
