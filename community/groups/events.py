from app.events import Event


class GroupFounded(Event):
    group_id: int


class GroupChanged(Event):
    group_id: int


class GroupJoined(Event):
    group_id: int
    member_id: int


class GroupLeft(Event):
    group_id: int
    member_id: int


class RoleGiven(Event):
    """The owner made a member moderator, owner, or plain member again."""

    group_id: int
    member_id: int
    role: str
