"""What counts as one emoji: the sequences that Unicode recommends for interchange (emoji.txt, Unicode 17, UTS #51).

The list was made with the `RGI_Emoji` property of an ECMAScript engine; tests/community/test_chat_reactions.py asks one
again. It is read when somebody first reacts with a sign that is not among the usual ones.
"""

from functools import cache
from pathlib import Path

from app.errors import Invalid
from app.i18n import gettext as _

USUAL = ("👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀")
LONGEST = 40
_TEXT_OR_PICTURE = "\ufe0f"


def one_emoji(text: str) -> str:
    """The emoji, written in full; Invalid when it is anything else than exactly one."""
    text = text.strip()
    if text in USUAL:
        return text
    known = _known() if len(text) <= LONGEST else {}
    # Keyboards leave the picture selector out, or put it where it changes nothing.
    found = known.get(text.replace(_TEXT_OR_PICTURE, ""))
    if found is None:
        raise Invalid("emoji", _("One emoji, please."))
    return found


@cache
def _known() -> dict[str, str]:
    listed = Path(__file__).with_name("emoji.txt").read_text(encoding="utf-8").split()
    return {emoji.replace(_TEXT_OR_PICTURE, ""): emoji for emoji in listed}
