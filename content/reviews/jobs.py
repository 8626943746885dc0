from app.events import on
from community.moderation.events import SubjectHidden, SubjectRestored
from community.notifications.service import notify
from content.reviews import evidence, queries, service
from content.reviews.events import ReviewAnswered, ReviewWritten
from storefront.orders.events import OrderFactsChanged


@on(ReviewWritten)
async def look_at_orders_again(event: ReviewWritten) -> None:
    """An order may have come in while the review was being written."""
    await service.refresh_evidence(event.review_id)


@on(OrderFactsChanged)
async def follow_order(event: OrderFactsChanged) -> None:
    for review_id in await evidence.reviews_touched_by_order(event.order_id):
        await service.refresh_evidence(review_id)


@on(SubjectHidden)
async def leave_out_hidden(event: SubjectHidden) -> None:
    if event.kind == "review":
        await service.recount_of(event.subject_id)


@on(SubjectRestored)
async def count_restored(event: SubjectRestored) -> None:
    if event.kind == "review":
        await service.recount_of(event.subject_id)


@on(ReviewAnswered)
async def tell_reviewer(event: ReviewAnswered) -> None:
    rows = await queries.reviews_by_ids([event.review_id])
    for row in rows:
        if row["author_id"] and row["author_id"] != event.by_id:
            await notify(
                row["author_id"],
                "review_answered",
                source=f"review:{event.review_id}:answer",
                url=queries.review_url(row["product_slug"], event.review_id),
                data={"product": row["product_title"]},
            )
