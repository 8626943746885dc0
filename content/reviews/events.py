from app.events import Event


class ReviewWritten(Event):
    review_id: int
    product_id: int
    author_id: int


class ReviewChanged(Event):
    """Its words, its stars or the evidence of its purchase are others now."""

    review_id: int
    product_id: int


class ReviewsImported(Event):
    """Reviews that came from a file, some hundred to an event."""

    review_ids: list[int]


class ReviewAnswered(Event):
    """The store replied officially, for the first time or in other words."""

    review_id: int
    by_id: int
