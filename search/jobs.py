"""The index follows what happens in every feature. Each job reads the rows as they are now, so running late or twice
does no harm."""

from app import db
from app.events import on
from app.jobs import every
from community.groups.events import GroupChanged, GroupFounded
from community.moderation.events import SubjectHidden, SubjectRestored
from community.topics.events import PostEdited, PostWritten, TopicRetitled
from content.guides.events import GuideChanged, GuidePublished
from content.live_events.events import LiveEventCancelled, LiveEventChanged, LiveEventEnded, LiveEventPlanned
from content.reviews.events import ReviewChanged, ReviewsImported, ReviewWritten
from search import messages
from search.engine import KINDS
from search.service import index
from storefront.catalog.events import ProductChanged, ProductListed, ProductWithdrawn


@on(GroupFounded)
async def index_new_group(event: GroupFounded) -> None:
    await index("group", [event.group_id])


@on(GroupChanged)
async def index_changed_group(event: GroupChanged) -> None:
    """With its topics: their address holds its slug, and who may find them may have changed."""
    await index("group", [event.group_id])
    rows = await db.fetch("SELECT id FROM topic WHERE group_id = $1 ORDER BY id", event.group_id)
    for start in range(0, len(rows), 100):
        await index("topic", [row["id"] for row in rows[start : start + 100]])


@on(PostWritten)
async def index_written_post(event: PostWritten) -> None:
    await index("topic", [event.topic_id])


@on(PostEdited)
async def index_edited_post(event: PostEdited) -> None:
    await index("topic", [event.topic_id])


@on(TopicRetitled)
async def index_retitled_topic(event: TopicRetitled) -> None:
    await index("topic", [event.topic_id])


@on(ProductListed)
async def index_listed_product(event: ProductListed) -> None:
    await index("product", [event.product_id])


@on(ProductChanged)
async def index_changed_product(event: ProductChanged) -> None:
    await index("product", [event.product_id])


@on(ProductWithdrawn)
async def forget_withdrawn_product(event: ProductWithdrawn) -> None:
    await index("product", [event.product_id])


@on(ReviewWritten)
async def index_written_review(event: ReviewWritten) -> None:
    await index("review", [event.review_id])


@on(ReviewChanged)
async def index_changed_review(event: ReviewChanged) -> None:
    await index("review", [event.review_id])


@on(ReviewsImported)
async def index_imported_reviews(event: ReviewsImported) -> None:
    await index("review", event.review_ids)


@on(GuidePublished)
async def index_published_guide(event: GuidePublished) -> None:
    await index("guide", [event.guide_id])


@on(GuideChanged)
async def index_changed_guide(event: GuideChanged) -> None:
    await index("guide", [event.guide_id])


@on(LiveEventPlanned)
async def index_planned_live_event(event: LiveEventPlanned) -> None:
    await index("live", [event.event_id])


@on(LiveEventChanged)
async def index_changed_live_event(event: LiveEventChanged) -> None:
    await index("live", [event.event_id])


@on(LiveEventEnded)
async def index_ended_live_event(event: LiveEventEnded) -> None:
    await index("live", [event.event_id])


@on(LiveEventCancelled)
async def forget_cancelled_live_event(event: LiveEventCancelled) -> None:
    await index("live", [event.event_id])


@on(SubjectHidden)
async def forget_hidden_subject(event: SubjectHidden) -> None:
    await _index_subject(event.kind, event.subject_id)


@on(SubjectRestored)
async def index_restored_subject(event: SubjectRestored) -> None:
    await _index_subject(event.kind, event.subject_id)


@every("* * * * *")
async def index_what_was_said() -> None:
    await messages.catch_up_everywhere()


async def _index_subject(kind: str, subject_id: int) -> None:
    if kind == "post":
        topic_id = await db.fetch_val("SELECT topic_id FROM post WHERE id = $1", subject_id)
        await index("topic", [topic_id] if topic_id else [])
    elif kind in KINDS:
        await index(kind, [subject_id])
