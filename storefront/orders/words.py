"""What cannot be true of an order, in the reader's language. It is kept in English, for operators and programs."""

import re

from app.i18n import gettext as _


def doubt_words(doubt: str) -> str:
    """The reasons, each a sentence; one that is not known (yet) stays as it was kept."""
    return " ".join(_in_words(reason) for reason in doubt.split("; ")) if doubt else ""


def _in_words(reason: str) -> str:
    if found := re.fullmatch(r"the total is (.+), but its parts add up to (.+)", reason):
        return _("The total is %(total)s, but its parts add up to %(parts)s.", total=found[1], parts=found[2])
    if found := re.fullmatch(r"(.+) went back of line (.+), which cost (.+)", reason):
        return _(
            "%(back)s went back of line %(line)s, which cost %(cost)s.", back=found[1], line=found[2], cost=found[3]
        )
    if found := re.fullmatch(r"(.+) went back of an order of (.+)", reason):
        return _("%(back)s went back of an order of %(cost)s.", back=found[1], cost=found[2])
    return reason
