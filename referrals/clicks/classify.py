"""Who came: a person, a machine, a preview of a chat app, or a browser that only looks ahead.

In-app browsers (WeChat, Baidu, Instagram) are people: a word of theirs alone must never make a bot.
"""

import re
from functools import lru_cache

HUMAN, BOT, PREVIEW, PREFETCH = "human", "bot", "preview", "prefetch"

_PREVIEWS = re.compile(
    r"facebookexternalhit|facebot|twitterbot|whatsapp/|telegrambot|slackbot|slack-imgproxy|discordbot|linkedinbot"
    r"|skypeuripreview|pinterestbot|redditbot|vkshare|mastodon/|akkoma|pleroma|misskey/|bluesky cardyb|embedly"
    r"|iframely|google-pagerenderer|msteams|teamsbot|line-poker|kakaotalk-scrap|snap url preview|bitlybot|tumblr/",
    re.I,
)
# Words that stand alone ("bot", "spider") or open a product token ("curl/8"); "cubot" is a phone.
_BOTS = re.compile(
    r"(?<![a-z])bots?(?![a-z])|(?<!cu)bot[/;) -]|(?<!cu)bot$|spider|crawl|slurp|archiver|scrap(?:er|y)|headless"
    r"|lighthouse|phantomjs|monitor(?:ing)?[/ ]|uptime|pingdom|statuscake|preview|validator|feedfetcher"
    r"|google-read-aloud|mediapartners-google"
    r"|^(?:curl|wget|python|aiohttp|httpx|axios|node|undici|got|go-http-client|java|apache-httpclient|libwww|lwp|ruby"
    r"|php|guzzle|okhttp|postman|insomnia|httpie|wrk|k6|ab|siege|vegeta|hey|perl|rust|reqwest|dart|winhttp)[/ \-.]",
    re.I,
)
# What a link's click never looks like: the browser itself says that it loads a picture or a frame.
_HIDDEN = frozenset(b"image iframe frame script style embed object font audio video track".split())
LONGEST_AGENT = 1000


def kind_of(method: str, agent: bytes, purpose: bytes, destination: bytes) -> str:
    """The kind of a click by its method, User-Agent, (Sec-)Purpose or X-Moz, and Sec-Fetch-Dest."""
    by_name = _by_agent(agent[:LONGEST_AGENT])
    if by_name != HUMAN:
        return by_name
    if purpose and (b"prefetch" in purpose or b"prerender" in purpose or b"preview" in purpose):
        return PREFETCH
    return BOT if method == "HEAD" or destination in _HIDDEN else HUMAN


@lru_cache(maxsize=4096)
def _by_agent(agent: bytes) -> str:
    text = agent.decode("latin-1")
    if _PREVIEWS.search(text):
        return PREVIEW
    return BOT if len(text) < 8 or _BOTS.search(text) else HUMAN
