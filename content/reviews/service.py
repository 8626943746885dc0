import re

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.text import clean, markdown
from content.reviews import policy
from content.reviews.events import ReviewAnswered, ReviewChanged, ReviewWritten
from content.reviews.evidence import Evidence, evidence_of
from content.reviews.queries import own_review
from content.reviews.rating import hold_products, recount
from content.reviews.schemas import NewReply, NewReview

MOST_PHOTOS = 6
_CHINESE = re.compile("[\u3400-\u9fff]")


class AlreadyReviewed(Conflict):
    """You have reviewed this product before. You can edit that review."""

    type = "already-reviewed"

    def __init__(self, review_id: int) -> None:
        self.review_id = review_id
        super().__init__(_("You have reviewed this product before. You can edit that review."))


async def write(viewer: Viewer, product_slug: str, new: NewReview) -> int:
    """Publish a member's review at once, whatever its stars; its id. One a member and product."""
    member_id = require_member(viewer)
    product = await _reviewable(viewer, product_slug)
    title, body, html = check_words(new)
    evidence = await evidence_of(member_id, product["id"])
    async with db.transaction():
        await hold_products([product["id"]])
        review_id = await db.fetch_val(
            """INSERT INTO review (product_id, author_id, author_name, external_key, rating, title, body, html, lang,
                                   evidence, evidence_since, helpful_count, created_at)
               VALUES ($1, $2, '', '', $3, $4, $5, $6, $7, $8, $9, 0, $10)
               ON CONFLICT (product_id, author_id) WHERE author_id IS NOT NULL DO NOTHING RETURNING id""",
            product["id"],
            member_id,
            new.rating,
            title,
            body,
            html,
            language_of(body),
            evidence.level,
            evidence.since,
            clock.now(),
        )
        if review_id is not None:
            await _show_photos(review_id, member_id, new.media)
            await recount([product["id"]])
            await publish(
                ReviewWritten(review_id=review_id, product_id=product["id"], author_id=member_id), actor_id=member_id
            )
    if review_id is None:
        earlier = await own_review(viewer, product["id"])
        raise AlreadyReviewed(earlier["id"] if earlier else 0)
    return review_id


async def edit(viewer: Viewer, review_id: int, new: NewReview) -> asyncpg.Record:
    """Change one's own review. Its votes and evidence stay."""
    member_id = require_member(viewer)
    review = await policy.access_review(viewer, review_id)
    if not policy.may_edit(viewer, review):
        raise Forbidden(_("Only its author can change a review."))
    title, body, html = check_words(new)
    async with db.transaction():
        await hold_products([review["product_id"]])
        await db.execute(
            """UPDATE review SET rating = $2, title = $3, body = $4, html = $5, lang = $6, edited_at = $7
                WHERE id = $1""",
            review_id,
            new.rating,
            title,
            body,
            html,
            language_of(body),
            clock.now(),
        )
        await _show_photos(review_id, member_id, new.media)
        await recount([review["product_id"]])
        await publish(ReviewChanged(review_id=review_id, product_id=review["product_id"]), actor_id=member_id)
    return review


async def vote(viewer: Viewer, review_id: int) -> int:
    """Say that a review helped; how many said so. Saying it twice counts once."""
    member_id = require_member(viewer)
    review = await policy.access_review(viewer, review_id)
    if not policy.may_vote(viewer, review):
        raise Forbidden(_("Whether this review helps is for others to say."))
    await limit("vote", member_id, most=120, per=3600)
    async with db.transaction():
        is_new = await db.fetch_val(
            """INSERT INTO review_vote (review_id, member_id, created_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING true""",
            review_id,
            member_id,
            clock.now(),
        )
        helpful = await _count_votes(review_id, 1 if is_new else 0)
    return helpful


async def unvote(viewer: Viewer, review_id: int) -> int:
    """Take it back; how many still say so."""
    member_id = require_member(viewer)
    await policy.access_review(viewer, review_id)
    async with db.transaction():
        gone = await db.execute("DELETE FROM review_vote WHERE review_id = $1 AND member_id = $2", review_id, member_id)
        helpful = await _count_votes(review_id, -gone)
    return helpful


