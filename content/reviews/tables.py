from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, reference, words
from community.media.tables import Upload
from community.members.tables import Member
from storefront.catalog.tables import Product


class Review(Table, tablename="review"):
    """A member's review, or one imported from a file (no author; `external_key` makes the import repeatable).

    `evidence` is what the store's orders show of the purchase, `evidence_since` the moment it was so (a delivery's
    day tells how long a thing was kept). Both are computed, never typed.
    """

    id = BigSerial(primary_key=True)
    product_id = reference(Product, index=False)
    author_id = reference(Member, null=True)
    author_name = words(optional=True)
    external_key = words(optional=True)
    rating = count()
    title = words(optional=True)
    body = words()
    html = words()
    lang = words(optional=True)
    evidence = words()
    evidence_since = moment(null=True)
    helpful_count = count()
    created_at = moment()
    edited_at = moment(null=True)

    review_rating_one_to_five = Check("rating BETWEEN 1 AND 5")
    review_evidence_known = Check("evidence IN ('none', 'imported', 'bought', 'delivered', 'kept', 'returned')")


class ReviewPhoto(Table, tablename="review_photo"):
    """A picture that the author brought in, in its place beside the words."""

    id = BigSerial(primary_key=True)
    review_id = reference(Review, cascade=True, index=False)
    upload_id = reference(Upload)
    position = count()

    review_photo_once = Unique([review_id, upload_id])


class ReviewVote(Table, tablename="review_vote"):
    """A member found a review helpful."""

    id = BigSerial(primary_key=True)
    review_id = reference(Review, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    created_at = moment()

    review_vote_once = Unique([review_id, member_id])


class ReviewReply(Table, tablename="review_reply"):
    """The store's official answer, one a review."""

    id = BigSerial(primary_key=True)
    review_id = reference(Review, cascade=True, index=False)
    author_id = reference(Member)
    body = words()
    html = words()
    created_at = moment()

    review_reply_once = Unique([review_id])


class ProductRating(Table, tablename="product_rating"):
    """How many visible reviews of a product gave how many stars; kept in the transaction that changes it."""

    id = BigSerial(primary_key=True)
    product_id = reference(Product, cascade=True, index=False)
    stars = count()
    reviews = count()

    product_rating_once = Unique([product_id, stars])
