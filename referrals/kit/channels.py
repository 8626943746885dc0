"""Where people share, and what each place wants: the picture's ratio, how long a text may be, whether links work.

In every text the label comes first, where no “more” can hide it, and the title gives way when room is short.
"""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from app.disclosure import sentence
from app.i18n import gettext as _
from app.money import Money, format_money
from referrals.kit.subjects import Offer, Subject
from referrals.programs.terms import Friend

X_ADDRESS = 23
SHORTEST = 8
_ADDRESS = re.compile(r"https?://\S+")


class Shared(msgspec.Struct, frozen=True):
    """What an intent address is made of."""

    text: str
    """Everything, the link too where there may be one."""
    words: str
    """Without the link."""
    url: str
    title: str


class Channel(msgspec.Struct, frozen=True):
    name: str
    title: str
    shape: str
    most: int
    takes_links: bool = True
    """Where links are blocked or punished, the picture goes first and the text says how to come without one."""
    tag: str = "#{}"
    most_tags: int = 0
    intent: Callable[[Shared], str] | None = None
    weigh: Callable[[str], int] = len


def _weight_on_x(text: str) -> int:
    """As X counts: any link 23, a Chinese sign or an emoji two."""
    bare = _ADDRESS.sub("", text)
    return X_ADDRESS * len(_ADDRESS.findall(text)) + sum(
        1 if ord(c) < 0x1100 or 0x2000 <= ord(c) <= 0x201F else 2 for c in bare
    )


def _weibo(shared: Shared) -> str:
    return "https://service.weibo.com/share/share.php?" + urlencode({"url": shared.url, "title": shared.words})


def _x(shared: Shared) -> str:
    return "https://x.com/intent/post?" + urlencode({"text": shared.text})


def _whatsapp(shared: Shared) -> str:
    return "https://wa.me/?" + urlencode({"text": shared.text})


def _line(shared: Shared) -> str:
    return "https://social-plugins.line.me/lineit/share?" + urlencode({"url": shared.url, "text": shared.words})


def _mail(shared: Shared) -> str:
    # Mail programs read a plus as a plus.
    return "mailto:?" + urlencode({"subject": shared.title, "body": shared.text}).replace("+", "%20")


CHANNELS = (
    Channel("wechat", "WeChat", "poster", 200, takes_links=False),
    Channel("xiaohongshu", "Xiaohongshu", "plain", 1000, takes_links=False, most_tags=3),
    Channel("weibo", "Weibo", "poster", 140, tag="#{}#", most_tags=2, intent=_weibo),
    Channel("x", "X", "card", 280, most_tags=1, intent=_x, weigh=_weight_on_x),
    Channel("whatsapp", "WhatsApp", "square", 700, intent=_whatsapp),
    Channel("line", "LINE", "square", 500, intent=_line),
    Channel("email", "E-mail", "card", 2000, intent=_mail),
    Channel("copy", "Copy", "square", 500),
)


def text_for(
    channel: Channel, subject: Subject, offer: Offer, *, label: str, url: str, code: str, where: str
) -> Shared:
    """The text of one channel in the current language, within its limit, its label first."""
    price = format_money(subject.price) if subject.price else ""
    tags = " ".join(channel.tag.format(tag) for name in subject.tags[: channel.most_tags] if (tag := _tag(name)))
    gift = gift_sentence(offer.friend, offer.currency) if offer.friend else ""
    way = url if channel.takes_links else _way_without_links(channel, code, where)
    title = " ".join(subject.title.split())
    # Label, sentence and way always stay. Tags go first, then the gift, then the end of the title, then the price.
    choices = [(title, price, gift, tags), (title, price, gift, ""), (title, price, "", "")]
    cuts = [title[:end].rstrip() + "…" for end in range(min(len(title), channel.most) - 1, SHORTEST - 1, -1)]
    choices += [(cut, price, "", "") for cut in cuts]
    choices += [(title, "", "", ""), (title[:SHORTEST] + "…", "", "", "")]
    for choice in choices:
        words = _words(label, *choice)
        if channel.weigh(f"{words}\n{way}") <= channel.most:
            break
    whole = f"{words}\n{way}"
    return Shared(whole, words if channel.takes_links else whole, url, f"{label} {subject.title}")


def gift_of(friend: Friend, currency: str) -> str:
    """“10%” or “$5.00”: what a friend gets."""
    return f"{friend.rate_bps / 100:g}%" if friend.kind == "percent" else format_money(Money(friend.amount, currency))


def gift_sentence(friend: Friend, currency: str) -> str:
    return _("You get %(gift)s back as credit at the shop.", gift=gift_of(friend, currency))


def _way_without_links(channel: Channel, code: str, where: str) -> str:
    if channel.shape == "plain":
        return _("Code %(code)s at %(where)s", code=code, where=where)
    return _("Scan the code in the picture. Or: code %(code)s at %(where)s", code=code, where=where)


def _words(label: str, title: str, price: str, gift: str, tags: str) -> str:
    first = " ".join(filter(None, (label, title, price)))
    return "\n".join(filter(None, (first, gift, sentence(), tags)))


def _tag(name: str) -> str:
    """A hashtag has letters and digits only."""
    return "".join(sign for sign in name if unicodedata.category(sign)[0] in "LN")[:30]
