from app.events import Event


class BooksDrifted(Event):
    """A check of the books found something that does not fit the facts."""

    check_id: int
    errors: int
    first: str


class CheckAsked(Event):
    """An admin wants the books checked now."""

    member_id: int