async def reply(viewer: Viewer, review_id: int, new: NewReply) -> asyncpg.Record:
    """The store's official answer, by whoever runs the store; answering again replaces the words."""
    member_id = require_member(viewer)
    review = await policy.access_review(viewer, review_id)
    if not policy.speaks_for_store(viewer, review["store_owner_id"]):
        raise Forbidden(_("Only the store can answer officially."))
    body = clean(new.body, "body", least=1, most=5000, lines=True)
    async with db.transaction():
        await db.execute(
            """INSERT INTO review_reply (review_id, author_id, body, html, created_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (review_id) DO UPDATE
                  SET author_id = excluded.author_id, body = excluded.body, html = excluded.html""",
            review_id,
            member_id,
            body,
            markdown(body),
            clock.now(),
        )
        await publish(ReviewAnswered(review_id=review_id, by_id=member_id), actor_id=member_id)
    return review


async def refresh_evidence(review_id: int) -> None:
    """Look at the orders again. Runs after any change of them, so it may run often and changes nothing twice."""
    review = await db.fetch_one("SELECT product_id, author_id FROM review WHERE id = $1", review_id)
    if review is None or review["author_id"] is None:
        return
    async with db.transaction():
        # The row first: of two refreshes at once the later one must read the orders after the earlier one is done.
        await db.execute("SELECT 1 FROM review WHERE id = $1 FOR NO KEY UPDATE", review_id)
        evidence: Evidence = await evidence_of(review["author_id"], review["product_id"])
        changed = await db.execute(
            """UPDATE review SET evidence = $2, evidence_since = $3
                WHERE id = $1 AND (evidence, evidence_since) IS DISTINCT FROM ($2, $3::timestamptz)""",
            review_id,
            evidence.level,
            evidence.since,
        )
        if changed:
            await publish(ReviewChanged(review_id=review_id, product_id=review["product_id"]))


async def recount_of(review_id: int) -> None:
    """The histogram of the review's product, after a moderator hid or restored the review."""
    product_id = await db.fetch_val("SELECT product_id FROM review WHERE id = $1", review_id)
    if product_id is not None:
        async with db.transaction():
            await hold_products([product_id])
            await recount([product_id])


def language_of(text: str) -> str:
    """Good enough for `lang=`: Chinese when a fifth of the text is."""
    return "zh-Hans" if 5 * len(_CHINESE.findall(text)) > len(text) else "en"


async def _reviewable(viewer: Viewer, slug: str) -> asyncpg.Record:
    product = await db.fetch_one(
        """SELECT p.id, s.owner_id FROM product p JOIN store s ON s.id = p.store_id WHERE p.slug = $1""", slug
    )
    if product is None:
        raise NotFound()
    if product["owner_id"] == viewer.member_id:
        raise Forbidden(_("You run this store: you can answer reviews here, not write one."))
    return product


async def _show_photos(review_id: int, member_id: int, media: list[str]) -> None:
    """These uploads of the member, and no others, stand beside the review."""
    if len(media) > MOST_PHOTOS:
        raise Invalid("media", _("At most %(n)s photos, please.", n=MOST_PHOTOS))
    ids = [int(given) for given in media if given.isascii() and given.isdigit() and len(given) < 19]
    await db.execute("DELETE FROM review_photo WHERE review_id = $1", review_id)
    shown = await db.execute(
        """INSERT INTO review_photo (review_id, upload_id, position)
           SELECT $1, u.id, given.place
             FROM unnest($3::bigint[]) WITH ORDINALITY AS given (id, place)
             JOIN upload u ON u.id = given.id AND u.owner_id = $2
               ON CONFLICT DO NOTHING""",
        review_id,
        member_id,
        ids,
    )
    if shown != len(media):
        raise Invalid("media", _("Each one the id of a picture that you have uploaded, once."))


def check_words(new: NewReview) -> tuple[str, str, str]:
    """Title, body and its HTML as they are stored; Invalid when they cannot be."""
    title = clean(new.title, "title", most=120)
    body = clean(new.body, "body", least=1, most=10_000, lines=True)
    return title, body, markdown(body)


async def _count_votes(review_id: int, change: int) -> int:
    return await db.fetch_val(
        "UPDATE review SET helpful_count = helpful_count + $2 WHERE id = $1 RETURNING helpful_count", review_id, change
    )
