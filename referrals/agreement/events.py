from app.events import Event


class ChangeProposed(Event):
    """Somebody of a store wants a change that takes two."""

    change_id: int
    store_id: int


class ChangeDecided(Event):
    """A second person agreed to it or refused it, or it was withdrawn."""

    change_id: int
    store_id: int
    state: str
