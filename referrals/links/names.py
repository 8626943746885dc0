"""What a link may be called: plain ASCII, not a name of the house, nothing rude, and nothing that reads like another's.

Codes are taken under a lock on how they look (`code_skeleton` in the database), so that two who want `shop1` and
`shopl` at once are not both served.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

from app import db, ids
from app.errors import Conflict, Invalid
from app.i18n import gettext as _

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9_-]{1,38})[a-z0-9]")
_WORDS = Path(__file__).parent / "words"
_DIGITS_FOR_LETTERS = [str.maketrans("0134579", letters) for letters in ("oieastg", "oleastg")]


def checked_code(wanted: str) -> str:
    """The code as it is kept, or Invalid. Full-width letters and capitals are the plain ones, as in a browser's bar."""
    code = unicodedata.normalize("NFKC", wanted).strip().lower()
    if not _CODE.fullmatch(code):
        raise Invalid("code", _("3 to 40 of a–z, 0–9, - and _, starting and ending with a letter or digit."))
    if is_reserved(code) or re.fullmatch(r"(?:gone|xn-)-.*", code):
        raise Invalid("code", _("That code is kept for the house. Take another one."))
    if is_unwelcome(code):
        raise Invalid("code", _("That code holds a word we do not put on links. Take another one."))
    return code


async def take(code: str, owner_id: int) -> None:
    """Hold a code until the end of the transaction, or Conflict when it is, or looks like, somebody else's.

    One's own names may look alike; and a former code goes back only to the link it was taken from (`service.rename`).
    """
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('code:' || code_skeleton($1), 0))", code)
    other = await db.fetch_val(
        """SELECT 1 FROM link WHERE (code_skeleton(code) = code_skeleton($1) AND owner_id <> $2) OR scan_code = $1
           UNION ALL
           SELECT 1 FROM link_former_code f JOIN link l ON l.id = f.link_id
            WHERE code_skeleton(f.code) = code_skeleton($1) AND l.owner_id <> $2
           UNION ALL
           SELECT 1 FROM member WHERE code_skeleton(handle) = code_skeleton($1) AND id <> $2
           LIMIT 1""",
        code,
        owner_id,
    )
    if other is not None:
        raise code_taken()


def new_code() -> str:
    """A code of chance that says nothing by chance."""
    while is_unwelcome(code := ids.new_code()):
        pass
    return code


def code_taken() -> Conflict:
    return Conflict(_("That code is taken."), fields={"code": _("That code is taken, or reads like one that is.")})


def is_reserved(code: str) -> bool:
    """Whether visitors would take it for the house speaking, or an address of ours needs it."""
    return code in _reserved()


def is_unwelcome(code: str) -> bool:
    """Whether a code says what nobody should find on a poster; digits that stand for letters do not hide it."""
    anywhere, alone = _unwelcome()
    for said in (code, *(code.translate(letters) for letters in _DIGITS_FOR_LETTERS)):
        parts = re.split(r"[-_]", said)
        # Spelled out (f-u-c-k) or by syllables (cao-ni-ma) it is one word; "who-really" is two.
        if all(len(part) <= 3 for part in parts):
            said = "".join(parts)
        if alone.intersection(parts) or said in alone or any(word in said for word in anywhere):
            return True
    return False


@cache
def _reserved() -> frozenset[str]:
    return frozenset(_read("reserved.txt"))


@cache
def _unwelcome() -> tuple[frozenset[str], frozenset[str]]:
    words = _read("unwelcome.txt")
    return (
        frozenset(word for word in words if not word.startswith("=")),
        frozenset(word[1:] for word in words if word.startswith("=")),
    )


def _read(name: str) -> list[str]:
    lines = (_WORDS / name).read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]
