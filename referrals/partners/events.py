from app.events import Event


class PartnerApplied(Event):
    """Somebody asked to become a partner of a programme."""

    program_id: int
    member_id: int
    risk: int


class PartnerDecided(Event):
    """A partner is in, out or gone: `state` is approved, declined or left."""

    program_id: int
    member_id: int
    state: str
