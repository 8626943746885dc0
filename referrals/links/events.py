from app.events import Event


class LinkMade(Event):
    link_id: int
    owner_id: int


class LinkClosed(Event):
    """Its owner (or a moderator) switched a link off."""

    link_id: int
    owner_id: int
