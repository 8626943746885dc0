from app.events import Event


class BountyDecided(Event):
    """What a member handed in was looked at, by somebody or (without an actor) by the offer's own rule."""

    submission_id: int
    member_id: int
    verdict: str = ""


class FigureReached(Event):
    """A post reached what its bounty asks for, and a person has to look at it."""

    submission_id: int


class PostHandedIn(Event):
    """A post whose figure we can fetch came in for a bounty."""

    watch_id: int
