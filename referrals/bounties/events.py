from app.events import Event


class BountyDecided(Event):
    """Somebody looked at what a member handed in."""

    submission_id: int
    member_id: int
