from app.events import Event


class DirectSaid(Event):
    """Somebody said something to few: the others are told when they do not see it. Group rooms announce nothing."""

    room_id: int
    author_id: int
    seq: int
