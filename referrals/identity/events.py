from app.events import Event


class IdentityAsked(Event):
    """A member asks a store's people to look at who they are."""

    store_id: int
    member_id: int
    request_id: int


class IdentityDecided(Event):
    """Somebody of a store (the actor) said what came of it: `checked`, `refused` or `withdrawn`."""

    store_id: int
    member_id: int
    check_id: int
    result: str
