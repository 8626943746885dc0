from app.events import Event


class CheckOpened(Event):
    """A rule struck: a case about a member stands open."""

    case_id: int
    store_id: int


class CheckDecided(Event):
    """A person decided a case, or an objection to it: `outcome` is confirmed, cleared, upheld or dismissed."""

    case_id: int
    store_id: int
    outcome: str
