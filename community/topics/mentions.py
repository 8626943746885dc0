"""@handles in what people write: who they are, and links to them."""

import asyncio
import re

from app.text import markdown

MOST_MENTIONS = 20
# Long Markdown takes tens of milliseconds; below this it is quicker to do it at once than to hand it to a thread.
SHORT = 2_000

_MENTION = re.compile(r"(?<![\w@/.&;])@([a-zA-Z0-9][a-zA-Z0-9_-]{1,28}[a-zA-Z0-9])(?![\w@])")
# Splits HTML into tags and the text between them; links and code keep their text as it is.
_TAG = re.compile(r"(<[^>]*>)")
_LEFT_ALONE = ("a", "code", "pre")


async def rendered(body: str) -> str:
    """Safe HTML of a post, with its mentions linked."""
    if len(body) <= SHORT:
        return link_mentions(markdown(body))
    return await asyncio.to_thread(lambda: link_mentions(markdown(body)))


def effort(body: str) -> int:
    """How many posts a text counts as in rate limits: 40,000 brackets take 1.7 s to render, a usual post 1 ms."""
    return 1 + len(body) // 4_000


def mentioned(body: str) -> list[str]:
    """The handles a text names, lower-cased, each once, the first few only. Code does not call anyone."""
    prose = re.sub(r"```.*?(```|\Z)|`[^`\n]*`", " ", body, flags=re.DOTALL)
    return list(dict.fromkeys(handle.lower() for handle in _MENTION.findall(prose)))[:MOST_MENTIONS]


def link_mentions(html: str) -> str:
    if "@" not in html:
        return html
    inside = 0
    parts = _TAG.split(html)
    for index, part in enumerate(parts):
        if part.startswith("<"):
            name = part.strip("</>").split(" ")[0]
            if name in _LEFT_ALONE:
                inside += -1 if part.startswith("</") else 1
        elif not inside:
            parts[index] = _MENTION.sub(lambda found: f'<a href="/@{found[1].lower()}">@{found[1]}</a>', part)
    return "".join(parts)
