"""How codes are spelled: two that a buyer would take for one are one."""

import re
import secrets
import unicodedata

from app.errors import Invalid
from app.i18n import gettext as _

# No 0/O, 1/I/L, U: a code is read aloud.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LONGEST = 32
_SHOWN = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,30}[A-Z0-9])?")


def norm_of(code: str) -> str:
    """The same for "Ada-7KQ2", "ada 7kq2" and full-width letters; empty for what can be no code."""
    plain = unicodedata.normalize("NFKC", code[: 4 * LONGEST]).upper()
    norm = re.sub(r"[\s_.-]+", "", plain)
    return norm if norm.isascii() and norm.isalnum() and 3 <= len(norm) <= LONGEST else ""


def checked_text(code: str) -> str:
    """A code as it is shown, or Invalid."""
    text = unicodedata.normalize("NFKC", code.strip()).upper()
    if not _SHOWN.fullmatch(text) or not norm_of(text):
        raise Invalid("code", _("3 to 32 of A–Z, 0–9 and -, starting and ending with a letter or digit."))
    return text


def new_code_for(handle: str) -> str:
    """A member's own code: enough of their handle to be told, and five signs nobody guesses (24 million)."""
    name = re.sub(r"[^A-Z0-9]", "", handle.upper())[:12] or "GV"
    return f"{name}-{''.join(secrets.choice(ALPHABET) for _n in range(5))}"
