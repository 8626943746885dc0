"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from app.money import Money
from content.reviews.schemas import (
    AuthorView,
    EvidenceView,
    Helpful,
    NewReply,
    NewReview,
    RatedProduct,
    ReplyView,
    ReviewChanged,
    ReviewPage,
    ReviewView,
)

_at = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

product = RatedProduct(
    id="5",
    slug="hand-grinder-38-mm",
    title="Hand grinder 38 mm",
    url="/p/hand-grinder-38-mm",
    shop_url="https://shop.example/p/grinder-38",
    store="north",
    description="Steel burrs, 38 mm, and a step for every pot.",
    price=Money(8900, "USD"),
    image_url="https://shop.example/img/grinder-38.jpg",
    brand="Northbound",
    category="Grinders",
    rating=4.5,
    review_count=2,
    histogram={"1": 0, "2": 0, "3": 0, "4": 1, "5": 1},
    hidden_count=0,
)
new_review = NewReview(4, "Even grounds, a little slow before breakfast.", "Worth the arm")
review = ReviewView(
    id="18",
    url="/p/hand-grinder-38-mm/r/18",
    rating=4,
    title="Worth the arm",
    body="Even grounds, a little slow before breakfast.",
    html="<p>Even grounds, a little slow before breakfast.</p>",
    lang="en",
    author=AuthorView("7", "ada", "Ada"),
    evidence=EvidenceView("kept", True, 120),
    earns_from_store=True,
    media=[],
    helpful_count=3,
    created_at=_at,
    edited_at=None,
    reply=ReplyView("<p>Thank you. A drill bit fits the shaft.</p>", _at),
)
reviews = ReviewPage([review], None)
changed = ReviewChanged("18", "/p/hand-grinder-38-mm/r/18")
helpful = Helpful(4)
new_reply = NewReply("Thank you. A drill bit fits the shaft.")
