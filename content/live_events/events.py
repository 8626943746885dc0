from app.events import Event


class LiveEventPlanned(Event):
    event_id: int


class LiveEventChanged(Event):
    """Its words are others: title, summary or transcript."""

    event_id: int


class LiveEventMoved(Event):
    """Its hour is another one now."""

    event_id: int


class LiveEventStarted(Event):
    event_id: int


class LiveEventEnded(Event):
    event_id: int


class LiveEventCancelled(Event):
    event_id: int
