"""Who came: a person, a machine, a preview of a chat app, or a browser that only looks ahead.

In-app browsers (WeChat, Baidu, Instagram) are people: a word of theirs alone must never make a bot. The verdict is a
score of 0 to 100 from the agent and from what else the request said. Both are kept with the click, so that a better
score, with the next SCORE_VERSION, can be given to old clicks too (rescore.py).
"""

import hashlib
import re
from functools import lru_cache

import msgspec

from referrals.clicks.data_centres import is_data_centre
from referrals.links.agents import agent_of

HUMAN, BOT, PREVIEW, PREFETCH = "human", "bot", "preview", "prefetch"
SCORE_VERSION = 2
BOT_FROM = 60
LONGEST_AGENT = 500

_PREVIEWS = re.compile(
    r"facebookexternalhit|facebot|twitterbot|whatsapp/|telegrambot|slackbot|slack-imgproxy|discordbot|linkedinbot"
    r"|skypeuripreview|pinterestbot|redditbot|vkshare|mastodon/|akkoma|pleroma|misskey/|bluesky cardyb|embedly"
    r"|iframely|google-pagerenderer|msteams|teamsbot|line-poker|kakaotalk-scrap|snap url preview|bitlybot|tumblr/"
    # The apps themselves, not the browsers inside them, which begin with "Mozilla".
    r"|^wechatshareextension|^micromessenger client|^xiaohongshu/|^discover/[0-9]|^weibo/",
    re.I,
)
# A browser inside WhatsApp or Tumblr names the app as well, behind the words of a browser.
_BROWSER = re.compile(r"^mozilla/5\.0 \((?!compatible).*applewebkit", re.I)
# Words that stand alone ("bot", "spider") or open a product token ("curl/8"); "cubot" is a phone.
_BOTS = re.compile(
    r"(?<![a-z])bots?(?![a-z])|(?<!cu)bot[/;) -]|(?<!cu)bot$|spider|crawl|slurp|archiver|scrap(?:er|y)|headless"
    r"|lighthouse|phantomjs|monitor(?:ing)?[/ ]|uptime|pingdom|statuscake|preview|validator|feedfetcher"
    r"|google-read-aloud|mediapartners-google"
    r"|^(?:curl|wget|python|aiohttp|httpx|axios|node|undici|got|go-http-client|java|apache-httpclient|libwww|lwp|ruby"
    r"|php|guzzle|okhttp|postman|insomnia|httpie|wrk|k6|ab|siege|vegeta|hey|perl|rust|reqwest|dart|winhttp)[/ \-.]",
    re.I,
)
# Browsers that say Sec-Fetch-* on every request over TLS.
_SAYS_FETCH = re.compile(r"chrome/(?:8\d|9\d|\d{3})|firefox/(?:9\d|\d{3})|version/(?:1[7-9]|[2-9]\d)\S* .*safari", re.I)

# What a request said beside its agent. The numbers are stored: append, never renumber.
HEAD, HIDDEN, AHEAD, NO_LANGUAGE, ANY_ACCEPT, NO_FETCH, NO_ACTIVATION, DATA_CENTRE, STAYED, FLEETING = (
    1 << n for n in range(10)
)
WEIGHTS = {HEAD: 100, HIDDEN: 100, NO_LANGUAGE: 25, ANY_ACCEPT: 10, NO_FETCH: 15, NO_ACTIVATION: 5}
# An address of a data centre is a machine's, or that of a person behind a VPN, who must stay one: whoever says nothing
# else odd is below BOT_FROM even when they left at once. Whoever stayed on the page was there (behaviour.py).
WEIGHTS |= {DATA_CENTRE: 35, STAYED: -25, FLEETING: 15}
# What a link's click never looks like: the browser itself says that it loads a picture or a frame.
_HIDDEN = frozenset(b"image iframe frame script style embed object font audio video track".split())
_AHEAD = (b"prefetch", b"prerender", b"preview")


class Agent(msgspec.Struct, frozen=True):
    """What a User-Agent tells by itself."""

    hash: int
    text: str
    kind: str
    ua_class: str
    in_app: str
    says_fetch: bool


def signals_of(method: str, heard: dict[bytes, bytes], agent: Agent, *, is_https: bool, address: str = "") -> int:
    """The bits of a request with these headers (names in lower case)."""
    destination = heard.get(b"sec-fetch-dest", b"")
    bits = HEAD if method == "HEAD" else 0
    if destination in _HIDDEN:
        bits |= HIDDEN
    purpose = heard.get(b"sec-purpose") or heard.get(b"purpose") or heard.get(b"x-moz") or heard.get(b"x-purpose")
    if purpose and any(word in purpose.lower() for word in _AHEAD):
        bits |= AHEAD
    if b"accept-language" not in heard:
        bits |= NO_LANGUAGE
    if heard.get(b"accept", b"*/*") == b"*/*":
        bits |= ANY_ACCEPT
    if is_https and agent.says_fetch and not destination:
        bits |= NO_FETCH
    if destination == b"document" and b"sec-fetch-user" not in heard:
        bits |= NO_ACTIVATION
    if address and is_data_centre(address):
        bits |= DATA_CENTRE
    return bits


@lru_cache(maxsize=8192)
def judge(agent_kind: str, signals: int) -> tuple[str, int]:
    """The kind of a click and its score: 0 a person beyond doubt, 100 a machine that says so."""
    if agent_kind != HUMAN:
        return agent_kind, 100
    score = max(0, min(100, sum(weight for bit, weight in WEIGHTS.items() if signals & bit)))
    if signals & AHEAD:
        return PREFETCH, score
    return (BOT if score >= BOT_FROM else HUMAN), score


@lru_cache(maxsize=8192)
def agent(given: bytes) -> Agent:
    text = given[:LONGEST_AGENT].decode("latin-1").replace("\0", "")
    known = agent_of(given)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return Agent(
        hash=int.from_bytes(digest, signed=True),
        text=text,
        kind=_kind_by_agent(text),
        ua_class=known.device,
        in_app=known.in_app,
        says_fetch=_SAYS_FETCH.search(text) is not None,
    )


def kind_of(method: str, given: bytes, purpose: bytes, destination: bytes) -> str:
    """The kind of a click by its method, User-Agent, (Sec-)Purpose, and Sec-Fetch-Dest alone."""
    heard = {b"sec-purpose": purpose, b"sec-fetch-dest": destination, b"accept-language": b"*", b"accept": b"text/html"}
    known = agent(given)
    return judge(known.kind, signals_of(method, heard, known, is_https=False))[0]


def _kind_by_agent(text: str) -> str:
    if _PREVIEWS.search(text) and not (_BROWSER.search(text) and not _PREVIEW_BROWSER.search(text)):
        return PREVIEW
    return BOT if len(text) < 8 or _BOTS.search(text) else HUMAN


# Previews that dress as a browser and still name themselves.
_PREVIEW_BROWSER = re.compile(
    r"facebookexternalhit|facebot|bot[/; )]|google-pagerenderer|skypeuripreview|snap url preview", re.I
)
