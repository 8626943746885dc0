from app.events import Event


class CampaignOffered(Event):
    """A store offered a partner a part in a campaign."""

    contract_id: int
    member_id: int


class CampaignAnswered(Event):
    """The partner took it or not: `state` is accepted, declined, or ended when the store called it off."""

    contract_id: int
    member_id: int
    state: str


class MilestoneDecided(Event):
    """Somebody looked at a partner's work for a campaign."""

    milestone_id: int
    member_id: int
    state: str


class MilestoneExpired(Event):
    """The work never came; its fee is free again."""

    milestone_id: int
    member_id: int
