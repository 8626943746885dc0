"""What the tests of reviews and guides share: a shop's order that arrives, a review that is written."""

from typing import Any

from app import db
from tests.factories import Person, run_jobs
from tests.storefront.shop import Shop, line, order, send


async def buy(web: Any, shop: Shop, member: Person, product: str = "SKU-1", order_id: str = "1001") -> None:
    """The member's paid order, told by the shop over its webhook."""
    customer = {"id": f"customer-{member.id}", "email": f"{member.handle}@example.org", "name": member.handle}
    told = order(order_id, customer=customer, lines=[line(product_id=product)])
    assert (await send(web(), shop, "order.paid", told)).status_code == 202
    await run_jobs()


async def say(
    member: Person, slug: str, rating: int = 4, body: str = "It does what it should.", title: str = ""
) -> int:
    from content.reviews.schemas import NewReview
    from content.reviews.service import write

    review_id = await write(member.viewer, slug, NewReview(rating, body, title))
    await run_jobs()
    return review_id


async def hide(moderator: Person, kind: str, subject_id: int) -> int:
    """A moderator takes something out of sight; the case."""
    from community.moderation import service
    from community.moderation.schemas import Subject

    author = await db.fetch_val(f'SELECT author_id FROM "{kind}" WHERE id = $1', subject_id)
    await service.report(moderator.viewer, Subject(kind, subject_id, author, "/", "..."), "abuse")
    case_id = await db.fetch_val("SELECT id FROM moderation_case WHERE subject_id = $1 AND state = 'open'", subject_id)
    await service.hide(moderator.viewer, case_id, "Insults")
    await run_jobs()
    return case_id


async def histogram(web: Any, slug: str) -> dict[str, int]:
    return (await web().get(f"/api/v1/products/{slug}")).json()["histogram"]
