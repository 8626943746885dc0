from datetime import datetime

from babel.dates import format_datetime
from markupsafe import Markup, escape

from app import i18n

# In UTC, and saying so: whose clock the reader's is, only their browser knows (<live-hour> tells it).
_SHAPE = {"en": "EEE d MMM y, HH:mm", "zh-Hans": "y年M月d日 EEE HH:mm"}


def hour_of(at: datetime) -> Markup:
    """A day and hour to come, or gone by, as a <time> that a browser turns into the reader's own."""
    lang = i18n.current()
    words = format_datetime(at, _SHAPE.get(lang, _SHAPE["en"]), locale=lang.replace("-", "_"))
    moment = at.isoformat(timespec="seconds")
    return Markup(f'<live-hour><time datetime="{moment}" data-still>{escape(words)} UTC</time></live-hour>')
