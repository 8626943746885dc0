from app.events import on
from app.text import excerpt
from community.moderation.events import SubjectHidden
from community.notifications.service import notify, withhold
from community.topics import queries
from community.topics.addresses import post_url
from community.topics.events import PostWritten
from community.topics.mentions import mentioned


@on(PostWritten)
async def tell_members(event: PostWritten) -> None:
    """Whoever was answered, mentioned, or opened the topic hears of a new post, once."""
    post = await queries.post_for_telling(event.post_id)
    if post is None:
        return
    data = {
        "name": post["name"],
        "handle": post["handle"],
        "title": post["title"],
        "excerpt": excerpt(post["body"], 140),
    }
    url = post_url(post["group_slug"], post["topic_id"], post["slug"], post["number"])
    for told in await queries.members_to_tell(event.post_id, mentioned(post["body"])):
        source = f"post:{event.post_id}"
        await notify(told["member_id"], told["kind"], source=source, url=url, data=data, by=post["author_id"])


@on(SubjectHidden)
async def quote_no_longer(event: SubjectHidden) -> None:
    if event.kind == "post":
        await withhold(f"post:{event.subject_id}")
