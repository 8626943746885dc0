"""Where topics and posts stand. Ids lead and words follow, so an old address survives a new title."""

from app.errors import NotFound
from community.topics.queries import POSTS_A_PAGE


def topic_url(group_slug: str, topic_id: int, slug: str) -> str:
    return f"/g/{group_slug}/t/{topic_id}-{slug}"


def post_url(group_slug: str, topic_id: int, slug: str, number: int) -> str:
    """The page of the thread on which a post stands, scrolled to it."""
    after = start_of_page(number)
    return topic_url(group_slug, topic_id, slug) + (f"?after={after}" if after else "") + f"#post-{number}"


def start_of_page(number: int) -> int:
    """The `after=` of the page that holds this post."""
    return (number - 1) // POSTS_A_PAGE * POSTS_A_PAGE


def id_in(thread: str) -> int:
    """The id in "12-boots-or-shoes"."""
    digits = thread.partition("-")[0]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise NotFound()
    return int(digits)
