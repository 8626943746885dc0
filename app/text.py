"""Text from people: cleaned once at the door, rendered once at the write."""

import re
import unicodedata
from collections.abc import Callable
from html import escape as html_escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import validateLink
from markdown_it.rules_inline import StateInline, image, link, linkify

from app.disclosure import is_earning, labelled, mark
from app.errors import Invalid
from app.i18n import gettext as _

# Bidi overrides and invisible controls let a text look like another one; newline and tab may stay.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_markdown = MarkdownIt("js-default", {"html": False, "linkify": True, "breaks": True, "typographer": False})

_chat_markdown = MarkdownIt("js-default", {"html": False, "linkify": True, "breaks": True}).disable(
    ["heading", "lheading", "hr", "table", "reference"]
)


def _leads_where_it_says(address: str) -> bool:
    """`//host` and backslashes look like a place of ours and lead elsewhere; such a link stays text."""
    return validateLink(address) and not address.replace("%5C", "\\").startswith(("//", "/\\", "\\"))


def _bounded(
    most: int, walk: int, sign: str, rule: Callable[[StateInline, bool], bool]
) -> Callable[[StateInline, bool], bool]:
    """The rule for the first so many places of a text that begin like this, as long as looking for where each ends has
    not read `walk` signs in all; further ones stay as they were typed.

    Each try may read the rest of the text: 40,000 opening brackets took 1.7 s, during which nobody else is served.
    """

    def bounded(state: StateInline, silent: bool) -> bool:
        if not state.src.startswith(sign, state.pos):
            return False
        if sign != "://" and not state.env.get("references") and state.pos > _last_end(state):
            return False
        tries = state.env[sign] = state.env.get(sign, 0) + 1
        if tries > most or state.env.get("walked", 0) > walk:
            return False
        # Counted before, as a try may begin others within itself; what was not read after all is given back.
        state.env["walked"] = state.env.get("walked", 0) + state.posMax - state.pos
        found = rule(state, silent)
        if found:
            state.env["walked"] -= state.posMax - state.pos
        return found

    return bounded


def _last_end(state: StateInline) -> int:
    """Where the last label of a link could end in this line: beyond it nothing begins one."""
    ends = state.env.setdefault("ends", {})
    if state.src not in ends:
        ends[state.src] = state.src.rfind("](")
    return ends[state.src]


# Nobody means more than a hundred links by one line of chat, or a thousand by a page.
MOST_TRIES, MOST_TRIES_IN_CHAT = 1000, 100
# Five times the longest text: the worst line of chat that we know takes 20 ms then, of which 12 are what any 4,000
# signs of Markdown may take. A hundred tries that each read all of it took 93, whatever their number was set to.
WALK, WALK_IN_CHAT = 200_000, 20_000

for _flavour, _most, _walk in ((_markdown, MOST_TRIES, WALK), (_chat_markdown, MOST_TRIES_IN_CHAT, WALK_IN_CHAT)):
    _flavour.validateLink = _leads_where_it_says  # type: ignore[method-assign, assignment]
    _flavour.inline.ruler.at("link", _bounded(_most, _walk, "[", link))
    _flavour.inline.ruler.at("image", _bounded(_most, _walk, "![", image))
    _flavour.inline.ruler.at("linkify", _bounded(_most, _walk, "://", linkify))

# One line without any sign that Markdown or the link finder could mean something by: most of what is said in a chat.
_PLAIN = re.compile(r"[^\W\d_][^\n*_`~\[\]<>\\#|@:/.&]*[.!?…。！？]?")

# A Markdown link, or an address as it was typed. Behind one that earns stands this control until the rest is plain.
_LINK = re.compile(
    r"!?\[([^\[\]]*)\]\(([^)\s]*)(?:\s[^)]*)?\)|(https?://[^\s<>()\[\]]+|(?<![\w/])/(?:r|hi)/[^\s<>()\[\]]+)"
)
_EARNS = "\x01"

ALLOWED_TAGS = set("p br hr em strong s code pre blockquote ul ol li a h2 h3 h4 h5 table thead tbody tr th td".split())


def clean(value: str, field: str, *, most: int, least: int = 0, lines: bool = False) -> str:
    """Text as we keep it: NFC, without controls, trimmed; raises Invalid outside `least`..`most` characters."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Invalid(field, _("This text holds characters that are not valid Unicode.")) from error
    value = _UNWANTED.sub("", unicodedata.normalize("NFC", value.replace("\r\n", "\n"))).strip()
    if not lines:
        value = " ".join(value.split())
    if len(value) < least:
        raise Invalid(field, _("At least %(n)s characters, please.", n=least) if value else _("Please fill this in."))
    if len(value) > most:
        raise Invalid(
            field, _("At most %(most)s characters, please; this has %(n)s.", most=f"{most:,}", n=f"{len(value):,}")
        )
    return value


def markdown(source: str) -> str:
    """Safe HTML of a member's Markdown. Links to elsewhere are marked as the member's own, earning ones as earning."""
    html = _markdown.render(source).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return labelled(
        nh3.clean(
            html,
            tags=ALLOWED_TAGS,
            attributes={"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="nofollow ugc noopener",
        )
    )


def chat_markdown(source: str) -> str:
    """The same for a line of chat: no headings, rules or tables, so that "# 1" and "---" stay what was typed."""
    if _PLAIN.fullmatch(source):
        return f"<p>{html_escape(source, quote=False)}</p>"
    return labelled(
        nh3.clean(
            _chat_markdown.render(source),
            tags=ALLOWED_TAGS,
            attributes={"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="nofollow ugc noopener",
        ).rstrip()
    )


def excerpt(source: str, most: int = 200) -> str:
    """The beginning of a Markdown text as one plain line; what earns in it still says so."""
    # Not more than can matter: over brackets that never close the expression would walk again and again.
    plain = _LINK.sub(_link_as_text, source[: 5 * most + 1000])
    plain = " ".join(re.sub(r"[*_`>#~|]+", "", plain).split()).replace(_EARNS, f" ({mark()})")
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def _link_as_text(found: re.Match[str]) -> str:
    text, target, bare = found.groups()
    return (text if bare is None else bare) + (_EARNS if is_earning(target if bare is None else bare) else "")


def slugify(title: str, fallback: str = "x") -> str:
    """A readable address part: ASCII words; a title without any keeps its own letters (Chinese stays Chinese)."""
    ascii_form = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_form).strip("-")
    if len(slug) < 2:
        slug = re.sub(r"[\W_]+", "-", title.lower()).strip("-")
    return slug[:60].strip("-") or fallback
